/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/mdb.h"

#include "arch/cpu.h"

/* Nodes that come below `at` meanwhile end up between `at` and the placeholder, because a child is put directly
 * behind its parent. So the last of them is the one before the placeholder. */
struct mdb_node *mdb_lock_break(struct mdb_walk *walk, struct mdb_node *at)
{
	struct mdb_node placeholder, *last;

	mdb_insert_child(at, &placeholder);
	*walk->suspended = true;
	spin_unlock(walk->lock);
	arch_relax();
	spin_lock(walk->lock);
	*walk->suspended = false;
	last = placeholder.prev;
	mdb_remove(&placeholder);
	walk->left = MDB_WALK_NODES;
	return last;
}

/*
 * Whether `next`, which follows `last` in the list, is below `top`: then its parent is `last` or an ancestor of
 * `last` up to `top`. False with *changed: there was a lock break, and another node follows `last` now.
 */
static always_inline bool is_below(struct mdb_node *top, struct mdb_node *last, const struct mdb_node *next,
				   struct mdb_walk *walk, bool *changed)
{
	const struct mdb_node *parent = next->parent;

	for (struct mdb_node *up = last; up != parent; up = up->parent) {
		if (up == top)
			return false;
		if (mdb_lock_break_due(walk)) {
			mdb_lock_break(walk, last);
			*changed = last->next != next || next->parent != parent;
			if (*changed)
				return false;
		}
	}
	return true;
}

/* Each step up in is_below() leaves a level that a step forward has entered, so there are at most as many steps up as
 * forward. */
struct mdb_node *mdb_last(struct mdb_node *top, struct mdb_walk *walk)
{
	struct mdb_node *last = top;

	for (struct mdb_node *next; (next = last->next);) {
		bool changed = false;
		if (is_below(top, last, next, walk, &changed))
			last = next;
		else if (!changed)
			break;
		if (mdb_lock_break_due(walk))
			mdb_lock_break(walk, last);
	}
	return last;
}
