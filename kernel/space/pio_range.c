/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/pio_range.h"

#include "lib/string.h"
#include "mm/slab.h"
#include "space/pd.h"

struct slab_cache pio_range_cache;

void pio_range_boot(void)
{
	slab_init(&pio_range_cache, "pio", sizeof(struct pio_range), _Alignof(struct pio_range));
	pio_index_boot();
}

/* ---- Held and given ranges ---- */

struct pio_range *pio_range_at_slow(struct space_pio *sp, u64 port)
{
	struct pio_range *n = port < PIO_PORTS ? pio_index_floor(&sp->held, (u32)port) : NULL;

	if (!n || !block_has(pio_range_block(n), port))
		return NULL;
	sp->found = n;
	return n;
}

/* A range of one order, which is given, that overlaps b. */
static always_inline struct pio_range *given_of_order(struct space_pio *sp, struct block b, unsigned order)
{
	struct pio_range *n;

	if (order >= b.order)
		return pio_index_get(&sp->given, pio_range_number(b.base, order));
	n = pio_index_ceiling(&sp->given, pio_range_number(b.base, order));
	return n && n->order == order && n->base < block_end(b) ? n : NULL;
}

struct pio_range *pio_range_given_slow(struct space_pio *sp, struct block b)
{
	struct pio_range *n = NULL;

	for (u32 orders = sp->given_orders; orders && !n; orders &= orders - 1)
		n = given_of_order(sp, b, bit_lowest(orders));
	return n;
}

/* ---- Parts ---- */

/* What is left of n without `part`: halving n again and again until that is left over gives one remaining half for
 * each order from the part's up to n's, exclusive. Links as many ranges, or none. */
static struct pio_range *halves_alloc(const struct pio_range *n, struct block part, struct pd *source)
{
	struct pio_range *all = NULL;

	for (unsigned order = part.order; order < n->order; order++) {
		struct pio_range *half = pio_range_alloc(n->pd);
		if (!half) {
			while ((half = all)) {
				all = half->next;
				pio_range_release(half);
			}
			return NULL;
		}
		*half = *n;
		half->source = source;
		half->base = (u16)block_make(part.base ^ bit(order), order).base;
		half->order = (u8)order;
		half->next = all;
		all = half;
	}
	return all;
}

/* Its place among what the PD holds may still be n's, which begins with the same port. */
static bool half_insert(struct pio_range *half)
{
	struct pio_range **held = pio_index_make(&half->pd->pio.held, half->base), **given;

	if (!held)
		return false;
	given = pio_index_make(&half->source->pio.given, pio_range_number(half->base, half->order));
	if (!given) {
		if (!*held)
			pio_range_drop_held(&half->pd->pio, half);
		return false;
	}
	pio_range_link_given(&half->source->pio, half, half->order, given);
	if (!*held)
		*held = half;
	return true;
}

static void half_remove(const struct pio_range *n, struct pio_range *half)
{
	pio_range_drop_given(half);
	if (half->base != n->base)
		pio_range_drop_held(&half->pd->pio, half);
	pio_range_release(half);
}

/* Puts the part into a place of its own, if that is not n's. */
static bool part_insert(struct pio_range *n, struct block part)
{
	struct pio_range **held = pio_index_make(&n->pd->pio.held, (u32)part.base);

	if (held)
		*held = n;
	return held;
}

enum status pio_range_split(struct pio_range *n, struct block part, struct pd *source)
{
	struct pio_range *spare = halves_alloc(n, part, source), *half;
	struct pio_range *inserted[PIO_ORDER];
	unsigned count = 0;
	bool done = spare;

	while (done && (half = spare)) {
		spare = half->next;
		done = half_insert(half);
		if (done)
			inserted[count++] = half;
		else
			pio_range_release(half);
	}
	if (!done || !part_insert(n, part)) {
		while (count--)
			half_remove(n, inserted[count]);
		for (; (half = spare); pio_range_release(half))
			spare = half->next;
		return OOM;
	}
	while (count--)
		if (inserted[count]->base == n->base)
			*pio_index_place(&n->pd->pio.held, n->base) = inserted[count];
	n->base = (u16)part.base;
	n->order = (u8)part.order;
	return SUCCESS;
}

/* ---- Bitmaps ---- */

/* Of a whole number of bytes. */
void pio_range_fill(u8 *const pages[], struct block r, u8 value)
{
	for (u64 at = r.base >> 3, end = block_end(r) >> 3; at < end; at = (at | PAGE_MASK) + 1)
		memset(&pages[at >> PAGE_BITS][at & PAGE_MASK], value, min_u64(end, (at | PAGE_MASK) + 1) - at);
}
