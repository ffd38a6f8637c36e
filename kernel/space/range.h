/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Naturally aligned power-of-two ranges of selectors, ports or pages: two of them are nested or disjoint. */
#pragma once

#include "lib/bits.h"

#include <hedron/crd.h>

struct range {
	u64 base;
	unsigned order;
};

static always_inline struct range range_make(u64 base, unsigned order)
{
	return (struct range){base & ~bits_low(order), order};
}

static always_inline struct range range_of_crd(crd_t c)
{
	return range_make(crd_base(c), crd_order(c));
}
static always_inline u64 range_end(struct range r)
{
	return r.base + bit(r.order);
}
static always_inline bool range_has(struct range r, u64 n)
{
	return n >> r.order == r.base >> r.order;
}

static always_inline bool range_overlap(struct range a, struct range b)
{
	return a.order < b.order ? range_has(b, a.base) : range_has(a, b.base);
}

/* Of two that overlap. */
static always_inline struct range range_intersection(struct range a, struct range b)
{
	return a.order < b.order ? a : b;
}

/* The first 2^order of a larger range. */
static always_inline struct range range_first(struct range r, unsigned order)
{
	return (struct range){r.base, r.order < order ? r.order : order};
}
