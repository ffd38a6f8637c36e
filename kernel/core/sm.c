/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/sm.h"

#include "arch/cpu.h"
#include "core/ec.h"
#include "lib/bits.h"
#include "mm/slab.h"
#include "space/pd.h"

static struct slab_cache sm_cache;

void sm_init_cache(void)
{
	slab_init(&sm_cache, "sm", align_up(sizeof(struct sm), KOBJECT_ALIGN), KOBJECT_ALIGN);
}

enum status sm_create(struct pd *parent, u64 count, struct sm **out)
{
	struct sm *sm = slab_take(&sm_cache, &parent->account);
	if (!sm)
		return OOM;
	kobject_init(&sm->obj, KOBJ_SM, &parent->account);
	sm->state = (s64)min_u64(count, SM_COUNT_MAX);
	sm->lock = (struct spinlock){0};
	sm->dead = false;
	sm->unused = 0;
	sm->owed = 0;
	list_init(&sm->waiters);
	*out = sm;
	return SUCCESS;
}

/* Takes an EC out of the queue, because its claim is served, aborted or withdrawn. `sm` is cleared atomically: the
 * EC's CPU reads it without the lock (ec_kill()). */
static always_inline void dequeue_locked(struct ec *ec)
{
	list_unlink(&ec->sm_link);
	__atomic_store_n(&ec->sm, NULL, __ATOMIC_RELAXED);
}

static always_inline struct ec *first_waiter(struct sm *sm)
{
	return list_first(&sm->waiters, struct ec, sm_link);
}

/*
 * Hands one unit over to the claim that the addition has met: to the first in the queue, or to one that is still on
 * its way to the lock. Waking comes after the lock is released and last, so that it is a jump.
 */
void sm_up_slow(struct sm *sm)
{
	spin_lock(&sm->lock);
	if (unlikely(list_empty(&sm->waiters)) || unlikely(sm->owed < 0)) {
		sm->owed++;
		spin_unlock(&sm->lock);
		return;
	}
	struct ec *ec = first_waiter(sm);
	dequeue_locked(ec);
	spin_unlock(&sm->lock);
	ec_wake(cpu_current(), ec, SUCCESS);
}

/*
 * The caller has made a claim. Takes a unit that is owed to it, or queues the EC. A unit that was handed over counts
 * even if the semaphore has ended since. From the moment it is queued the EC may be woken, but on this CPU only, by a
 * work item or by what this CPU does next: so it can be put to sleep after the lock is released.
 */
static always_inline enum status claim_and_unlock(struct sm *sm, struct ec *ec)
{
	enum status s = SUCCESS;

	if (unlikely(sm->owed > 0)) {
		sm->owed--;
	} else if (unlikely(sm->dead)) {
		s = BAD_CAP;
	} else {
		list_push_tail(&sm->waiters, &ec->sm_link);
		ec->sm = sm;
		spin_unlock(&sm->lock);
		ec_block(cpu_current(), ec);
		return SUCCESS;
	}
	spin_unlock(&sm->lock);
	return s;
}

enum status sm_down_slow(struct sm *sm, struct ec *ec)
{
	spin_lock(&sm->lock);
	return claim_and_unlock(sm, ec);
}

/* Takes all free units; if there are none, makes a claim and returns true. Ups and other downs go on meanwhile, hence
 * the loop. */
static bool claim_unless_free(struct sm *sm)
{
	s64 old = __atomic_load_n(&sm->state, __ATOMIC_RELAXED);

	while (!__atomic_compare_exchange_n(&sm->state, &old, old > 0 ? 0 : old - 1, false, __ATOMIC_ACQ_REL,
					    __ATOMIC_RELAXED))
		;
	return old <= 0;
}

enum status sm_down_all(struct sm *sm, struct ec *ec)
{
	if (!claim_unless_free(sm))
		return SUCCESS;
	return sm_down_slow(sm, ec);
}

/*
 * Withdraws the claim of a queued EC. If the sum is positive, each claim had been met by an up that is still about to
 * hand its unit over. One unit has become free with the claim, so the up that comes to the lock first hands nothing
 * over.
 */
static void withdraw_locked(struct sm *sm, struct ec *ec)
{
	dequeue_locked(ec);
	if (__atomic_add_fetch(&sm->state, 1, __ATOMIC_ACQ_REL) > 0)
		sm->owed--;
}

void sm_forget(struct sm *sm, struct ec *ec)
{
	spin_lock(&sm->lock);
	if (ec->sm == sm)
		withdraw_locked(sm, ec);
	spin_unlock(&sm->lock);
}

/* So many waiters are woken at once. tests/interleave has a smaller number. */
#ifndef SM_RETIRE_PIECE
#define SM_RETIRE_PIECE 16
#endif

/* Wakes some waiters with BAD_CAP. `state` keeps counting their claims, which does no harm: only hypercalls that are
 * under way can still look at it. True: there are more. */
static noinline bool abort_waiters_locked(struct sm *sm)
{
	for (unsigned n = 0; n < SM_RETIRE_PIECE && !list_empty(&sm->waiters); n++) {
		struct ec *ec = first_waiter(sm);
		dequeue_locked(ec);
		ec_wake(cpu_current(), ec, BAD_CAP);
	}
	return !list_empty(&sm->waiters);
}

bool sm_retire(struct sm *sm)
{
	bool more = false;

	spin_lock(&sm->lock);
	sm->dead = true;
	if (unlikely(!list_empty(&sm->waiters)))
		more = abort_waiters_locked(sm);
	spin_unlock(&sm->lock);
	if (unlikely(more))
		arch_relax(); /* others may wait for the lock */
	return more;
}

void sm_free(struct sm *sm)
{
	slab_return(&sm_cache, sm, account_named(sm->obj.account));
}
