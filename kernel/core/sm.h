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
void sm_up(struct sm *sm);
/*
 * Takes one, or (all) the whole count. At zero the EC is put to sleep; sm_up() wakes it, or the semaphore's end with BAD_CAP.
 * BAD_CAP: the semaphore has ended already.
 */
enum status sm_down(struct sm *sm, struct ec *ec, bool all);
/* An EC that is about to die leaves the queue. */
void sm_forget(struct sm *sm, struct ec *ec);
/* The last capability is gone: waiters wake with BAD_CAP. */
void sm_retire(struct sm *sm);
void sm_free(struct sm *sm);
