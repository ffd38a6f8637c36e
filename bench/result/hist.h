/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log-linear histograms: width 1 below 2 * B, then B bins per power of two, B = 128, so that no bin is wider than
 * 0.8% of its values; a smaller power of two where the line would get too long, and 32 in results of protocol 2 and
 * before (docs/bench-protocol.md). Histograms of several boots merge at the coarser of their layouts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HIST_BITS = 7 };

struct bin {
	uint64_t lower; /* first value in the bin */
	uint64_t width;
	uint64_t count;
};

struct hist {
	struct bin *bins; /* ascending, none empty */
	size_t used;
	unsigned coarser; /* B = 2^(HIST_BITS - coarser) */
};

/* Width and first value of the bin that holds a value. */
uint64_t hist_width(const struct hist *hist, uint64_t value);
uint64_t hist_lower(const struct hist *hist, uint64_t value);

/* Finds the layout of bins that were read from a file or a console; false when they fit none, overlap or are empty.
 */
bool hist_adopt(struct hist *hist);

/* True when bins ascend, none is empty, and the number of values can be told. */
bool hist_ascends(const struct hist *hist);

/* Number of values. */
uint64_t hist_total(const struct hist *hist);

/* Adds count values that are equal to value. */
void hist_add(struct hist *hist, uint64_t value, uint64_t count);

/* Sorts the values into bins of at most 2^bits to a power of two. */
void hist_coarsen(struct hist *hist, unsigned bits);

/* Adds all of src to dst. */
void hist_merge(struct hist *dst, const struct hist *src);

struct hist hist_copy(const struct hist *src);

/* Position of a value's bin among all bins of the layout, the empty ones included; and where a bin begins. */
uint64_t hist_ordinal(const struct hist *hist, uint64_t value);
uint64_t hist_of_ordinal(const struct hist *hist, uint64_t ordinal);

/* Values from low up to, not including, high, as far as bins tell: those whose bin begins there. */
uint64_t hist_between(const struct hist *hist, uint64_t low, uint64_t high);

/* Takes the values of src out of dst, as far as they are there. Both must have the same layout. */
void hist_subtract(struct hist *dst, const struct hist *src);

/* The value of rank ceil(q * total), as the middle of its bin; 0 when there are none. */
uint64_t hist_quantile(const struct hist *hist, double q);

void hist_free(struct hist *hist);
