/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Height-balanced binary search tree of nodes that live in their objects, ordered by a key in the node. Several may
 * have the same key. No recursion, no allocation. Locking: the owner's.
 */
#pragma once

#include "lib/types.h"

struct avl_node {
	struct avl_node *parent, *child[2]; /* smaller, larger */
	u32 key;
	int8_t balance; /* height of child[1] minus height of child[0]: -1, 0, 1 */
};

struct avl_tree {
	struct avl_node *root;
};

/* n->key is set by the caller. */
void avl_insert(struct avl_tree *t, struct avl_node *n);
void avl_remove(struct avl_tree *t, struct avl_node *n);

/* A node with the largest key <= key, the first with the smallest key >= key; NULL if there is none. */
struct avl_node *avl_floor(const struct avl_tree *t, u32 key);
struct avl_node *avl_ceiling(const struct avl_tree *t, u32 key);

/* The one behind n in order, or NULL. */
struct avl_node *avl_next(const struct avl_node *n);
