/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/mdb.h"

#include "arch/cpu.h"

/* Children that `at` gets in the pause are put before the mark, as are those below them. */
struct mdb_node *mdb_pause(struct mdb_turn *t, struct mdb_node *at)
{
	struct mdb_node mark, *last;

	mdb_insert_child(at, &mark);
	*t->paused = true;
	spin_unlock(t->lock);
	arch_relax();
	spin_lock(t->lock);
	*t->paused = false;
	last = mark.prev;
	mdb_remove(&mark);
	t->left = MDB_TURN;
	return last;
}

/*
 * Whether `next`, which follows `last`, is below `top`: then it hangs off `last` or one above. False with *changed:
 * something else follows after a pause.
 */
static always_inline bool is_below(struct mdb_node *top, struct mdb_node *last, const struct mdb_node *next,
				   struct mdb_turn *t, bool *changed)
{
	const struct mdb_node *parent = next->parent;

	for (struct mdb_node *up = last; up != parent; up = up->parent) {
		if (up == top)
			return false;
		if (mdb_turn_over(t)) {
			mdb_pause(t, last);
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
struct mdb_node *mdb_last(struct mdb_node *top, struct mdb_turn *t)
{
	struct mdb_node *last = top;

	for (struct mdb_node *next; (next = last->next);) {
		bool changed = false;
		if (is_below(top, last, next, t, &changed))
			last = next;
		else if (!changed)
			break;
		if (mdb_turn_over(t))
			mdb_pause(t, last);
	}
	return last;
}
