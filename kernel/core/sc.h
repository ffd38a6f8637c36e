/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scheduling context: priority and accounting, bound to one global EC and its CPU.
 * What it runs is found by following the EC's chain of calls (core/dispatch.h).
 * Locking: all but the kobject belongs to the SC's CPU. Lifetime: refers to its EC.
 */
#pragma once

#include "space/kobject.h"

struct cpu;
struct ec;
struct pd;

/* While it is not the current one (sc_is_current()). */
enum sc_state {
	SC_READY,     /* on its CPU's ready queue */
	SC_PREEMPTED, /* cpu->preempted */
	SC_PARKED, /* with the EC at the end of its chain; or it was there with others, and is on the ready queue now
		    */
	SC_DEAD,
};

/*
 *   CREATE_SC                      taken by the dispatcher            EC at the end of the chain cannot run
 *   ---------->  SC_READY  ------------------------------>   current    ------------------------------>  SC_PARKED
 *                  ^    <---- yields to an equal ----------  |    ^                                        |
 *                  |                                         |    | nobody of a higher priority is ready   |
 *                  |              outranked by a woken SC    v    |                                        |
 *                  +---- another one is preempted --------  SC_PREEMPTED                                   |
 *                  +---------------------------------- the EC can run again -------------------------------+
 *
 *   any  -- sc_retire() -->  SC_DEAD
 *
 * A woken SC that outranks the current one becomes the current one at once.
 */
struct sc {
	struct kobject obj;

	/* immutable after create */
	struct ec *ec;
	u32 cpu_id; /* the EC's */
	u8 prio;
	u32 quantum_us; /* accepted, not enforced: API 13.2 takes no timer interrupt */

	/* its CPU's; others read `account` */
	u8 state;   /* enum sc_state */
	bool leads; /* the first of its priority in ec->parked_more */
	struct list
		link; /* in the ready queue, in a list of the EC that it is parked with, or in another's `peers` */
	struct list peers; /* if it leads: SCs of the same priority that are parked behind it */
	struct work start; /* the work item by which its creator on another CPU starts it */
	/* Twice the TSC ticks up to when it was last charged, less one while it is the current one: so one word says
	 * whether the time since then is still to be added (dispatch_charge(), sc_consumed()). Atomic */
	u64 account;
};

/* Whether it is cpu->sc. */
static always_inline bool sc_is_current(const struct sc *sc)
{
	return sc->account & 1;
}

enum status sc_create(struct pd *parent, struct ec *ec, unsigned prio, u32 quantum_us, struct sc **out) must_check;
void sc_init_cache(void);
/* Lets a new SC compete for its CPU, this one or another. */
void sc_start(struct sc *sc);
/* The last capability is gone: takes it off the CPU and all queues for good. On its CPU (core/reap.c). */
void sc_retire(struct sc *sc);
/* Frees the memory: on its CPU, after the grace period that follows sc_retire(), which a machine with one CPU does
 * not need (core/reap.c). */
void sc_free(struct sc *sc);
/* TSC ticks so far; of an SC that runs on another CPU at the moment, a value of the recent past. */
u64 sc_consumed(const struct sc *sc);
