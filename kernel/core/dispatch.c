/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/dispatch.h"

#include "arch/cpu.h"
#include "arch/machine.h"
#include "arch/switch.h"
#include "core/drain.h"
#include "core/ec.h"
#include "core/exception.h"
#include "core/ipc.h"
#include "core/rcu.h"
#include "core/reap.h"
#include "core/remote.h"
#include "core/sc.h"
#include "core/vcpu.h"
#include "platform/console.h"
#include "space/kobject.h"
#include "trace/trace.h"

/*
 * The current SC makes room for one that outranks it. It waits in cpu->preempted, which counts as the head of its
 * priority's queue: an EC that is woken often sleeps again soon, so entering the queue would be wasted. Only one SC
 * can wait there; an older one, whose priority is lower, goes to the head of its queue.
 */
static always_inline void preempt(struct cpu *cpu, struct sc *current)
{
	struct sc *older = cpu->preempted;
	if (unlikely(older)) {
		older->state = SC_READY;
		sched_enqueue_head(&cpu->sched, &older->link, older->prio);
	}
	dispatch_charge(cpu, current);
	current->state = SC_PREEMPTED;
	cpu->preempted = current;
}

/* An SC that outranks the current one takes its place at once. So no ready SC ever outranks the current one. */
void dispatch_ready(struct cpu *cpu, struct sc *sc)
{
	struct sc *current = cpu->sc;

	TRACE(READY, sc->prio, sc->ec, 0);
	if (likely(current && sc->prio > current->prio)) {
		preempt(cpu, current);
		dispatch_set_current(cpu, sc);
	} else {
		sc->state = SC_READY;
		sched_enqueue_tail(&cpu->sched, &sc->link, sc->prio);
		if (current)
			return;
	}
	hazard_set(cpu, HAZARD_SCHED);
}

/* The `state` of the others stays SC_PARKED: there may be thousands. */
void dispatch_ready_all(struct cpu *cpu, struct sc *sc)
{
	sc->leads = false;
	dispatch_ready(cpu, sc);
	if (list_empty(&sc->peers))
		return;
	list_move_all(&sc->peers, &cpu->sched.queue[sc->prio]);
	sched_mark(&cpu->sched, sc->prio);
}

/* No ready SC outranks the current one (dispatch_ready()), and none of a lower priority may run before it: the queue
 * of its own priority is all there is to look at. */
enum status dispatch_yield(struct cpu *cpu)
{
	struct sc *sc = cpu->sc;
	struct list *equals = &cpu->sched.queue[sc->prio];
	if (likely(!list_empty(equals))) {
		dispatch_charge(cpu, sc);
		sc->state = SC_READY;
		sc = container_of(sched_rotate(equals, &sc->link), struct sc, link);
		dispatch_set_current(cpu, sc);
		hazard_set(cpu, HAZARD_SCHED);
	}
	return SUCCESS;
}

/* The first SC of the highest priority; NULL if the CPU has nothing to do. */
static always_inline struct sc *take_next(struct cpu *cpu)
{
	unsigned top = sched_top(&cpu->sched);
	struct sc *sc = cpu->preempted;
	if (likely(sc && sc->prio >= top)) {
		cpu->preempted = NULL;
	} else if (likely(top)) {
		if (unlikely(cpu->ec == cpu->idle_ec))
			__atomic_store_n(&cpu->sc_since, arch_tsc_twice(),
					 __ATOMIC_RELEASE); /* no SC pays for idling */
		sc = list_first(&cpu->sched.queue[top], struct sc, link);
		sched_dequeue(&cpu->sched, &sc->link, top);
	} else {
		return NULL;
	}
	dispatch_set_current(cpu, sc);
	return sc;
}

#define EC_CANNOT_RUN (EC_DEAD | EC_BLOCKED | EC_DETACHED)

/* The one before `end` in the chain of an SC; NULL: there is none. */
static struct ec *chain_before(const struct sc *sc, const struct ec *end)
{
	struct ec *ec = sc->ec;

	if (ec == end)
		return NULL;
	while (ec->callee != end)
		ec = ec->callee;
	return ec;
}

/* Who is the last one to help in the current SC's chain, if what he helps has answered or ended meanwhile; NULL: he
 * is to go on helping, or nobody helps. */
static struct ec *helper_in_vain(const struct cpu *cpu, const struct ec *end)
{
	bool over = end->special & EC_HELPED && (ec_is_dead(end) || ec_is_idle_here(cpu, end));

	return over ? chain_before(cpu->sc, end) : NULL;
}

