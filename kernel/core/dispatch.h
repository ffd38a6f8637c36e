/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who runs: from scheduling contexts to execution contexts, and the long way out of the kernel.
 * Everything here belongs to the running CPU.
 */
#pragma once

#include "core/percpu.h"

/*
 * The exit when a hazard is set: dismantles dead objects, chooses an SC and its EC, frees memory. Entered on an empty
 * stack by arch_dispatch(); the current EC has all its registers stored and says in `cont` how it goes on. Returns
 * the EC that goes on through arch_return_syscall(), if it does not go on in another way.
 */
struct ec *dispatch_run(struct cpu *cpu);

/* A new or woken SC competes for this CPU. */
void dispatch_ready(struct cpu *cpu, struct sc *sc);
/* The current SC goes behind its equals. */
void dispatch_yield(struct cpu *cpu);
/* An SC that is on no queue any more: settles its account if it is the current one. */
void dispatch_drop_current(struct cpu *cpu);
