/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Semaphore. `state` is the count while nobody waits: up and down are then one compare-and-swap each. While ECs wait it is
 * SM_WAITERS, and everything happens under the lock.
 * Locking: kobject.lock is for capabilities only; `lock` guards the waiters.
 */
#pragma once

#include "core/kobject.h"

#include <hedron/abi.h>

struct ec;

#define SM_WAITERS   (1ull << 63)
#define SM_COUNT_MAX (SM_WAITERS - 1) /* the count saturates here */

struct sm {
	struct kobject obj;
	u64 state;
	struct spinlock lock;
	bool dead;
	struct list waiters; /* ECs by sm_link, first come first served */
};

enum status sm_create(u64 count, struct sm **out) must_check;
void sm_init_cache(void);

enum status sm_up_slow(struct sm *sm);
enum status sm_down_slow(struct sm *sm, struct ec *ec, bool all);

static always_inline bool sm_swap(struct sm *sm, u64 old, u64 new)
{
	return __atomic_compare_exchange_n(&sm->state, &old, new, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* SUCCESS, always. One sign test tells both "somebody waits" and "the count is at its limit". */
static always_inline enum status sm_up(struct sm *sm)
{
	u64 old = __atomic_load_n(&sm->state, __ATOMIC_RELAXED);
	if (likely((s64)(old + 1) > 0) && likely(sm_swap(sm, old, old + 1)))
		return SUCCESS;
	return sm_up_slow(sm);
}

/*
 * Takes one, or (all) the whole count. At zero the EC is put to sleep; sm_up() wakes it, or the semaphore's end with BAD_CAP.
 * BAD_CAP: the semaphore has ended already.
 */
static always_inline enum status sm_down(struct sm *sm, struct ec *ec, bool all)
{
	u64 old = __atomic_load_n(&sm->state, __ATOMIC_RELAXED);
	if (likely((s64)old > 0) && likely(!all) && likely(sm_swap(sm, old, old - 1)))
		return SUCCESS;
	return sm_down_slow(sm, ec, all);
}

/* An EC that is about to die leaves the queue. */
void sm_forget(struct sm *sm, struct ec *ec);
/* The last capability is gone: waiters wake with BAD_CAP. */
void sm_retire(struct sm *sm);
void sm_free(struct sm *sm);
