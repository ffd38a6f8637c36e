/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/mdb.h"

#include "arch/cpu.h"

/* Children that `at` gets meanwhile are put before the placeholder, as are those below them. */
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
 * Whether `next`, which follows `last`, is below `top`: then it hangs off `last` or one above. False with *changed:
 * something else follows after a lock break.
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

/*
 * Every step up leaves a level that is never entered again, so all climbing together is at most the steps forward.
 */
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
