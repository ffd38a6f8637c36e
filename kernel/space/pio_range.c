/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/pio_range.h"

#include "core/pd.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "mm/slab.h"

static struct slab_cache pio_cache;

void pio_range_boot(void)
{
	slab_init(&pio_cache, "pio", sizeof(struct pio_node), _Alignof(struct pio_node));
}

struct pio_node *pio_range_at(const struct space_pio *sp, u64 port)
{
	struct pio_node *n = port < PIO_PORTS ? pio_range_of_avl(avl_floor(&sp->ranges, (u32)port)) : NULL;

	return n && block_has(pio_range_block(n), port) ? n : NULL;
}

struct pio_node *pio_range_from(const struct space_pio *sp, u64 port)
{
	struct pio_node *n = pio_range_at(sp, port);

	return n ? n : pio_range_of_avl(avl_ceiling(&sp->ranges, (u32)port));
}

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

void pio_range_insert(struct pio_node *n, struct pd *pd, struct block r, unsigned where)
{
	n->pd = pd;
	n->where = (u8)where;
	n->order = (u8)r.order;
	n->parts = NULL;
	n->avl.key = (u32)r.base;
	avl_insert(&pd->pio.ranges, &n->avl);
}

void pio_range_free(struct pio_node *n)
{
	pio_range_deny(n, pio_range_block(n), true);
	avl_remove(&n->pd->pio.ranges, &n->avl);
	slab_free(&pio_cache, n);
}

/* Without children. */
static void pio_range_drop(struct pio_node *n)
{
	mdb_remove(&n->node);
	pio_range_free(n);
}

void pio_range_drop_below(struct pio_node *top, bool self)
{
	for (struct mdb_node *n = mdb_last(&top->node), *back; n != &top->node; n = back) {
		back = mdb_back(n);
		pio_range_drop(pio_range_of_mdb(n));
	}
	if (self)
		pio_range_drop(top);
}

struct pio_node *pio_range_take(struct pio_node **spares)
{
	struct pio_node *n = *spares;

	*spares = n->parts;
	return n;
}

enum status pio_range_reserve(struct pio_node **spares, u64 count)
{
	for (*spares = NULL; count; count--) {
		struct pio_node *n = slab_alloc(&pio_cache);
		if (!n)
			break;
		n->parts = *spares;
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
