/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done with a slot wherever it lies (space/cap.h). Locking: the object's lock guards the word that names it
 * and its tree; space_obj.h says what the space's lock is for.
 */
#pragma once

#include "lib/spinlock.h"
#include "space/cap.h"

/* A word that is read without a lock may change at any time. Under the lock of the object that it names it does not.
 */
static always_inline cap_t slot_read(const struct cap_slot *s)
{
	return __atomic_load_n(&s->cap, __ATOMIC_ACQUIRE);
}
static always_inline void slot_write(struct cap_slot *s, cap_t cap)
{
	__atomic_store_n(&s->cap, cap, __ATOMIC_RELEASE);
}

static always_inline struct cap_slot *slot_of(struct mdb_node *n)
{
	return container_of(n, struct cap_slot, node);
}

/* With the space's lock held. A reserved slot is its own parent. Emptying a slot, which does not take this lock,
 * clears the parent before the word, hence the order of the reads: an empty word that is seen means that the parent
 * is done. */
static always_inline bool slot_is_free_locked(const struct cap_slot *s)
{
	return !slot_read(s) && !s->node.parent;
}

/* Locks the object that c names, which was read from s. False, and no lock: s no longer names it. Its memory is there
 * in any case (core/rcu.h). */
static always_inline bool slot_lock(const struct cap_slot *s, cap_t c)
{
	struct kobject *o = cap_object(c);

	spin_lock(&o->lock);
	if (likely(cap_object(slot_read(s)) == o))
		return true;
	spin_unlock(&o->lock);
	return false;
}

/* The same, but false also if the permissions have changed. */
static inline bool slot_lock_unchanged(const struct cap_slot *s, cap_t c)
{
	struct kobject *o = cap_object(c);

	spin_lock(&o->lock);
	if (likely(slot_read(s) == c))
		return true;
	spin_unlock(&o->lock);
	return false;
}
