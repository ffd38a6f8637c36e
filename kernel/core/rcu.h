/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deferred freeing: readers of capabilities, tables and objects take no locks and hold no references, so memory goes
 * back only when no CPU can still use it.
 *
 * A CPU in user mode or asleep uses nothing. A grace period therefore asks the others with an NMI: a CPU in user mode
 * comes in and answers, one in the kernel answers on its way out. Nothing is counted on the hot paths. One grace
 * period runs at a time, for all that was queued when it began.
 */
#pragma once

#include "space/kobject.h"

struct cpu;

/* Calls fn(w) once every CPU has passed through user mode or sleep; on any CPU, on its way out of the kernel. */
void rcu_call(struct work *w, void (*fn)(struct work *));

/* The long way out (HAZARD_RCU): this CPU uses nothing any more. Answers, begins or completes a grace period. */
void rcu_quiesce(struct cpu *cpu);

/* A CPU does not come back from sleep: in its stead, on another. Nobody asks it any more, since it is offline. */
void rcu_lose_cpu(struct cpu *lost);

/* An object is sent to another CPU to be dismantled or freed there; this CPU has done so. */
void rcu_sent(unsigned to);
void rcu_done(void);

/*
 * Memory is short: waits until what is dying now has been freed, on all CPUs. The caller holds no lock and, other
 * than what it refers to, uses nothing. False: there was nothing to wait for.
 */
bool rcu_expedite(struct cpu *cpu);
