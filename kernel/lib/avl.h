/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Height-balanced binary search tree of nodes that live in their objects, ordered by a key in the node. Keys are
 * unique. No recursion, no allocation. Locking: the owner's.
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

/* n->key is set by the caller and not in the tree yet. */
void avl_insert(struct avl_tree *t, struct avl_node *n);
void avl_remove(struct avl_tree *t, struct avl_node *n);

/* The node with the largest key <= key, the smallest key >= key; NULL if there is none. */
struct avl_node *avl_floor(const struct avl_tree *t, u32 key);
struct avl_node *avl_ceiling(const struct avl_tree *t, u32 key);
