/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranges of I/O ports, on which space_pio (what PDs do with ports) and pio_revoke (how ports are taken away) work. A
 * range is in two indices: among those that its PD holds, by base, and among those that its source has given, by
 * block.
 *
 * A PD holds a port once, and a range lies in one range of its source. So `source` and the base say which range it is
 * derived from, and that one can fall into parts without a change to those derived from it. A range without a source
 * belongs to a revocation (space/pio_revoke.h), but for the first one.
 *
 * Locking: all of it is guarded by pio_lock.
 */
#pragma once

#include "mm/slab.h"
#include "space/block.h"
#include "space/pd.h"

#include <hedron/abi.h>

struct pio_range {
	struct pio_range *next,
		*previous;      /* others of the same block that the source has given; lists of spare ones */
	struct pd *pd, *source; /* who holds it; whose it was, or NULL */
	u16 base;
	u16 depth; /* how often it has been handed on */
	u8 order;
	u8 where; /* enum pio_where */
};

static always_inline struct block pio_range_block(const struct pio_range *n)
{
	return (struct block){n->base, n->order};
}

/* Boot time. */
void pio_range_boot(void);

/* ---- Held ranges ---- */

/* pio_range_at() when it is not the one that was found last. */
struct pio_range *pio_range_at_slow(struct space_pio *sp, u64 port);

/* The range that covers the port, or NULL. */
static always_inline struct pio_range *pio_range_at(struct space_pio *sp, u64 port)
{
	struct pio_range *n = sp->found;

	return n && block_has(pio_range_block(n), port) ? n : pio_range_at_slow(sp, port);
}

/* The first range that begins at the port or above, or NULL. */
static always_inline struct pio_range *pio_range_begin(struct space_pio *sp, u64 port)
{
	return pio_index_ceiling(&sp->held, (u32)port);
}

/* The first range that covers the port or one above, or NULL. */
static always_inline struct pio_range *pio_range_from(struct space_pio *sp, u64 port)
{
	struct pio_range *n = pio_range_at(sp, port);

	return n ? n : pio_range_begin(sp, port);
}

/* ---- Given ranges ---- */

/* Blocks are numbered as the nodes of a binary tree: those of one order follow each other. */
static always_inline u32 pio_range_number(u64 base, unsigned order)
{
	return (u32)(bit(PIO_ORDER - order) | base >> order);
}

_Static_assert(PIO_ORDER + 1 <= PIO_INDEX_BITS, "all blocks have a number");

struct pio_range *pio_range_given_slow(struct space_pio *sp, struct block b);

/* Some range that the space has given and that overlaps b; NULL: there is none. */
static always_inline struct pio_range *pio_range_given(struct space_pio *sp, struct block b)
{
	return sp->given_orders ? pio_range_given_slow(sp, b) : NULL;
}

/* ---- Changes ---- */

extern struct slab_cache pio_range_cache;

/* Contents are undefined. NULL: no memory. */
must_check static always_inline struct pio_range *pio_range_alloc(struct pd *pd)
{
	struct pio_range *n = (struct pio_range *)slab_take(&pio_range_cache, &pd->account);

	if (likely(n))
		n->pd = pd;
	return n;
}

static always_inline void pio_range_release(struct pio_range *n)
{
	slab_return(&pio_range_cache, n, &n->pd->account);
}

/* `place` is that of n's block among what its source, with this space, has given. */
static always_inline void pio_range_link_given(struct space_pio *sp, struct pio_range *n, unsigned order,
					       struct pio_range **place)
{
	n->previous = NULL;
	n->next = *place;
	if (unlikely(n->next != NULL))
		n->next->previous = n;
	*place = n;
	sp->given_orders |= 1u << order;
}

/* Makes n, of which all but the links is filled in, a range of its PD, derived from its source. OOM: nothing changed.
 */
must_check static always_inline enum status pio_range_insert(struct pio_range *n, struct pd *pd, struct pd *source,
							     u32 base, unsigned order)
{
	struct pio_range **held = pio_index_make(&pd->pio.held, base), **given;

	if (unlikely(!held))
		return OOM;
	given = pio_index_make(&source->pio.given, pio_range_number(base, order));
	if (unlikely(!given)) {
		pio_index_remove(&pd->pio.held, base);
		return OOM;
	}
	*held = n;
	pd->pio.found = n;
	pio_range_link_given(&source->pio, n, order, given);
	return SUCCESS;
}

/* Takes n out of what its PD, with this space, holds. */
static always_inline void pio_range_drop_held(struct space_pio *sp, struct pio_range *n)
{
	if (sp->found == n)
		sp->found = NULL;
	pio_index_remove(&sp->held, n->base);
}

/* Takes n out of what its source has given; it has none then. */
static always_inline void pio_range_drop_given(struct pio_range *n)
{
	struct space_pio *sp = &n->source->pio;
	u32 number = pio_range_number(n->base, n->order);

	n->source = NULL;
	if (unlikely(n->next != NULL))
		n->next->previous = n->previous;
	if (n->previous) {
		n->previous->next = n->next;
	} else if (n->next) {
		*pio_index_place(&sp->given, number) = n->next;
	} else {
		pio_index_remove(&sp->given, number);
		if (!sp->given.count)
			sp->given_orders = 0;
	}
}

/* Cuts n, which has no source any more, to a part of it. The rest become ranges of their own, derived from `source`,
 * in the largest pieces there are. OOM: nothing changed. */
enum status pio_range_split(struct pio_range *n, struct block part, struct pd *source) must_check;

/* ---- Bitmaps ---- */

void pio_range_fill(u8 *const pages[], struct block r, u8 value);

/* Sets or clears bits of bitmap pages, one per port. */
static always_inline void pio_range_bits(u8 *const pages[], u32 base, unsigned order, bool value)
{
	static const u8 masks[] = {1, 3, 15}; /* by order */

	if (unlikely(order >= array_size(masks))) {
		pio_range_fill(pages, (struct block){base, order}, value ? 0xff : 0);
		return;
	}
	u8 *byte = &pages[base >> 15][base >> 3 & PAGE_MASK];
	unsigned mask = (unsigned)masks[order] << (base & 7);
	WRITE_ONCE(*byte, (u8)(value ? *byte | mask : *byte & ~mask));
}

/* Allows or denies ports in what `where` names. */
static always_inline void pio_range_deny(struct space_pio *sp, u32 base, unsigned order, unsigned where, bool deny)
{
	if (likely(where & PIO_HOST))
		pio_range_bits(sp->host, base, order, deny);
	if (unlikely(where & PIO_GUEST))
		pio_range_bits(sp->guest, base, order, deny);
}
