/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chooses the SC that runs and the EC that it runs, and does what hazards ask for on the way out of the kernel.
 * Locking: none. All SCs, queues and ECs that are touched here belong to the running CPU.
 */
#pragma once

#include "arch/cpu.h"
#include "core/percpu.h"
#include "core/sc.h"

/*
 * The exit when a hazard is set: dismantles dead objects, chooses an SC and its EC, frees memory. Entered on an empty
 * stack by arch_dispatch(); the current EC has all its registers stored and says in `cont` how it goes on. Returns
 * the EC that goes on through arch_return_syscall(), if it does not go on in another way.
 */
struct ec *dispatch_run(struct cpu *cpu);

/* An SC of this CPU that is new, or whose EC can run again, becomes ready; it runs at once if it outranks the current
 * one. */
void dispatch_ready(struct cpu *cpu, struct sc *sc);
/* The same for one that leads, and for all that are parked behind it. */
void dispatch_ready_all(struct cpu *cpu, struct sc *sc);
/* The current SC goes to the end of its priority's queue. Returns SUCCESS, the status of EC_CTRL. */
enum status dispatch_yield(struct cpu *cpu);

/*
 * The current SC `sc` stops being the current one, and is charged for the time since it became that. The order
 * matters, as does that each word changes by one instruction: sc_consumed() reads them on other CPUs.
 */
static always_inline void dispatch_charge(struct cpu *cpu, struct sc *sc)
{
	u64 now = arch_tsc_twice();

	arch_add_here(&sc->account, now + 1 - cpu->sc_since);
	__atomic_store_n(&cpu->sc_since, now, __ATOMIC_RELEASE);
}

/* `sc` becomes the current one, and pays from cpu->sc_since on. */
static always_inline void dispatch_set_current(struct cpu *cpu, struct sc *sc)
{
	arch_add_here(&sc->account, -1ull);
	cpu->sc = sc;
}

/* Leaves the CPU without a current SC. The caller says where the SC goes: it is in no queue. */
static always_inline void dispatch_drop_current(struct cpu *cpu)
{
	dispatch_charge(cpu, cpu->sc);
	cpu->sc = NULL;
}
