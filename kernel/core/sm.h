/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Semaphore. Up and down are one addition to `state` each, whose result tells whether more is to be done:
 *
 *   state after up    > 0   a unit more for whoever comes; done
 *                    <= 0   a down claims it: the up hands it over under the lock
 *   state after down >= 0   a unit was free; done
 *                     < 0   none was: the down has made a claim, and queues under the lock
 *
 * So state = free units - claims + ups that are about to hand over, and each such up serves exactly one claim.
 * Between its addition and the lock a claim is not in the queue yet; an up that finds the queue empty leaves its unit
 * in `owed` for it. A down never wakes anybody, and a unit that was handed over cannot be overtaken by the end of the
 * semaphore.
 *
 * Locking: `lock` guards `waiters`, `owed` and `dead`. kobject.lock is for capabilities only.
 */
#pragma once

#include "space/kobject.h"

#include <hedron/abi.h>

struct ec;

#define SM_COUNT_MAX (1ll << 61) /* what a new semaphore can have at most: nobody lives to see it overflow */

struct sm {
	struct kobject obj;
	s64 state; /* atomic */
	struct spinlock lock;
	bool dead;
	u16 unused; /* written with the others: one store */
	/* > 0: units for claims that have not come to the lock yet. < 0: ups that are to hand nothing over, because
	 * the claim that they met was withdrawn and their unit is free. */
	s32 owed;
	struct list waiters; /* ECs by sm_link, first come first served */
};

enum status sm_create(u64 count, struct sm **out) must_check;
void sm_init_cache(void);

void sm_up_slow(struct sm *sm);
enum status sm_down_slow(struct sm *sm, struct ec *ec);

/* SUCCESS, always. */
static always_inline enum status sm_up(struct sm *sm)
{
	if (unlikely(__atomic_add_fetch(&sm->state, 1, __ATOMIC_ACQ_REL) <= 0))
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
