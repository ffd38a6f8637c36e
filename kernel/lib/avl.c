/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/avl.h"

static unsigned side_of(const struct avl_node *n)
{
	return n->parent->child[1] == n;
}

static void set_child(struct avl_node *parent, unsigned side, struct avl_node *child)
{
	parent->child[side] = child;
	if (child)
		child->parent = parent;
}

/* `now` takes the place of `was` below was's parent. */
static void replace(struct avl_tree *t, const struct avl_node *was, struct avl_node *now)
{
	if (was->parent)
		was->parent->child[side_of(was)] = now;
	else
		t->root = now;
	if (now)
		now->parent = was->parent;
}

static int at_least(int v, int least)
{
	return v > least ? v : least;
}
static int at_most(int v, int most)
{
	return v < most ? v : most;
}

/* n goes down to `side`, its child of the other side comes up. The balances follow from the heights before. */
static struct avl_node *rotate(struct avl_tree *t, struct avl_node *n, unsigned side)
{
	struct avl_node *up = n->child[!side];

	replace(t, n, up);
	set_child(n, !side, up->child[side]);
	set_child(up, side, n);
	if (side == 0) {
		n->balance = (int8_t)(n->balance - 1 - at_least(up->balance, 0));
		up->balance = (int8_t)(up->balance - 1 + at_most(n->balance, 0));
	} else {
		n->balance = (int8_t)(n->balance + 1 - at_most(up->balance, 0));
		up->balance = (int8_t)(up->balance + 1 + at_least(n->balance, 0));
	}
	return up;
}

/* One side of n is two higher than the other. Returns what is in n's place then. */
static struct avl_node *rebalance(struct avl_tree *t, struct avl_node *n)
{
	unsigned high = n->balance > 0;

	if (n->child[high]->balance == (high ? -1 : 1))
		rotate(t, n->child[high], high);
	return rotate(t, n, !high);
}

/* The subtree `n` became one higher. */
static void grown(struct avl_tree *t, struct avl_node *n)
{
	for (struct avl_node *p; (p = n->parent); n = p) {
		p->balance = (int8_t)(p->balance + (side_of(n) ? 1 : -1));
		if (p->balance == 0)
			return;
		if (p->balance == 2 || p->balance == -2) {
			rebalance(t, p);
			return;
		}
	}
}

/* The subtree on that side of p became one lower. */
static void shrunk(struct avl_tree *t, struct avl_node *p, unsigned side)
{
	while (p) {
		p->balance = (int8_t)(p->balance + (side ? -1 : 1));
		if (p->balance == 2 || p->balance == -2)
			p = rebalance(t, p);
		if (p->balance != 0 || !p->parent)
			return;
		side = side_of(p);
		p = p->parent;
	}
}

void avl_insert(struct avl_tree *t, struct avl_node *n)
{
	struct avl_node *parent = NULL, **link = &t->root;

	while (*link) {
		parent = *link;
		link = &parent->child[n->key > parent->key];
	}
	n->parent = parent;
	n->child[0] = n->child[1] = NULL;
	n->balance = 0;
	*link = n;
	grown(t, n);
}

/* n has two children: its successor takes its place. Returns where a level was lost, and on which side. */
static struct avl_node *replace_by_successor(struct avl_tree *t, struct avl_node *n, unsigned *side)
{
	struct avl_node *next = n->child[1], *from;

	while (next->child[0])
		next = next->child[0];
	*side = next == n->child[1];
	from = *side ? next : next->parent;
	if (!*side) {
		set_child(from, 0, next->child[1]);
		set_child(next, 1, n->child[1]);
	}
	set_child(next, 0, n->child[0]);
	next->balance = n->balance;
	replace(t, n, next);
	return from;
}

void avl_remove(struct avl_tree *t, struct avl_node *n)
{
	struct avl_node *from = n->parent;
	unsigned side = from && side_of(n);

	if (n->child[0] && n->child[1])
		from = replace_by_successor(t, n, &side);
	else
		replace(t, n, n->child[0] ? n->child[0] : n->child[1]);
	shrunk(t, from, side);
}

struct avl_node *avl_floor(const struct avl_tree *t, u32 key)
{
	struct avl_node *best = NULL;

	for (struct avl_node *n = t->root; n; n = n->child[n->key <= key])
		if (n->key <= key)
			best = n;
	return best;
}

struct avl_node *avl_ceiling(const struct avl_tree *t, u32 key)
{
	struct avl_node *best = NULL;

	for (struct avl_node *n = t->root; n; n = n->child[n->key < key])
		if (n->key >= key)
			best = n;
	return best;
}

struct avl_node *avl_next(const struct avl_node *n)
{
	struct avl_node *next = n->child[1];

	if (!next) {
		while (n->parent && side_of(n))
			n = n->parent;
		return n->parent;
	}
	while (next->child[0])
		next = next->child[0];
	return next;
}
