/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/unfinished.h"

#include "arch/cpu.h"
#include "arch/switch.h"
#include "core/ec.h"
#include "core/rcu.h"
#include "core/reap.h"
#include "core/scarce.h"
#include "platform/panic.h"

void unfinished_init(struct unfinished *u)
{
	u->revocation.object = NULL;
	u->revocation.pd = NULL;
	u->delegation.src = NULL;
	u->item = 0;
	u->crowded = 0;
	u->scarce = SCARCE_NOT;
	u->then = 0;
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

void unfinished_create(struct cpu *cpu, struct cap_slot *slot, cap_t perm)
{
	struct unfinished *u = &cpu->ec->unfinished;

	kassert(!space_obj_delegate_is_over(&u->delegation)); /* both PDs have references */
	u->delegation.kind = DELEGATE_INITIAL;
	u->slot = slot;
	u->perm = perm;
}

/* It is over. If it has come to its end a new PD is complete. */
static void publish(struct ec *ec)
{
	const struct unfinished *u = &ec->unfinished;

	if (u->delegation.kind == DELEGATE_INITIAL)
		space_obj_commit(ec->pd, u->slot, &u->delegation.dst->obj, (unsigned)u->perm);
}

/* The rest is not delegated, and a new PD ends with what it has got. */
static void give_up(struct ec *ec)
{
	struct space_obj_delegation *d = &ec->unfinished.delegation;

	if (d->kind == DELEGATE_INITIAL) {
		kobject_caps_gone(&d->dst->obj);
		space_obj_cancel(ec->pd, ec->unfinished.slot);
		d->kind = DELEGATE_NOTHING; /* for publish() */
	}
	space_obj_delegate_drop(d);
}

/* After a piece. Others may wait for a lock that it has released. */
static bool is_wanted(const struct cpu *cpu)
{
	arch_relax();
	return unfinished_wanted(cpu);
}

/* It may be over now, or have become a delegation that goes on by itself. */
static enum status begin_anew(struct cpu *cpu, struct ec *ec)
{
	struct unfinished *u = &ec->unfinished;
	struct space_obj_delegation kept = u->delegation;
	const struct regs *r = &ec->regs;

	u->delegation.src = NULL;
	enum status s = u->again(u->arg1, r->rsi, r->rdx, ec, r->r8);
	hazard_clear(cpu, HAZARD_UNFINISHED); /* seen to by the caller */
	if (s != OOM) {
		ec->regs.rdi = s;
		space_obj_delegate_drop(&kept);
	} else if (space_obj_delegate_is_over(&u->delegation)) {
		u->delegation = kept;
	} else { /* it has come here by unfinished_again() once more */
		space_obj_delegate_drop(&kept);
	}
	return s;
}

/* A piece once more, or the hypercall. */
static enum status try_again(struct cpu *cpu, struct ec *ec)
{
	struct unfinished *u = &ec->unfinished;

	if (u->delegation.kind == DELEGATE_NOTHING)
		return begin_anew(cpu, ec);
	return space_obj_delegate_step(&u->delegation);
}

/* The hypercall fails, and it is as if it had not been. */
static void delegate_fail(struct ec *ec)
{
	struct unfinished *u = &ec->unfinished;

	give_up(ec);
	ec->regs.rdi = OOM;
	ec->regs.rdx = u->rdx;
	ec->regs.rax = u->rax;
}

/* A piece has found no memory. False: the CPU is wanted. */
static cold bool delegate_scarce(struct cpu *cpu, struct ec *ec)
{
	struct unfinished *u = &ec->unfinished;
	enum scarce answer;

	do {
		answer = scarce_await(cpu, u, u->delegation.dst);
		if (answer == SCARCE_LATER)
			return false;
	} while (answer == SCARCE_TRY && try_again(cpu, ec) == OOM);
	scarce_end(u);
	if (answer == SCARCE_OOM)
		delegate_fail(ec);
	return true;
}

static bool delegate(struct cpu *cpu, struct ec *ec)
{
	struct unfinished *u = &ec->unfinished;

	while (!space_obj_delegate_is_over(&u->delegation)) {
		if (unlikely(space_obj_delegate_step(&u->delegation) != SUCCESS) && !delegate_scarce(cpu, ec))
			return false;
		if (space_obj_delegate_is_over(&u->delegation))
			publish(ec);
		else if (is_wanted(cpu))
			return false;
	}
	return true;
}

enum status unfinished_delegate_item(struct cpu *cpu, struct unfinished *u)
{
	bool begun = cpu->hazard & HAZARD_UNFINISHED;

	hazard_clear(cpu, HAZARD_UNFINISHED);
	if (begun && unfinished_wanted(cpu) && !space_obj_delegate_is_over(&u->delegation))
		return BUSY; /* the first piece was part of its beginning */
	while (!space_obj_delegate_is_over(&u->delegation)) {
		if (space_obj_delegate_step(&u->delegation) != SUCCESS)
			return OOM;
		if (is_wanted(cpu) && !space_obj_delegate_is_over(&u->delegation))
			return BUSY;
	}
	return SUCCESS;
}

enum status unfinished_again(struct ec *self, struct pd *pd, hypercall_fn fn, u64 arg1)
{
	struct unfinished *u = &self->unfinished;

	space_obj_delegate_begin((struct space_obj_delegation){self->pd, pd, 0, 1, 0, 0, DELEGATE_NOTHING});
	u->again = fn;
	u->arg1 = arg1;
	return OOM;
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
	scarce_end(u);
}

void unfinished_await_room(unsigned cpu_id)
{
	struct cpu *cpu = cpu_current();

	cpu->ec->unfinished.crowded = (u16)(cpu_id + 1);
	hazard_set(cpu, HAZARD_CROWD);
}

void unfinished_excuse_slow(struct cpu *cpu)
{
	if (cpu->ec == cpu->rcu_deleter || cpu->ec == cpu->idle_ec)
		return;
	cpu->ec->unfinished.crowded = 0;
	hazard_clear(cpu, HAZARD_CROWD);
}

/* False: the CPU is wanted. One that is lost in sleep takes nothing, and nobody waits for it. */
static bool await_room(struct cpu *cpu, struct unfinished *u)
{
	while (u->crowded && remote_is_crowded(u->crowded - 1u))
		if (is_wanted(cpu))
			return false;
	u->crowded = 0;
	return true;
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
	if (!unfinished_wanted(cpu) && run(cpu, cpu->ec))
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

/* To be called when orphans or keepers have come or gone. */
static void note_keeps(struct cpu *cpu)
{
	bool keeps = !list_empty(&cpu->keepers) || !list_empty(&cpu->orphans);

	__atomic_store_n(&cpu->keeps, keeps, __ATOMIC_RELAXED);
}

/* Moves what is to be dismantled to `dying` or `orphans` of the CPU, which see to it for this hazard. */
static void move_objects(struct cpu *cpu, struct list *from, struct list *to, enum hazard hazard)
{
	if (list_empty(from))
		return;
	list_move_all(from, to);
	hazard_set(cpu, hazard);
	note_keeps(cpu);
}

static void hand_to_ec(struct cpu *cpu, struct unfinished *u)
{
	if (list_empty(&cpu->dying))
		return;
	list_move_all(&cpu->dying, &u->dying);
	list_push_tail(&cpu->keepers, &u->keeper);
	note_keeps(cpu);
}

static void take_from_ec(struct cpu *cpu, struct unfinished *u, struct list *to, enum hazard hazard)
{
	if (list_empty(&u->dying))
		return;
	list_unlink(&u->keeper);
	move_objects(cpu, &u->dying, to, hazard);
}

/* Whether the EC goes on, and certainly has an SC for that: it may have taken its own life, or its SC, or have
 * answered, and those who have helped it lead to it still. */
static bool has_time(const struct cpu *cpu, const struct ec *ec)
{
	if (ec_is_dead(ec) || ec_is_idle_here(cpu, ec))
		return false;
	return runs_on(cpu->sc, ec) || runs_on(cpu->preempted, ec);
}

/* The current EC keeps what is left, but objects to be dismantled only if it has the time. */
static void keep(struct cpu *cpu, struct ec *ec)
{
	struct unfinished *u = &ec->unfinished;
	bool able = has_time(cpu, ec);

	if (!able) {
		space_obj_revoke_leave(&u->revocation);
		move_objects(cpu, &cpu->dying, &cpu->orphans, HAZARD_ORPHANS);
		(void)await_room(cpu, u); /* the idle EC, and those whose CPU has nobody else to run */
		u->crowded = 0;
	}
	hazard_clear(cpu, HAZARD_REAP);
	if (ec_is_dead(ec) || (!able && unfinished_is_over(u)))
		return;
	if (ec->cont != CONT_UNFINISHED)
		u->then = ec->cont;
	ec->cont = CONT_UNFINISHED;
	hand_to_ec(cpu, u);
}

void unfinished_keep(struct cpu *cpu)
{
	bool begun = cpu->hazard & (HAZARD_UNFINISHED | HAZARD_CROWD);

	hazard_clear(cpu, HAZARD_UNFINISHED | HAZARD_CROWD);
	if (begun || !reap_all(cpu))
		keep(cpu, cpu->ec);
}

void unfinished_take_orphans(struct cpu *cpu)
{
	hazard_clear(cpu, HAZARD_ORPHANS);
	move_objects(cpu, &cpu->orphans, &cpu->dying, HAZARD_REAP);
	if (!reap_all(cpu))
		keep(cpu, cpu->ec);
}

void unfinished_resume(struct cpu *cpu, struct ec *ec)
{
	struct unfinished *u = &ec->unfinished;

	take_from_ec(cpu, u, &cpu->dying, HAZARD_REAP); /* for the moment */
	if ((unlikely(u->crowded) && !await_room(cpu, u)) || !run(cpu, ec)) {
		keep(cpu, ec);
		arch_dispatch();
	}
	ec->cont = u->then;
}

void unfinished_disown_slow(struct cpu *cpu, struct unfinished *u)
{
	space_obj_revoke_leave(&u->revocation);
	take_from_ec(cpu, u, &cpu->orphans, HAZARD_ORPHANS);
}

/* ---- Memory is short ---- */

/* What CPUs have given for those who wait for memory. */
static struct {
	struct spinlock lock;
	struct list objects; /* guarded by the lock; without links: nothing was ever given */
} given;

/* One for each CPU. Nobody waits for the flags of one that is lost in sleep. */
static struct {
	struct work question; /* whoever asks */
	bool asked;           /* atomic: the question is in the mailbox */
	bool adopts;          /* atomic: the CPU dismantles what others have given */
} shortage[HEDRON_CPU_MAX];

static void give_locked(struct cpu *cpu)
{
	if (!given.objects.next)
		list_init(&given.objects);
	while (!list_empty(&cpu->keepers)) {
		struct unfinished *u = list_first(&cpu->keepers, struct unfinished, keeper);

		list_move_all(&u->dying, &given.objects);
		list_unlink(&u->keeper);
	}
	list_move_all(&cpu->orphans, &given.objects);
}

/* The ECs stay where they are, and find nothing to be dismantled any more. There are no more keepers than priorities,
 * because whoever keeps something is the first of its priority to go on. */
static void give(struct cpu *cpu)
{
	spin_lock(&given.lock);
	give_locked(cpu);
	spin_unlock(&given.lock);
	note_keeps(cpu);
	hazard_clear(cpu, HAZARD_ORPHANS);
}

static void answer(struct work *w)
{
	struct cpu *cpu = cpu_current();

	(void)w;
	give(cpu);
	__atomic_store_n(&shortage[cpu->id].asked, false, __ATOMIC_RELEASE);
}

static void ask(unsigned n)
{
	if (!__atomic_exchange_n(&shortage[n].asked, true, __ATOMIC_ACQ_REL))
		remote_call(n, &shortage[n].question, answer);
}

void unfinished_ask_for_objects(struct cpu *cpu)
{
	for (unsigned n = 0; n < cpu_count; n++)
		if (n != cpu->id && cpu_online(n) && __atomic_load_n(&arch_cpu(n)->keeps, __ATOMIC_RELAXED))
			ask(n);
	give(cpu);
}

bool unfinished_is_asked(unsigned n)
{
	return __atomic_load_n(&shortage[n].asked, __ATOMIC_ACQUIRE);
}

void unfinished_adopt(struct cpu *cpu)
{
	__atomic_store_n(&shortage[cpu->id].adopts, true, __ATOMIC_RELAXED);
	spin_lock(&given.lock);
	if (given.objects.next)
		move_objects(cpu, &given.objects, &cpu->dying, HAZARD_REAP);
	spin_unlock(&given.lock);
}

void unfinished_has_adopted(struct cpu *cpu)
{
	__atomic_store_n(&shortage[cpu->id].adopts, false, __ATOMIC_RELEASE);
}

bool unfinished_adopts(unsigned n)
{
	return __atomic_load_n(&shortage[n].adopts, __ATOMIC_ACQUIRE);
}

bool unfinished_is_kept_anywhere(void)
{
	for (unsigned n = 0; n < cpu_count; n++)
		if (cpu_online(n) && __atomic_load_n(&arch_cpu(n)->keeps, __ATOMIC_RELAXED))
			return true;
	return false;
}

void unfinished_make_orphan(struct cpu *cpu, struct kobject *o)
{
	list_unlink(&o->dying);
	list_push_tail(&cpu->orphans, &o->dying);
	note_keeps(cpu);
	hazard_set(cpu, HAZARD_ORPHANS);
}

bool unfinished_bury(struct ec *ec)
{
	if (!space_obj_delegate_is_over(&ec->unfinished.delegation))
		give_up(ec);
	unfinished_drop_items(&ec->unfinished);
	return space_obj_revoke_step(&ec->unfinished.revocation);
}
