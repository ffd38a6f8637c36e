/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/dispatch.h"

#include "arch/arch.h"
#include "arch_switch.h"
#include "core/ec.h"
#include "core/exception.h"
#include "core/ipc.h"
#include "core/kobject.h"
#include "core/rcu.h"
#include "core/sc.h"

/* The current SC stops paying; it keeps no place anywhere. */
void dispatch_drop_current(struct cpu *cpu)
{
	u64 now = arch_tsc();
	if (cpu->sc)
		cpu->sc->consumed += now - cpu->sc_since;
	cpu->sc_since = now;
	cpu->sc = NULL;
}

static void make_current(struct cpu *cpu, struct sc *sc)
{
	sc->state = SC_RUNNING;
	cpu->sc = sc;
}

void dispatch_ready(struct cpu *cpu, struct sc *sc)
{
	sc->state = SC_READY;
	sched_enqueue_tail(&cpu->sched, sc);
	if (!cpu->sc || sc->prio > cpu->sc->prio)
		cpu->hazard |= HAZARD_SCHED;
}

void dispatch_yield(struct cpu *cpu)
{
	struct sc *sc = cpu->sc;
	if (!sc || sched_top(&cpu->sched) < sc->prio)
		return;
	dispatch_drop_current(cpu);
	sc->state = SC_READY;
	sched_enqueue_tail(&cpu->sched, sc);
	cpu->hazard |= HAZARD_SCHED;
}

static void preempt_if_outranked(struct cpu *cpu)
{
	struct sc *sc = cpu->sc;
	if (!sc || sched_top(&cpu->sched) <= sc->prio)
		return;
	dispatch_drop_current(cpu);
	sc->state = SC_READY;
	sched_enqueue_head(&cpu->sched, sc);
}

/* The SC waits until the EC can run again; for a dead one that is for ever. */
static void park(struct cpu *cpu, struct ec *ec)
{
	struct sc *sc = cpu->sc;
	dispatch_drop_current(cpu);
	sc->state = SC_PARKED;
	list_push_tail(&ec->parked, &sc->link);
}

#define EC_CANNOT_RUN (EC_DEAD | EC_BLOCKED | EC_STUCK)

/* Picks SCs until one has an EC that can run; the idle EC always can. */
static struct ec *choose(struct cpu *cpu)
{
	preempt_if_outranked(cpu);
	for (;;) {
		if (!cpu->sc) {
			struct sc *sc = sched_pop(&cpu->sched);
			if (!sc)
				return cpu->idle_ec;
			make_current(cpu, sc);
		}
		struct ec *ec = ec_chain_end(cpu->sc->ec);
		if (likely(!(ec->special & EC_CANNOT_RUN)))
			return ec;
		park(cpu, ec);
	}
}

__attribute__((noreturn)) static void resume(struct cpu *cpu, struct ec *ec)
{
	switch ((enum ec_cont)ec->cont) {
	case CONT_SYSRET:
		arch_return_syscall(ec);
	case CONT_IRET:
		arch_return_trap(ec);
	case CONT_CALL:
		arch_return_syscall(ipc_call(ec->regs.rdi, ec, cpu));
	case CONT_STARTUP:
		exception_raise(cpu, ec, HEDRON_EXC_STARTUP);
	case CONT_EVENT:
		exception_raise(cpu, ec, ec->event);
	case CONT_IDLE:
		arch_idle(cpu);
	}
	unreachable();
}

void dispatch_run(struct cpu *cpu)
{
	u32 work;
	while ((work = cpu->hazard & (HAZARD_SCHED | HAZARD_REAP))) {
		cpu->hazard &= ~work;
		if (work & HAZARD_REAP)
			kobject_reap(cpu);
		if (work & HAZARD_SCHED) {
			struct ec *ec = choose(cpu);
			if (ec != cpu->ec)
				arch_ec_switch(cpu, cpu->ec, ec);
		}
	}
	if (cpu->hazard & HAZARD_RCU)
		rcu_quiesce(cpu);
	resume(cpu, cpu->ec);
}
