/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who runs: from scheduling contexts to execution contexts, and the long way out of the kernel.
 * Everything here belongs to the running CPU.
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

/* A new or woken SC competes for this CPU. */
void dispatch_ready(struct cpu *cpu, struct sc *sc);
/* The current SC goes behind its equals. SUCCESS, always. */
enum status dispatch_yield(struct cpu *cpu);

/* The account of the current SC is settled when another takes over: only then does the time matter. */
static always_inline void dispatch_charge(struct cpu *cpu, struct sc *sc)
{
	u64 now = arch_tsc();
	sc->consumed += now - cpu->sc_since;
	cpu->sc_since = now;
}

/* The current SC stops paying; it keeps no place anywhere. */
static always_inline void dispatch_drop_current(struct cpu *cpu)
{
	dispatch_charge(cpu, cpu->sc);
	cpu->sc = NULL;
}
