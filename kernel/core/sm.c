/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/sm.h"

#include "core/ec.h"
#include "lib/bits.h"
#include "mm/slab.h"

static struct slab_cache sm_cache;

void sm_init_cache(void) { slab_init(&sm_cache, "sm", align_up(sizeof(struct sm), KOBJECT_ALIGN), KOBJECT_ALIGN); }

enum status sm_create(u64 count, struct sm **out)
{
	struct sm *sm = slab_alloc(&sm_cache);
	if (!sm)
		return OOM;
	*sm = (struct sm){.obj.type = KOBJ_SM, .state = min_u64(count, SM_COUNT_MAX)};
	list_init(&sm->waiters);
	*out = sm;
	return SUCCESS;
}

static struct ec *take_first_waiter(struct sm *sm)
{
	struct ec *ec = list_first(&sm->waiters, struct ec, sm_link);
	list_remove(&ec->sm_link);
	ec->sm = NULL;
	if (list_empty(&sm->waiters))
		__atomic_store_n(&sm->state, 0, __ATOMIC_RELEASE);
	return ec;
}

/* Somebody waits, or did a moment ago. False: look again. */
static bool up_waiter(struct sm *sm)
{
	struct ec *ec = NULL;
	spin_lock(&sm->lock);
	if (!list_empty(&sm->waiters))
		ec = take_first_waiter(sm);
	spin_unlock(&sm->lock);
	if (ec)
		ec_wake(ec, SUCCESS);
	return ec;
}

enum status sm_up_slow(struct sm *sm)
{
	for (;;) {
		u64 old = __atomic_load_n(&sm->state, __ATOMIC_RELAXED);
		if (unlikely(old & SM_WAITERS)) {
			if (up_waiter(sm))
				return SUCCESS;
		} else if (old == SM_COUNT_MAX || sm_swap(sm, old, old + 1)) {
			return SUCCESS;
		}
	}
}

enum down { DOWN_RETRY, DOWN_WAITS, DOWN_DEAD };

/* The count was zero or somebody waits; if that is no longer so the caller looks again. */
static enum down wait(struct sm *sm, struct ec *ec)
{
	enum down result = DOWN_RETRY;
	spin_lock(&sm->lock);
	if (sm->dead) {
		result = DOWN_DEAD;
	} else if ((sm->state & SM_WAITERS) || sm_swap(sm, 0, SM_WAITERS)) {
		list_push_tail(&sm->waiters, &ec->sm_link);
		ec->sm = sm;
		ec_block(ec);
		result = DOWN_WAITS;
	}
	spin_unlock(&sm->lock);
	return result;
}

enum status sm_down_slow(struct sm *sm, struct ec *ec, bool all)
{
	for (;;) {
		u64 old = __atomic_load_n(&sm->state, __ATOMIC_RELAXED);
		if (unlikely(!old || old & SM_WAITERS)) {
			enum down result = wait(sm, ec);
			if (result != DOWN_RETRY)
				return result == DOWN_DEAD ? BAD_CAP : SUCCESS;
		} else if (likely(sm_swap(sm, old, all ? 0 : old - 1))) {
			return SUCCESS;
		}
	}
}

void sm_forget(struct sm *sm, struct ec *ec)
{
	spin_lock(&sm->lock);
	if (ec->sm == sm) {
		list_remove(&ec->sm_link);
		ec->sm = NULL;
		if (list_empty(&sm->waiters))
			__atomic_store_n(&sm->state, 0, __ATOMIC_RELEASE);
	}
	spin_unlock(&sm->lock);
}

void sm_retire(struct sm *sm)
{
	for (;;) {
		struct ec *ec = NULL;
		spin_lock(&sm->lock);
		sm->dead = true;
		if (!list_empty(&sm->waiters))
			ec = take_first_waiter(sm);
		spin_unlock(&sm->lock);
		if (!ec)
			return;
		ec_wake(ec, BAD_CAP);
	}
}

void sm_free(struct sm *sm) { slab_free(&sm_cache, sm); }
