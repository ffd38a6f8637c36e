/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/pio_cut.h"

#include "core/pd.h"
#include "lib/bits.h"

/*
 * Cutting a hole out of a subtree whose ranges may be larger than the hole. A range that contains the hole falls into
 * parts: the halves that remain when it is halved towards the hole, one for each order from the hole's up. Every
 * range beside the hole lies in one part of each range above it, the part of the same level: the highest bit in which
 * it differs from the hole. So one pass through the list deals the nodes out to one list per level, each of which is
 * in pre-order again.
 */
struct cut {
	struct block hole;
	struct pio_node *spares;
	struct {
		struct mdb_node *first, *last;
	} level[PIO_ORDER];
	struct pio_node *split; /* ranges that fell into parts, linked through node.next */
};

static void cut_append(struct cut *c, unsigned level, struct mdb_node *n)
{
	n->prev = c->level[level].last;
	n->next = NULL;
	if (n->prev)
		n->prev->next = n;
	else
		c->level[level].first = n;
	c->level[level].last = n;
}

/* The parent of a node of this level: the part of what its parent fell into. */
static struct mdb_node *cut_parent(struct mdb_node *parent, unsigned level)
{
	struct pio_node *part = parent ? pio_range_of_mdb(parent)->parts : NULL;

	while (part && part->order != level)
		part = part->parts;
	return part ? &part->node : parent;
}

static void cut_split(struct cut *c, struct pio_node *n)
{
	avl_remove(&n->pd->pio.ranges, &n->avl);
	pio_range_deny(n, c->hole, true);
	for (unsigned level = c->hole.order; level < n->order; level++) {
		struct pio_node *part = pio_range_take(&c->spares);
		pio_range_insert(part, n->pd, block_make(c->hole.base ^ bit(level), level), n->where);
		part->node.parent = cut_parent(n->node.parent, level);
		part->parts = n->parts;
		n->parts = part;
		cut_append(c, level, &part->node);
	}
}

static void cut_deal(struct cut *c, struct pio_node *n)
{
	struct block r = pio_range_block(n);

	if (block_exceeds(r, c->hole)) {
		cut_split(c, n);
		n->node.next = c->split ? &c->split->node : NULL;
		c->split = n;
	} else if (block_has(c->hole, r.base)) {
		pio_range_free(n);
	} else {
		unsigned level = bit_highest(r.base ^ c->hole.base);
		n->node.parent = cut_parent(n->node.parent, level);
		cut_append(c, level, &n->node);
	}
}

/* The classes' lists, one behind the other, go between `before` and `after`. */
static void cut_join(struct cut *c, struct mdb_node *before, struct mdb_node *after)
{
	for (unsigned level = 0; level < PIO_ORDER; level++) {
		if (!c->level[level].first)
			continue;
		c->level[level].first->prev = before;
		if (before)
			before->next = c->level[level].first;
		before = c->level[level].last;
	}
	if (before)
		before->next = after;
	if (after)
		after->prev = before;
}

static void cut_finish(struct cut *c)
{
	for (struct pio_node *n = c->split, *next; n; n = next) {
		next = n->node.next ? pio_range_of_mdb(n->node.next) : NULL;
		while (n->parts) {
			struct pio_node *part = n->parts;
			n->parts = part->parts;
			part->parts = NULL;
		}
		pio_range_release(n);
	}
}

static u64 cut_parts(const struct mdb_node *first, const struct mdb_node *after, struct block hole)
{
	u64 count = 0;

	for (const struct mdb_node *n = first; n != after; n = n->next) {
		const struct pio_node *p = container_of(n, const struct pio_node, node);
		count += block_exceeds(pio_range_block(p), hole) ? p->order - hole.order : 0;
	}
	return count;
}

enum status pio_cut(struct pio_node *outer, struct block hole, bool self)
{
	struct mdb_node *before = self ? outer->node.prev : &outer->node;
	struct mdb_node *first = self ? &outer->node : outer->node.next;
	struct mdb_node *after = mdb_last(&outer->node)->next;
	struct cut c = {.hole = hole};

	if (pio_range_reserve(&c.spares, cut_parts(first, after, hole)) != SUCCESS)
		return OOM;
	for (struct mdb_node *n = first, *next; n != after; n = next) {
		next = n->next;
		cut_deal(&c, pio_range_of_mdb(n));
	}
	cut_join(&c, before, after);
	cut_finish(&c);
	return SUCCESS;
}
