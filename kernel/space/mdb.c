/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/mdb.h"

/*
 * In pre-order the node after `last` either hangs off `last` or one of its ancestors inside the subtree, or the
 * subtree is over. Every step up leaves a level that is never entered again, so all climbing together is at most the
 * steps forward.
 */
struct mdb_node *mdb_last(struct mdb_node *top)
{
	struct mdb_node *last = top;

	for (struct mdb_node *next; (next = last->next); last = next)
		for (struct mdb_node *up = last; up != next->parent; up = up->parent)
			if (up == top)
				return last;
	return last;
}
