/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mapping tree: which capability was delegated from which. One list in pre-order plus parent pointers; a child
 * is put directly behind its parent. Nothing here allocates, recurses or knows what the nodes are.
 * Locking: the caller holds the lock of the tree, the object's.
 */
#pragma once

#include "lib/spinlock.h"
#include "space/cap.h"

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

/* The only node below n, which has children; NULL if there are more. */
static always_inline struct mdb_node *mdb_only_child(const struct mdb_node *n)
{
	struct mdb_node *child = n->next, *next = child->next;
	return !next || (next->parent != child && next->parent != n) ? child : NULL;
}

/*
 * A long walk drops the tree's lock every MDB_WALK_NODES nodes; others may then add nodes and take leaves away. At
 * most one walk of a tree is suspended: a second one waits, with the lock released, until `*suspended` is false.
 */
#define MDB_WALK_NODES 512
struct mdb_walk {
	struct spinlock *lock; /* of the tree */
	bool *suspended;       /* guarded by it */
	unsigned left;         /* nodes until the next lock break; MDB_WALK_NODES at first */
};

/*
 * Drops and retakes the lock at `at`. A placeholder child keeps `at` and its ancestors in place. Returns the last
 * node added below `at` meanwhile, or `at`.
 */
struct mdb_node *mdb_lock_break(struct mdb_walk *walk, struct mdb_node *at);

/* Counts a node. True: it is time for a lock break. */
static always_inline bool mdb_lock_break_due(struct mdb_walk *walk)
{
	return unlikely(!--walk->left);
}

/* The last node of the subtree of `top` in list order, `top` itself if it has no children. Linear in the subtree. */
struct mdb_node *mdb_last(struct mdb_node *top, struct mdb_walk *walk);

/* For visiting a subtree backwards, children before parents: the node after `n` in that order. The visit ends at the
 * subtree's top. Asked before n is removed. */
static always_inline struct mdb_node *mdb_back(const struct mdb_node *n)
{
	return n->prev;
}
