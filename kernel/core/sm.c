/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/sm.h"

#include "core/ec.h"
#include "lib/bits.h"
#include "mm/slab.h"

static struct slab_cache sm_cache;

void sm_init_cache(void)
{
	slab_init(&sm_cache, "sm", align_up(sizeof(struct sm), KOBJECT_ALIGN), KOBJECT_ALIGN);
}

enum status sm_create(u64 count, struct sm **out)
{
	struct sm *sm = slab_alloc(&sm_cache);
	if (!sm)
		return OOM;
	kobject_init(&sm->obj, KOBJ_SM);
	sm->state = (s64)min_u64(count, SM_COUNT_MAX);
	sm->lock = (struct spinlock){0};
	sm->dead = false;
	list_init(&sm->waiters);
	*out = sm;
	return SUCCESS;
}

static always_inline s64 add(struct sm *sm, s64 n)
{
	return __atomic_add_fetch(&sm->state, n, __ATOMIC_ACQ_REL);
}
static always_inline s64 look(const struct sm *sm)
{
	return __atomic_load_n(&sm->state, __ATOMIC_RELAXED);
}

static always_inline bool swap(struct sm *sm, s64 *old, s64 new)
{
	return __atomic_compare_exchange_n(&sm->state, old, new, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static always_inline void leave_locked(struct sm *sm, struct ec *ec, s64 taken)
{
	list_unlink(&ec->sm_link);
	__atomic_store_n(&ec->sm, NULL, __ATOMIC_RELAXED);
	s64 change = list_empty(&sm->waiters) ? -SM_WAITERS - taken : -taken;
	if (change)
		add(sm, change);
}

static always_inline struct ec *first_waiter(struct sm *sm)
{
	return list_first(&sm->waiters, struct ec, sm_link);
}

/* What came for those who wait goes to them, in their order. */
static always_inline void settle_locked(struct sm *sm)
{
	while (!list_empty(&sm->waiters) && look(sm) > SM_WAITERS) {
		struct ec *ec = first_waiter(sm);
		leave_locked(sm, ec, 1);
		ec_wake(cpu_current(), ec, SUCCESS);
	}
}

/*
 * Somebody waits, or was about to: then he has left again and the count stays. Each up brings one and serves one at
 * most, after the lock is gone: the wake-up is the last thing done.
 */
void sm_up_slow(struct sm *sm)
{
	spin_lock(&sm->lock);
	if (unlikely(list_empty(&sm->waiters)) || unlikely(look(sm) <= SM_WAITERS)) {
		spin_unlock(&sm->lock);
		return;
	}
	struct ec *ec = first_waiter(sm);
	leave_locked(sm, ec, 1);
	spin_unlock(&sm->lock);
	ec_wake(cpu_current(), ec, SUCCESS);
}

static always_inline void wait_locked(struct sm *sm, struct ec *ec)
{
	list_push_tail(&sm->waiters, &ec->sm_link);
	ec->sm = sm;
}

/* Takes from the count, or else becomes a waiter: true. */
static noinline bool take_or_wait_locked(struct sm *sm, struct ec *ec, bool all)
{
	settle_locked(sm);
	for (s64 old = look(sm); list_empty(&sm->waiters);) {
		if (old > 0 && swap(sm, &old, all ? 0 : old - 1))
			return false;
		if (old <= 0 && swap(sm, &old, old + SM_WAITERS))
			break;
	}
	wait_locked(sm, ec);
	return true;
}

/* The usual case: the count was zero, nobody waits, and our own subtraction is all there is to see. */
static always_inline bool wait_as_first_locked(struct sm *sm, struct ec *ec)
{
	s64 ours = -1;
	if (!list_empty(&sm->waiters) || !swap(sm, &ours, SM_WAITERS))
		return false;
	wait_locked(sm, ec);
	return true;
}

/* A waiter may be woken from now on, but only by letter or by this CPU: it can be put to sleep after the lock is
 * gone. */
static always_inline void sleep_and_unlock(struct sm *sm, struct ec *ec)
{
	spin_unlock(&sm->lock);
	ec_block(cpu_current(), ec);
}

static noinline enum status down_locked(struct sm *sm, struct ec *ec, bool all)
{
	if (sm->dead) {
		spin_unlock(&sm->lock);
		return BAD_CAP;
	}
	if (take_or_wait_locked(sm, ec, all))
		sleep_and_unlock(sm, ec);
	else
		spin_unlock(&sm->lock);
	return SUCCESS;
}

enum status sm_down_slow(struct sm *sm, struct ec *ec)
{
	spin_lock(&sm->lock);
	if (unlikely(sm->dead) || unlikely(!wait_as_first_locked(sm, ec))) {
		add(sm, 1);
		return down_locked(sm, ec, false);
	}
	sleep_and_unlock(sm, ec);
	return SUCCESS;
}

enum status sm_down_all(struct sm *sm, struct ec *ec)
{
	spin_lock(&sm->lock);
	return down_locked(sm, ec, true);
}

void sm_forget(struct sm *sm, struct ec *ec)
{
	spin_lock(&sm->lock);
	if (ec->sm == sm)
		leave_locked(sm, ec, 0);
	spin_unlock(&sm->lock);
}

static noinline void abort_waiters_locked(struct sm *sm)
{
	while (!list_empty(&sm->waiters)) {
		struct ec *ec = first_waiter(sm);
		leave_locked(sm, ec, 0);
		ec_wake(cpu_current(), ec, BAD_CAP);
	}
}

void sm_retire(struct sm *sm)
{
	spin_lock(&sm->lock);
	sm->dead = true;
	if (unlikely(!list_empty(&sm->waiters)))
		abort_waiters_locked(sm);
	spin_unlock(&sm->lock);
}

void sm_free(struct sm *sm)
{
	slab_free(&sm_cache, sm);
}
