/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Peaks of a distribution. Latencies of kernel paths often have several, each a path of its own (a lock that was free
 * or not, a cache line that was there or not); a mean or median between two of them stands for neither.
 */
#pragma once

#include "result/hist.h"

enum { MODES_MAX = 8 };

struct mode {
	uint64_t place;     /* the middle of its highest bin */
	uint64_t low, high; /* its values are from low up to, not including, high */
	double mass;        /* share of all values */
};

/* Finds peaks with at least a twentieth of all values, ascending; their number. */
size_t modes_find(const struct hist *hist, struct mode modes[MODES_MAX]);

/* What went from one place to another between two distributions of the same thing. */
struct mode_shift {
	uint64_t from, to;
	double mass; /* 0: nothing worth mentioning */
};

struct mode_shift modes_shift(const struct hist *a, const struct hist *b);
