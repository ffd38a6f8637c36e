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
enum status sm_up_slow(struct sm *sm)
{
	struct ec *ec = NULL;

	spin_lock(&sm->lock);
	if (likely(!list_empty(&sm->waiters)) && likely(look(sm) > SM_WAITERS)) {
		ec = first_waiter(sm);
		leave_locked(sm, ec, 1);
	}
	spin_unlock(&sm->lock);
	if (likely(ec))
		ec_wake(cpu_current(), ec, SUCCESS);
	return SUCCESS;
}

static always_inline void wait_locked(struct sm *sm, struct ec *ec)
{
	list_push_tail(&sm->waiters, &ec->sm_link);
	ec->sm = sm;
	ec_block(cpu_current(), ec);
}

/* Takes from the count, or else becomes a waiter. */
static noinline void take_or_wait_locked(struct sm *sm, struct ec *ec, bool all)
{
	settle_locked(sm);
	for (s64 old = look(sm); list_empty(&sm->waiters);) {
		if (old > 0 && swap(sm, &old, all ? 0 : old - 1))
			return;
		if (old <= 0 && swap(sm, &old, old + SM_WAITERS))
			break;
	}
	wait_locked(sm, ec);
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

enum status sm_down_slow(struct sm *sm, struct ec *ec)
{
	enum status s = SUCCESS;

	spin_lock(&sm->lock);
	if (unlikely(sm->dead)) {
		s = BAD_CAP;
	} else if (unlikely(!wait_as_first_locked(sm, ec))) {
		add(sm, 1);
		take_or_wait_locked(sm, ec, false);
	}
	spin_unlock(&sm->lock);
	return s;
}

enum status sm_down_all(struct sm *sm, struct ec *ec)
{
	spin_lock(&sm->lock);
	bool dead = sm->dead;
	if (!dead)
		take_or_wait_locked(sm, ec, true);
	spin_unlock(&sm->lock);
	return dead ? BAD_CAP : SUCCESS;
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
