/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An index of port ranges by a number of 17 bits, in order. Three levels of nodes with 64 children each, whose bits
 * say which there are: what is asked for is found in a few instructions, however many there are, and so is its
 * neighbour.
 *
 * The leaf that was looked at last is the *current* one: what comes next is often beside it. It alone may be empty;
 * other nodes that become so are freed, but for the root. So who gives and takes the same ports again and again does
 * not have to allocate them each time.
 *
 * Locking: the caller's.
 */
#pragma once

#include "lib/bits.h"

struct pio_range;

#define PIO_INDEX_BITS 17
#define PIO_INDEX_LEVEL_BITS 6
#define PIO_INDEX_FANOUT (1u << PIO_INDEX_LEVEL_BITS)

struct pio_index_node {
	u64 used; /* a bit for each child that there is; what else is in the array means nothing */
	union {
		struct pio_index_node *node[PIO_INDEX_FANOUT];
		struct pio_range *range[PIO_INDEX_FANOUT];
	};
};

struct pio_index {
	struct pio_index_node *root; /* NULL until it is used */
	struct pio_index_node *leaf; /* the current one */
	u32 current;                 /* its number, plus 1; or 0 */
	u32 count;                   /* of ranges */
};

/* Boot time. */
void pio_index_boot(void);
/* Frees what nodes an empty index has. */
void pio_index_free(struct pio_index *ix);

/* The child that a number is below, in a leaf; the number of a leaf, which is what its ranges' have in common. */
static always_inline unsigned pio_index_in_leaf(u32 number)
{
	return number & (PIO_INDEX_FANOUT - 1);
}

static always_inline u32 pio_index_leaf_number(u32 number)
{
	return number >> PIO_INDEX_LEVEL_BITS;
}

/* Makes the leaf for a number the current one, if there is one. */
struct pio_index_node *pio_index_leaf_slow(struct pio_index *ix, u32 number);

/* The leaf for a number, or NULL. */
static always_inline struct pio_index_node *pio_index_leaf(struct pio_index *ix, u32 number)
{
	if (likely(ix->current == pio_index_leaf_number(number) + 1))
		return ix->leaf;
	return pio_index_leaf_slow(ix, number);
}

/* The range at a number, or NULL. */
static always_inline struct pio_range *pio_index_get(struct pio_index *ix, u32 number)
{
	const struct pio_index_node *leaf = pio_index_leaf(ix, number);
	unsigned i = pio_index_in_leaf(number);

	return leaf && leaf->used >> i & 1 ? leaf->range[i] : NULL;
}

/* The same where the number's leaf has none. */
struct pio_range *pio_index_floor_slow(const struct pio_index *ix, u32 number);
struct pio_range *pio_index_ceiling_slow(const struct pio_index *ix, u32 number);

/* The range at the highest number up to this one, or NULL. */
static always_inline struct pio_range *pio_index_floor(struct pio_index *ix, u32 number)
{
	const struct pio_index_node *leaf = pio_index_leaf(ix, number);
	u64 children = leaf ? leaf->used & ~(~1ull << pio_index_in_leaf(number)) : 0;

	return likely(children) ? leaf->range[bit_highest(children)] : pio_index_floor_slow(ix, number);
}

/* The range at the lowest number from this one on, or NULL. */
static always_inline struct pio_range *pio_index_ceiling(struct pio_index *ix, u32 number)
{
	const struct pio_index_node *leaf = pio_index_leaf(ix, number);
	u64 children = leaf ? leaf->used & ~0ull << pio_index_in_leaf(number) : 0;

	return likely(children) ? leaf->range[bit_lowest(children)] : pio_index_ceiling_slow(ix, number);
}

/* Makes the leaf for a number the current one. NULL: there is none, and no memory. */
struct pio_index_node *pio_index_leaf_make(struct pio_index *ix, u32 number) must_check;

/* The place for a range at a number. If there was none it is NULL now, and to be filled. NULL: no memory. */
must_check static always_inline struct pio_range **pio_index_make(struct pio_index *ix, u32 number)
{
	struct pio_index_node *leaf = ix->leaf;
	unsigned i = pio_index_in_leaf(number);

	if (unlikely(ix->current != pio_index_leaf_number(number) + 1)) {
		leaf = pio_index_leaf_make(ix, number);
		if (unlikely(!leaf))
			return NULL;
	}
	if (likely(!(leaf->used >> i & 1))) {
		leaf->used |= bit(i);
		leaf->range[i] = NULL;
		ix->count++;
	}
	return &leaf->range[i];
}

/* The place of a range that is there. */
struct pio_range **pio_index_place(struct pio_index *ix, u32 number);

/* Takes out the range at a number, which is there. */
static always_inline void pio_index_remove(struct pio_index *ix, u32 number)
{
	struct pio_index_node *leaf = pio_index_leaf(ix, number);

	if (!leaf)
		unreachable();
	leaf->used &= ~bit(pio_index_in_leaf(number));
	ix->count--;
}
