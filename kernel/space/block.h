/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Naturally aligned power-of-two ranges of selectors, ports or pages: two of them are nested or disjoint. */
#pragma once

#include "lib/bits.h"

#include <hedron/crd.h>

struct block {
	u64 base;
	unsigned order;
};

static always_inline struct block block_make(u64 base, unsigned order)
{
	return (struct block){base >> order << order, order};
}

static always_inline struct block block_of_crd(crd_t c)
{
	return block_make(crd_base(c), crd_order(c));
}
static always_inline u64 block_end(struct block r)
{
	return r.base + bit(r.order);
}
static always_inline bool block_has(struct block r, u64 n)
{
	return n >> r.order == r.base >> r.order;
}

static always_inline bool block_overlap(struct block a, struct block b)
{
	return a.order < b.order ? block_has(b, a.base) : block_has(a, b.base);
}

/* The smaller of two blocks that overlap: it lies in the other one. */
static always_inline struct block block_intersection(struct block a, struct block b)
{
	return a.order < b.order ? a : b;
}

/* The first 2^order of a larger range. */
static always_inline struct block block_first(struct block r, unsigned order)
{
	return (struct block){r.base, r.order < order ? r.order : order};
}

/* Whether r contains `part` and more. */
static always_inline bool block_exceeds(struct block r, struct block part)
{
	return r.order > part.order && block_has(r, part.base);
}
