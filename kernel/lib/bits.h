/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bit arithmetic. */
#pragma once

#include "lib/types.h"

static always_inline u64 bit(unsigned n)
{
	return 1ull << n;
}

/* The low `n` bits; n in 0..64. */
static always_inline u64 bits_low(unsigned n)
{
	return n >= 64 ? ~0ull : (1ull << n) - 1;
}

static always_inline u64 align_down(u64 v, u64 a)
{
	return v & ~(a - 1);
}
static always_inline u64 align_up(u64 v, u64 a)
{
	return (v + a - 1) & ~(a - 1);
}
static always_inline bool is_aligned(u64 v, u64 a)
{
	return !(v & (a - 1));
}

/* Index of the lowest and the highest set bit; v != 0. */
static always_inline unsigned bit_lowest(u64 v)
{
	return (unsigned)__builtin_ctzll(v);
}
static always_inline unsigned bit_highest(u64 v)
{
	return 63u - (unsigned)__builtin_clzll(v);
}

static always_inline u64 min_u64(u64 a, u64 b)
{
	return a < b ? a : b;
}
static always_inline u64 max_u64(u64 a, u64 b)
{
	return a > b ? a : b;
}

/* The largest order of a naturally aligned block at `base` that does not exceed `count` units; count != 0. */
static always_inline unsigned order_fit(u64 base, u64 count)
{
	unsigned most = bit_highest(count);
	return base && bit_lowest(base) < most ? bit_lowest(base) : most;
}

/* Whether the word is not 0, by a comparison in memory: compilers load it first. */
static always_inline bool bits_any(const u32 *word)
{
	bool any;
	__asm__("cmpl $0, %1" : "=@ccne"(any) : "m"(*word));
	return any;
}
