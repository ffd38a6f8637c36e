/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/unfinished.h"

#include "arch/cpu.h"
#include "arch/switch.h"
#include "core/ec.h"
#include "core/rcu.h"
#include "core/reap.h"

void unfinished_init(struct unfinished *u)
{
	u->revocation.object = NULL;
	u->revocation.pd = NULL;
	u->delegation.src = NULL;
	u->item = 0;
	list_init(&u->dying);
}

struct space_obj_revocation *space_obj_unfinished(void)
{
	struct cpu *cpu = cpu_current();

	hazard_set(cpu, HAZARD_UNFINISHED);
	return &cpu->ec->unfinished.revocation;
}

struct space_obj_delegation *space_obj_unfinished_delegation(void)
{
	struct cpu *cpu = cpu_current();
	struct ec *ec = cpu->ec;

	hazard_set(cpu, HAZARD_UNFINISHED);
	ec->unfinished.rdx = ec->regs.rdx;
	ec->unfinished.rax = ec->regs.rax;
	return &ec->unfinished.delegation;
}

enum status unfinished_delegate_now(struct cpu *cpu)
{
	struct space_obj_delegation *d = &cpu->ec->unfinished.delegation;
	enum status s = SUCCESS;

	hazard_clear(cpu, HAZARD_UNFINISHED);
	while (s == SUCCESS && !space_obj_delegate_is_over(d))
		s = space_obj_delegate_step(d);
	if (s != SUCCESS)
		space_obj_delegate_drop(d);
	return s;
}

/* After a piece. Others may wait for a lock that it has released. */
static bool is_wanted(const struct cpu *cpu)
{
	arch_relax();
	return unfinished_wanted(cpu);
}

/* A piece. If memory is short only because what was deleted waits for a grace period, that is waited for. */
static enum status delegate_piece(struct cpu *cpu, struct unfinished *u)
{
	enum status s = space_obj_delegate_step(&u->delegation);

	if (unlikely(s == OOM) && rcu_expedite(cpu))
		s = space_obj_delegate_step(&u->delegation);
	return s;
}

/* The hypercall fails, and it is as if it had not been. */
static noinline void delegate_fail(struct ec *ec)
{
	struct unfinished *u = &ec->unfinished;

	space_obj_delegate_drop(&u->delegation);
	ec->regs.rdi = OOM;
	ec->regs.rdx = u->rdx;
	ec->regs.rax = u->rax;
}

static bool delegate(struct cpu *cpu, struct ec *ec)
{
	struct unfinished *u = &ec->unfinished;

	while (!space_obj_delegate_is_over(&u->delegation)) {
		if (delegate_piece(cpu, u) != SUCCESS)
			delegate_fail(ec);
		else if (is_wanted(cpu) && !space_obj_delegate_is_over(&u->delegation))
			return false;
	}
	return true;
}

/* Does not wait for memory: work items that are taken meanwhile might end one of the two ECs. */
bool unfinished_delegate_item(struct cpu *cpu, struct unfinished *u, bool *failed)
{
	*failed = false;
	hazard_clear(cpu, HAZARD_UNFINISHED);
	while (!space_obj_delegate_is_over(&u->delegation)) {
		if (space_obj_delegate_step(&u->delegation) != SUCCESS) {
			space_obj_delegate_drop(&u->delegation);
			*failed = true;
		} else if (is_wanted(cpu) && !space_obj_delegate_is_over(&u->delegation)) {
			return false;
		}
	}
	return true;
}

void unfinished_hand_over(struct ec *from, struct ec *to)
{
	to->unfinished.delegation = from->unfinished.delegation;
	from->unfinished.delegation.src = NULL;
}

void unfinished_drop_items(struct unfinished *u)
{
	if (!space_obj_delegate_is_over(&u->delegation))
		space_obj_delegate_drop(&u->delegation);
	u->item = 0;
}

/* True: all is done. At least one piece is. */
static bool run(struct cpu *cpu, struct ec *ec)
{
	if (!delegate(cpu, ec))
		return false;
	while (space_obj_revoke_step(&ec->unfinished.revocation))
		if (is_wanted(cpu))
			return false;
	return list_empty(&cpu->dying) || reap_all(cpu);
}

static noinline void begin_slow(struct cpu *cpu)
{
	if (run(cpu, cpu->ec))
		hazard_clear(cpu, HAZARD_UNFINISHED);
}

void unfinished_begin(struct cpu *cpu)
{
	if (unlikely(cpu->hazard & HAZARD_UNFINISHED))
		begin_slow(cpu);
	else
		reap_all(cpu);
}

static bool runs_on(const struct sc *sc, const struct ec *ec)
{
	return sc && ec_chain_end(sc->ec) == ec;
}

/* The current EC keeps what is left. Objects to be dismantled it keeps only if it certainly has an SC with which to
 * do it: it may have taken its own life, or its SC. Else they stay with the CPU. */
static void keep(struct cpu *cpu, struct ec *ec)
{
	struct unfinished *u = &ec->unfinished;
	bool has_time = runs_on(cpu->sc, ec) || runs_on(cpu->preempted, ec);

	if (!has_time)
		space_obj_revoke_leave(&u->revocation);
	if (ec_is_dead(ec) || (!has_time && unfinished_is_over(u)))
		return;
	if (ec->cont != CONT_UNFINISHED)
		u->then = ec->cont;
	ec->cont = CONT_UNFINISHED;
	if (!has_time)
		return;
	list_move_all(&cpu->dying, &u->dying);
	hazard_clear(cpu, HAZARD_REAP);
}

void unfinished_keep(struct cpu *cpu)
{
	bool begun = cpu->hazard & HAZARD_UNFINISHED;

	hazard_clear(cpu, HAZARD_UNFINISHED);
	if (begun || !reap_all(cpu))
		keep(cpu, cpu->ec);
}

static void disown_dying(struct cpu *cpu, struct unfinished *u)
{
	if (list_empty(&u->dying))
		return;
	list_move_all(&u->dying, &cpu->dying);
	hazard_set(cpu, HAZARD_REAP);
}

void unfinished_resume(struct cpu *cpu, struct ec *ec)
{
	struct unfinished *u = &ec->unfinished;

	disown_dying(cpu, u); /* for the moment */
	if (!run(cpu, ec)) {
		keep(cpu, ec);
		arch_dispatch();
	}
	ec->cont = u->then;
}

void unfinished_disown_slow(struct cpu *cpu, struct unfinished *u)
{
	space_obj_revoke_leave(&u->revocation);
	disown_dying(cpu, u);
}

bool unfinished_bury(struct ec *ec)
{
	unfinished_drop_items(&ec->unfinished);
	return space_obj_revoke_step(&ec->unfinished.revocation);
}
