/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/pio_cut.h"

#include "lib/bits.h"
#include "space/pd.h"
#include "space/pio_lock_set.h"

/*
 * First all ranges are gathered that have a part of the hole, level by level: a list that grows while it is walked.
 * Each PD on the way is locked, so that nothing can come or go below it any more. Then the nodes for what will
 * remain are reserved, and only then something changes.
 */
struct cut {
	struct pio_lock_set locks;
	struct block hole;
	struct pio_node *first, **end; /* linked through `next` */
	struct pio_node *spares;
	u64 parts; /* needed */
};

/* n's source is locked, which guards n->next. */
static void append(struct cut *c, struct pio_node *n)
{
	n->next = NULL;
	*c->end = n;
	c->end = &n->next;
	if (block_exceeds(pio_range_block(n), c->hole))
		c->parts += n->order - c->hole.order;
}

static void append_given(struct cut *c, const struct pd *pd, struct block b)
{
	for (struct pio_node *n = pio_range_given(&pd->pio, b, NULL); n; n = pio_range_given(&pd->pio, b, n))
		append(c, n);
}

/* Finds the hole and the ranges that it starts from. If pd has no range there, no range is gathered, and a hole of
 * order 0 behind `within` ends the caller's walk. False: a lock was not to be had. */
static bool begin(struct cut *c, struct pd *pd, struct block within, u64 at, bool self)
{
	struct pio_node *n;

	c->end = &c->first;
	c->first = NULL;
	c->parts = 0;
	c->hole = (struct block){block_end(within), 0};
	if (!pio_lock_set_add(&c->locks, pd))
		return false;
	n = pio_range_from(&pd->pio, at);
	if (!n || n->held.key >= block_end(within))
		return true;
	c->hole = block_intersection(pio_range_block(n), within);
	if (!self) {
		append_given(c, pd, c->hole);
		return true;
	}
	if (n->source && !pio_lock_set_add(&c->locks, n->source))
		return false;
	append(c, n);
	return true;
}

static bool gather(struct cut *c)
{
	for (struct pio_node *n = c->first; n; n = n->next) {
		if (!pio_lock_set_add(&c->locks, n->pd))
			return false;
		append_given(c, n->pd, block_intersection(pio_range_block(n), c->hole));
	}
	return true;
}

/* Replaces n by what remains of it without the hole. Halving n again and again until the hole is left over gives one
 * remaining half for each order from the hole's up to n's, exclusive. */
static void split(struct cut *c, struct pio_node *n)
{
	pio_range_deny(n, c->hole, true);
	pio_range_remove(n);
	for (unsigned order = c->hole.order; order < n->order; order++)
		pio_range_insert(pio_range_take(&c->spares), n->pd, n->source,
				 block_make(c->hole.base ^ bit(order), order), n->where);
	pio_range_release(n);
}

static void take_away(struct cut *c)
{
	for (struct pio_node *n = c->first; n; n = n->next)
		if (n->where & PIO_GUEST)
			space_pio_stop_guests(n->pd);
	for (struct pio_node *n = c->first, *next; n; n = next) {
		next = n->next;
		if (block_exceeds(pio_range_block(n), c->hole))
			split(c, n);
		else
			pio_range_free(n);
	}
}

enum status pio_cut(struct pd *pd, struct block within, u64 *at, bool self)
{
	struct cut c = {0};
	enum status status;

	while (!begin(&c, pd, within, *at, self) || !gather(&c))
		pio_lock_set_restart(&c.locks);
	status = pio_range_reserve(&c.spares, c.parts);
	if (status == SUCCESS)
		take_away(&c);
	pio_lock_set_release(&c.locks);
	*at = block_end(c.hole);
	return status;
}
