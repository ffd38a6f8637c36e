/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages, lengths and rounding. */
#pragma once

#include <stddef.h>

#define RT_PAGE 4096ul /* bytes */
#define RT_ARRAY(a) (sizeof(a) / sizeof((a)[0]))

static inline unsigned long rt_min(unsigned long a, unsigned long b)
{
	return a < b ? a : b;
}

/* Rounds x up to a multiple of `align`, a power of two. */
static inline unsigned long rt_align(unsigned long x, unsigned long align)
{
	return (x + align - 1) & -align;
}
