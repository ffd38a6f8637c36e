/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Semaphore. `state` is one word, which up and down change by one addition each; the result says what is left to do:
 *
 *   state           | means, once the ups are through  | an up finds it after adding | a down after subtracting
 *   ----------------+----------------------------------+-----------------------------+-------------------------
 *   n > 0           | n free units                     | done                        | done
 *   0               | no unit is free, no down waits   | a waiter is served          | done
 *   -n < 0          | n downs wait, or are about to    | a waiter is served          | the caller waits
 *
 * Serving and waiting happen under the lock, later than the addition; until then `state` already counts them. A down
 * that found no unit has a *claim*, and is in `waiters` only when it has had the lock; an up that has met a claim
 * hands its unit to exactly one. If it comes to the lock before the claim does, it leaves the unit in `owed`. So
 *
 *   state = free units - claims + ups that are about to hand over
 *
 * and a down never wakes anybody, nor can the end of the semaphore overtake a unit that was handed over.
 *
 * Locking: `lock` guards `waiters`, `owed` and `dead`, and sm_link and `sm` of the ECs in `waiters`. obj.lock guards
 * capabilities only.
 */
#pragma once

#include "space/kobject.h"

#include <hedron/abi.h>

struct ec;
struct pd;

#define SM_COUNT_MAX (1ll << 61) /* what a new semaphore can have at most: nobody lives to see it overflow */

struct sm {
	struct kobject obj;
	s64 state; /* atomic */
	struct spinlock lock;
	bool dead;
	u8 unused; /* initialized with the others, so that the compiler makes one store of them */
	/* > 0: units for claims that have not come to the lock yet. < 0: ups that are to hand nothing over, because
	 * the claim that they met was withdrawn and their unit is free. */
	s32 owed;
	struct list waiters; /* ECs by sm_link, first come first served */
};

enum status sm_create(struct pd *parent, u64 count, struct sm **out) must_check;
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

/* As sm_down(), but takes all free units if there are any. */
enum status sm_down_all(struct sm *sm, struct ec *ec);

/* An EC of this CPU that is killed leaves the queue, unless an up on another CPU has taken it out meanwhile. */
void sm_forget(struct sm *sm, struct ec *ec);
/* The last capability is gone: wakes waiters with BAD_CAP, a number of them. A down that is under way and finds no
 * unit gets it, too. True: there are more, it is to be called again. */
bool sm_retire(struct sm *sm) must_check;
void sm_free(struct sm *sm);