__attribute__((noreturn)) static cold void look_closer(struct cpu *cpu, struct ec *ec);

/*
 * The EC that the most important SC runs. If no SC is left that is the idle EC, whose continuation is CONT_IDLE: here
 * it is decided that the CPU may sleep.
 */
static always_inline struct ec *choose(struct cpu *cpu)
{
	struct sc *sc = cpu->sc;
	if (!sc)
		sc = take_next(cpu);
	if (unlikely(!sc))
		return cpu->idle_ec;
	struct ec *ec = sc->ec;
	if (ec->callee)
		ec = ec->callee;
	if (unlikely(ec->callee != NULL) || unlikely(ec->special & (EC_CANNOT_RUN | EC_HELPED)))
		look_closer(cpu, ec);
	return ec;
}

static struct ec *resume(struct cpu *cpu, struct ec *ec);

/* The rare ones: what was interrupted goes on first. */
static noinline struct ec *resume_interrupted(struct cpu *cpu, struct ec *ec)
{
	if (ec->cont == CONT_REPLY)
		return ipc_resume_reply(cpu, ec);
	if (ec->cont == CONT_ITEMS) {
		ipc_take_items(cpu, ec);
		return ec;
	}
	if (ec->cont == CONT_DIE) {
		ec_kill(ec);
		arch_dispatch();
	}
	unfinished_resume(cpu, ec);
	return resume(cpu, ec);
}

/*
 * Resumes the current EC `ec` at its continuation. An EC that leaves through arch_return_syscall() is returned, be it
 * `ec` or the one that `ec` calls; the other continuations end in the architecture's ways out and do not return.
 */
static always_inline struct ec *resume_here(struct cpu *cpu, struct ec *ec)
{
	switch ((enum ec_cont)ec->cont) {
	case CONT_SYSRET:
		break;
	case CONT_IRET:
		arch_return_trap(ec);
	case CONT_CALL:
		return ipc_call(ec->regs.rdi, 0, 0, 0, cpu, ec);
	case CONT_STARTUP:
		return exception_raise(cpu, ec, HEDRON_EXC_STARTUP);
	case CONT_EVENT:
		return exception_raise(cpu, ec, ec->event);
	case CONT_VCPU:
		return arch_vcpu_run(cpu, ec);
	case CONT_IDLE:
		WRITE_ONCE(cpu->vcpu, NULL); /* pokes and flushes need not wake this CPU for its sake */
		if (unlikely(READ_ONCE(console_pending)))
			drain_idle(cpu);
		if (unlikely(rcu_has_ripe(cpu)))
			hazard_set(cpu, HAZARD_RCU);
		arch_idle(cpu, arch_idle_mode());
	default:
		return resume_interrupted(cpu, ec);
	}
	return ec;
}

/* The traced caller records a SYSRET itself; IRET and idle leave from here, so they are recorded here. */
static noinline struct ec *resume_traced(struct cpu *cpu, struct ec *ec)
{
	if (ec->cont == CONT_IRET)
		trace_resume(TRACE_RESUME_IRET, ec);
	else if (ec->cont == CONT_IDLE)
		trace_resume(TRACE_RESUME_IDLE, ec);
	return resume_here(cpu, ec);
}

static noinline struct ec *resume(struct cpu *cpu, struct ec *ec)
{
	if (trace_point(TRACE_BIT(DISPATCH) | TRACE_BIT(RESUME), TRACE_PATH_BIT(DISPATCH)))
		return resume_traced(cpu, ec);
	return resume_here(cpu, ec);
}

static struct ec *reschedule(struct cpu *cpu)
{
	hazard_clear(cpu, HAZARD_SCHED);
	struct ec *ec = choose(cpu);
	return likely(ec != cpu->ec) ? arch_ec_switch(cpu, cpu->ec, ec) : ec;
}

__attribute__((noreturn)) static void run_found(struct cpu *cpu, struct ec *ec)
{
	if (ec != cpu->ec)
		arch_ec_switch(cpu, cpu->ec, ec);
	if (cpu->hazard & HAZARD_RCU)
		rcu_quiesce(cpu);
	arch_return_syscall(resume(cpu, ec));
}

/*
 * The chain of the current SC has led to `ec` by one link at most, and goes on there, or ends in an EC that cannot
 * run or is helped. A chain that is too long is cut. Unless somebody is found who runs the choice begins again, and
 * with it whatever the CPU is wanted for: there may be thousands of such SCs. It is not called for its result, so
 * that choose() has nothing to save.
 */
