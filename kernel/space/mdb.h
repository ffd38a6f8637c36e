/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mapping tree: which capability was delegated from which. One list in pre-order plus parent pointers; a child
 * is put directly behind its parent. Nothing here allocates, recurses or knows what the nodes are.
 * Locking: the caller holds the lock of the tree, the object's.
 */
#pragma once

#include "space/cap.h"

#define MDB_ALIGN 32

/* Makes n the root of a new tree. */
static always_inline void mdb_insert_root(struct mdb_node *n)
{
	n->parent = n->prev = n->next = NULL;
}

/* Puts n behind `at` in the list. The caller sets the parent. */
static always_inline void mdb_link_behind(struct mdb_node *at, struct mdb_node *n)
{
	n->prev = at;
	n->next = at->next;
	if (n->next)
		n->next->prev = n;
	at->next = n;
}

static always_inline void mdb_insert_child(struct mdb_node *parent, struct mdb_node *n)
{
	n->parent = parent;
	mdb_link_behind(parent, n);
}

/* n must have no children. Leaves n->parent NULL, which together with an empty word says that the slot is free. */
static always_inline void mdb_remove(struct mdb_node *n)
{
	if (n->prev)
		n->prev->next = n->next;
	if (n->next)
		n->next->prev = n->prev;
	n->parent = NULL;
}

static always_inline bool mdb_is_leaf(const struct mdb_node *n)
{
	return !n->next || n->next->parent != n;
}

/* Whether only one node is below n, which has children; it may be a place. */
static always_inline bool mdb_has_only_child(const struct mdb_node *n)
{
	const struct mdb_node *child = n->next, *next = child->next;
	return !next || (next->parent != child && next->parent != n);
}

/*
 * Where somebody is who walks through a tree and lets others at it meanwhile: a node among the others, which has no
 * children. So the list stays a tree in pre-order, and whoever meets a place passes over it. `node.prev` is the node
 * that was visited last, and `node.parent` the one whose children are being visited.
 */
struct mdb_place {
	struct mdb_node node;
	struct mdb_node *top; /* the subtree that is walked through; NULL: it has gone meanwhile */
} aligned(MDB_ALIGN);

/* Places are told from capabilities by their address: a capability's node is in the middle of its slot. */
_Static_assert(sizeof(struct cap_slot) == MDB_ALIGN && offsetof(struct cap_slot, node) % MDB_ALIGN == 8,
	       "no node of a slot has the address of a place");
static always_inline bool mdb_is_place(const struct mdb_node *n)
{
	return !((u64)n % MDB_ALIGN);
}

/*
 * A walk through the subtree of `top`, parents before children: `at` is the node that was visited last, `up` the one
 * whose children are being visited. A step does the same little work whatever the tree looks like, and each node is
 * entered once and left once.
 */
struct mdb_walk {
	struct mdb_node *top, *at, *up;
};

enum mdb_step {
	MDB_ENTER, /* `up`, which is `at`, is new */
	MDB_PASS,  /* nothing to do */
	MDB_LEAVE, /* all below `up` has been visited; what is next is mdb_leave(), or mdb_leave_removed() */
};

static always_inline struct mdb_walk mdb_walk(struct mdb_node *top)
{
	return (struct mdb_walk){top, top, top};
}

static always_inline enum mdb_step mdb_step(struct mdb_walk *w)
{
	struct mdb_node *next = w->at->next;

	if (!next || next->parent != w->up)
		return MDB_LEAVE;
	w->at = next;
	if (unlikely(mdb_is_place(next)))
		return MDB_PASS;
	w->up = next;
	return MDB_ENTER;
}

/* `up` stays. False: it is the top, and the walk is over. */
static always_inline bool must_check mdb_leave(struct mdb_walk *w)
{
	if (w->up == w->top)
		return false;
	w->up = w->up->parent;
	return true;
}

/* The same, but takes `up`, a leaf, out of the list. */
bool mdb_leave_removed(struct mdb_walk *w) must_check;

/* All below `up` has been visited. Whether nothing is left there; or somebody's place comes last. */
static always_inline bool mdb_is_empty(const struct mdb_walk *w)
{
	return w->at == w->up;
}
static always_inline bool mdb_ends_with_place(const struct mdb_walk *w)
{
	return mdb_is_place(w->at) && w->at->parent == w->up;
}

/* Moves that place before `up`, so that `up` can be removed: its owner, who was through with all below `up`, comes by
 * there once more if it is still there then. If it was the subtree of `up` that he walked through, that is over. */
void mdb_lift_place(struct mdb_walk *w);

/* Between two steps: others may get the tree's lock. The second says where the walk is now; false: its top has gone.
 */
void mdb_pause(struct mdb_place *p, const struct mdb_walk *w);
bool mdb_resume(struct mdb_place *p, struct mdb_walk *w) must_check;

/* For a walk upwards: a place that stays below `n`, or, if that is removed, below the nearest node above it that is
 * left. The second returns that one, or NULL. */
void mdb_hang(struct mdb_place *p, struct mdb_node *n);
struct mdb_node *mdb_unhang(struct mdb_place *p);
