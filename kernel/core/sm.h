/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Semaphore. `state` is the count; while ECs wait, SM_WAITERS is added once, which makes it very negative. Up and
 * down are then a single addition each: the sign of the result tells whether more is to be done. A down that finds
 * nothing has made the count negative for a moment; it takes that back and goes on under the lock, where sm_settle()
 * gives waiters what has come meanwhile. Locking: kobject.lock is for capabilities only; `lock` guards the waiters
 * and the presence of SM_WAITERS.
 */
#pragma once

#include "core/kobject.h"

#include <hedron/abi.h>

struct ec;

#define SM_WAITERS (-(1ll << 62))
#define SM_COUNT_MAX (1ll << 61) /* what a new semaphore can have at most: nobody lives to see it overflow */

struct sm {
	struct kobject obj;
	s64 state; /* atomic */
	struct spinlock lock;
	bool dead;
	struct list waiters; /* ECs by sm_link, first come first served */
};

enum status sm_create(u64 count, struct sm **out) must_check;
void sm_init_cache(void);

void sm_up_slow(struct sm *sm);
enum status sm_down_slow(struct sm *sm, struct ec *ec);

/* SUCCESS, always. */
static always_inline enum status sm_up(struct sm *sm)
{
	if (unlikely(__atomic_add_fetch(&sm->state, 1, __ATOMIC_ACQ_REL) < 0))
		sm_up_slow(sm);
	return SUCCESS;
}

/*
 * Takes one. At zero the EC is put to sleep; sm_up() wakes it, or the semaphore's end with BAD_CAP.
 * BAD_CAP: the semaphore has ended already.
 */
static always_inline enum status sm_down(struct sm *sm, struct ec *ec)
{
	if (likely(__atomic_sub_fetch(&sm->state, 1, __ATOMIC_ACQ_REL) >= 0))
		return SUCCESS;
	return sm_down_slow(sm, ec);
}

/* The same, but takes the whole count. */
enum status sm_down_all(struct sm *sm, struct ec *ec);

/* An EC that is about to die leaves the queue. */
void sm_forget(struct sm *sm, struct ec *ec);
/* The last capability is gone: waiters wake with BAD_CAP. */
void sm_retire(struct sm *sm);
void sm_free(struct sm *sm);