__attribute__((noreturn)) static cold void look_closer(struct cpu *cpu, struct ec *ec)
{
	struct ec *helper;

	for (unsigned left = EC_CHAIN_MAX - 1; ec->callee && left; left--)
		ec = ec->callee;
	if (ec->callee)
		ec_cut_chain(cpu, ec);
	else if ((helper = helper_in_vain(cpu, ec)))
		ec_unhelp(helper);
	else if (ec->special & EC_CANNOT_RUN)
		ec_park_another(cpu, ec);
	else
		run_found(cpu, ec);
	hazard_set(cpu, HAZARD_SCHED);
	arch_dispatch();
}

/* The handlers of NMIs and machine checks may take no lock. They set hazards, and leave printing and killing to
 * this. */
static noinline cold void see_to_handlers(struct cpu *cpu)
{
	if (cpu->hazard & HAZARD_NMI) {
		hazard_clear(cpu, HAZARD_NMI);
		log_user("NMI from outside on CPU %u",
			 cpu->id); /* whoever runs a passthrough guest there hears of it, too */
	}
	if (cpu->hazard & HAZARD_MCA) {
		hazard_clear(cpu, HAZARD_MCA);
		if (arch_report_errors(cpu))
			ec_kill(cpu->ec);
	}
}

#define LEFT_TO_DO (HAZARD_REAP | HAZARD_UNFINISHED | HAZARD_CROWD)

/*
 * Bits of cpu->attention that run_hazards_slow() sees to: the rare hazards, and any residue, which is the upper half.
 * Bit 31 is no hazard. It is set so that the constant is a sign-extended immediate of 32 bits.
 */
#define RARE (HAZARD_VCPU | LEFT_TO_DO | HAZARD_NMI | HAZARD_MCA | ~0ull << 31)

static cold void run_hazards_slow(struct cpu *cpu)
{
	if (cpu->residue)
		arch_clear_residue(cpu);
	if (cpu->hazard & HAZARD_VCPU) {
		hazard_clear(cpu, HAZARD_VCPU);
		cpu->ec->cont = CONT_VCPU;
	}
	if (cpu->hazard & LEFT_TO_DO)
		unfinished_keep(cpu); /* before work items bring what is not the current EC's */
	if (cpu->hazard & (HAZARD_NMI | HAZARD_MCA))
		see_to_handlers(cpu);
}

/* What work items have brought, and what belongs to no EC. */
static noinline void dismantle(struct cpu *cpu)
{
	if (cpu->hazard & HAZARD_REAP)
		reap_sent(cpu);
	if (cpu->hazard & HAZARD_ORPHANS)
		unfinished_take_orphans(cpu);
}

/*
 * The order matters. Work items and dismantling make ECs ready, so the choice of an EC comes after both. Memory is
 * freed after the choice: until then the current EC may be a dead one, on whose PD's tables this CPU runs.
 */
static noinline struct ec *run_hazards(struct cpu *cpu)
{
	if (unlikely(cpu->attention & RARE))
		run_hazards_slow(cpu);
	if (cpu->hazard & HAZARD_REMOTE) {
		hazard_clear(cpu, HAZARD_REMOTE);
		remote_take(cpu);
	}
	if (cpu->hazard & (HAZARD_REAP | HAZARD_ORPHANS))
		dismantle(cpu);
	if (cpu->hazard & HAZARD_SCHED)
		reschedule(cpu);
	if (cpu->hazard & HAZARD_RCU)
		rcu_quiesce(cpu);
	return resume(cpu, cpu->ec);
}

static noinline struct ec *switch_and_resume(struct cpu *cpu, struct ec *ec)
{
	arch_ec_switch(cpu, cpu->ec, ec);
	return resume(cpu, ec);
}

/* The usual case: one EC has fallen asleep or been woken in a hypercall, and the next one comes out of one. */
struct ec *dispatch_run(struct cpu *cpu)
{
	if (unlikely(cpu->hazard != HAZARD_SCHED)) {
		if (cpu->hazard != HAZARD_VCPU)
			return run_hazards(cpu);
		hazard_clear(cpu, HAZARD_VCPU);
		return arch_vcpu_run(cpu, cpu->ec);
	}
	hazard_clear(cpu, HAZARD_SCHED);
	struct ec *ec = choose(cpu);
	if (unlikely(ec == cpu->ec))
		return resume(cpu, ec);
	if (unlikely(ec->cont != CONT_SYSRET))
		return switch_and_resume(cpu, ec);
	return arch_ec_switch(cpu, cpu->ec, ec);
}
