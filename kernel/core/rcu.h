/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deferred freeing: readers of capabilities, tables and objects take no locks and hold no references, so the memory
 * of a dead object is freed only when no CPU can still use it. An object that a hypercall has found is there until
 * its CPU leaves the kernel; who wants it for longer takes a reference (kobject_get()).
 *
 * A CPU in user mode or asleep uses no object. A grace period therefore asks the other CPUs with an NMI: a CPU in
 * user mode comes in and answers, one in the kernel answers on its way out. Nothing is counted on the hot paths. One
 * grace period runs at a time, for all that was queued when it began. What it was for is freed by the CPU that began
 * it, because that one deletes, and not by the one that happens to answer last.
 */
#pragma once

#include "core/percpu.h"
#include "space/kobject.h"

/* Has fn(w) called once every CPU has passed through user mode or sleep: on the CPU that has asked the others for
 * that, on its way out of the kernel, a bounded number each time. */
void rcu_call(struct work *w, void (*fn)(struct work *));
/* The same for what so many pages may depend on that it is not worth waiting for others. */
void rcu_call_large(struct work *w, void (*fn)(struct work *));
/* For `fn`: it has freed so much that it is enough for this time. What comes next is the item behind its own, which
 * was w->next when it was called, or its own once more, if that was only a piece. */
void rcu_stop_before(struct work *w);

/* Something waits on that CPU to be freed: the CPU does so when it is idle, at the latest. */
static always_inline bool rcu_has_ripe(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->rcu_ripe, __ATOMIC_RELAXED);
}

/* For HAZARD_RCU, when this CPU uses no object any more but for its current EC and what that refers to. Answers,
 * begins or completes a grace period, and frees a piece of what is ripe. */
void rcu_quiesce(struct cpu *cpu);

/* Answers in the place of a CPU that does not come back from the machine's sleep. It is offline, so no grace period
 * asks it again. */
void rcu_lose_cpu(struct cpu *lost);

/* For rcu_expedite(): an object is about to be sent to CPU `to` to be dismantled or freed there; this CPU has done so
 * with one that was sent to it. */
void rcu_sent(unsigned to);
void rcu_done(void);

/*
 * Memory is short: waits until what is dying now has been freed, on all CPUs. The caller holds no lock and, other
 * than what it refers to, uses nothing. False: there was nothing to wait for.
 */
bool rcu_expedite(struct cpu *cpu);

/* While waiting for other CPUs without a lock, what they may wait for: two CPUs that both wait must not wait for each
 * other. */
void rcu_help_others(struct cpu *cpu);
