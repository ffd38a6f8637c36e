/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/pio_range.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "space/pd.h"

static struct slab_cache pio_cache;

void pio_range_boot(void)
{
	slab_init(&pio_cache, "pio", sizeof(struct pio_node), _Alignof(struct pio_node));
}

struct pio_node *pio_range_at(const struct space_pio *sp, u64 port)
{
	struct pio_node *n = port < PIO_PORTS ? pio_range_of_held(avl_floor(&sp->ranges, (u32)port)) : NULL;

	return n && block_has(pio_range_block(n), port) ? n : NULL;
}

struct pio_node *pio_range_from(const struct space_pio *sp, u64 port)
{
	struct pio_node *n = pio_range_at(sp, port);

	return n ? n : pio_range_of_held(avl_ceiling(&sp->ranges, (u32)port));
}

/* ---- Given ranges ---- */

static u32 given_key(struct block b)
{
	return (u32)b.base << 5 | b.order;
}

static struct pio_node *of_given(struct avl_node *n)
{
	return n ? container_of(n, struct pio_node, given) : NULL;
}

static bool begins_in(struct block b, const struct pio_node *n)
{
	return n && n->held.key >= b.base && n->held.key < block_end(b);
}

/* A given range that contains b and begins before it, of the smallest order there is from `order` up. Ranges of that
 * order that contain b all have the same key, of which this is the first. */
static struct pio_node *given_around(const struct space_pio *sp, struct block b, unsigned order)
{
	for (; order <= PIO_ORDER; order++) {
		struct block around = block_make(b.base, order);
		struct pio_node *n = of_given(avl_ceiling(&sp->given, given_key(around)));
		if (around.base != b.base && n && n->given.key == given_key(around))
			return n;
	}
	return NULL;
}

/* First the ranges that begin in b, then, order by order, those that contain b and begin before it. */
struct pio_node *pio_range_given(const struct space_pio *sp, struct block b, const struct pio_node *behind)
{
	struct pio_node *n = behind ? of_given(avl_next(&behind->given))
				    : of_given(avl_ceiling(&sp->given, given_key((struct block){b.base, 0})));

	if (!behind || begins_in(b, behind))
		return begins_in(b, n) ? n : given_around(sp, b, b.order + 1);
	return n && n->given.key == behind->given.key ? n : given_around(sp, b, behind->order + 1u);
}

/* ---- Bitmaps, trees ---- */

/* Bits of bitmap pages, one per port. */
static void bitmap_set(u8 *const pages[], struct block r, bool value)
{
	if (r.order < 3) {
		u8 *byte = &pages[r.base >> 15][r.base >> 3 & PAGE_MASK];
		u8 mask = (u8)(bits_low(1u << r.order) << (r.base & 7));
		WRITE_ONCE(*byte, (u8)(value ? *byte | mask : *byte & ~mask));
		return;
	}
	for (u64 at = r.base >> 3, end = block_end(r) >> 3; at < end; at = (at | PAGE_MASK) + 1)
		memset(&pages[at >> PAGE_BITS][at & PAGE_MASK], value ? 0xff : 0,
		       min_u64(end, (at | PAGE_MASK) + 1) - at);
}

void pio_range_deny(const struct pio_node *n, struct block r, bool deny)
{
	if (n->where & PIO_HOST)
		bitmap_set(n->pd->pio.host, r, deny);
	if (n->where & PIO_GUEST)
		bitmap_set(n->pd->pio.guest, r, deny);
}

void pio_range_insert(struct pio_node *n, struct pd *pd, struct pd *source, struct block r, unsigned where)
{
	n->pd = pd;
	n->source = source;
	n->where = (u8)where;
	n->order = (u8)r.order;
	n->held.key = (u32)r.base;
	n->given.key = given_key(r);
	avl_insert(&pd->pio.ranges, &n->held);
	if (source)
		avl_insert(&source->pio.given, &n->given);
}

void pio_range_remove(struct pio_node *n)
{
	avl_remove(&n->pd->pio.ranges, &n->held);
	if (n->source)
		avl_remove(&n->source->pio.given, &n->given);
}

void pio_range_free(struct pio_node *n)
{
	pio_range_deny(n, pio_range_block(n), true);
	pio_range_remove(n);
	slab_free(&pio_cache, n);
}

/* ---- Nodes ---- */

struct pio_node *pio_range_take(struct pio_node **spares)
{
	struct pio_node *n = *spares;

	*spares = n->next;
	return n;
}

enum status pio_range_reserve(struct pio_node **spares, u64 count)
{
	for (*spares = NULL; count; count--) {
		struct pio_node *n = slab_alloc(&pio_cache);
		if (!n)
			break;
		n->next = *spares;
		*spares = n;
	}
	if (!count)
		return SUCCESS;
	while (*spares)
		pio_range_release(pio_range_take(spares));
	return OOM;
}

void pio_range_release(struct pio_node *n)
{
	slab_free(&pio_cache, n);
}
