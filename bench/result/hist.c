/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "result/hist.h"

#include "host/mem.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

uint64_t hist_width(const struct hist *hist, uint64_t value)
{
	unsigned bits = HIST_BITS - hist->coarser;

	if (value < 2ull << bits)
		return 1;
	return 1ull << (63 - (unsigned)__builtin_clzll(value) - bits);
}

uint64_t hist_lower(const struct hist *hist, uint64_t value)
{
	return value & -hist_width(hist, value);
}

static bool follows_layout(const struct hist *hist)
{
	for (size_t i = 0; i < hist->used; i++) {
		const struct bin *bin = &hist->bins[i];

		if (bin->lower != hist_lower(hist, bin->lower) || bin->width != hist_width(hist, bin->lower))
			return false;
	}
	return true;
}

bool hist_ascends(const struct hist *hist)
{
	uint64_t total = 0;

	for (size_t i = 0; i < hist->used; i++) {
		const struct bin *bin = &hist->bins[i];

		if (!bin->count || __builtin_add_overflow(total, bin->count, &total))
			return false;
		if (i && bin->lower <= bin[-1].lower)
			return false;
	}
	return true;
}

bool hist_adopt(struct hist *hist)
{
	if (!hist_ascends(hist))
		return false;
	for (hist->coarser = 0; hist->coarser <= HIST_BITS; hist->coarser++)
		if (follows_layout(hist))
			return true;
	hist->coarser = 0;
	return false;
}

uint64_t hist_total(const struct hist *hist)
{
	uint64_t total = 0;

	for (size_t i = 0; i < hist->used; i++)
		total += hist->bins[i].count;
	return total;
}

/* Index of the first bin whose lower bound is not below `lower`. */
static size_t find(const struct hist *hist, uint64_t lower)
{
	size_t low = 0, high = hist->used;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (hist->bins[middle].lower < lower)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void hist_add(struct hist *hist, uint64_t value, uint64_t count)
{
	uint64_t lower = hist_lower(hist, value);
	size_t at = find(hist, lower);

	if (!count)
		return;
	if (at == hist->used || hist->bins[at].lower != lower) {
		hist->bins = xreallocarray(hist->bins, hist->used + 1, sizeof(*hist->bins));
		memmove(&hist->bins[at + 1], &hist->bins[at], (hist->used - at) * sizeof(*hist->bins));
		hist->bins[at] = (struct bin){lower, hist_width(hist, value), 0};
		hist->used++;
	}
	hist->bins[at].count += count;
}

/* Sorts the values into the bins of a coarser layout. */
static void coarsen(struct hist *hist, unsigned coarser)
{
	struct hist out = {.coarser = coarser};

	for (size_t i = 0; i < hist->used; i++)
		hist_add(&out, hist->bins[i].lower, hist->bins[i].count);
	hist_free(hist);
	*hist = out;
}

void hist_coarsen(struct hist *hist, unsigned bits)
{
	if (HIST_BITS - hist->coarser > bits)
		coarsen(hist, HIST_BITS - bits);
}

void hist_merge(struct hist *dst, const struct hist *src)
{
	if (src->coarser > dst->coarser)
		coarsen(dst, src->coarser);
	for (size_t i = 0; i < src->used; i++)
		hist_add(dst, src->bins[i].lower, src->bins[i].count);
}

struct hist hist_copy(const struct hist *src)
{
	struct hist copy = *src;

	copy.bins = xreallocarray(NULL, src->used, sizeof(*src->bins));
	if (src->used)
		memcpy(copy.bins, src->bins, src->used * sizeof(*src->bins));
	return copy;
}

uint64_t hist_ordinal(const struct hist *hist, uint64_t value)
{
	unsigned bits = HIST_BITS - hist->coarser;
	uint64_t power = (uint64_t)__builtin_ctzll(hist_width(hist, value));

	return (power << bits) + (value >> power);
}

uint64_t hist_of_ordinal(const struct hist *hist, uint64_t ordinal)
{
	unsigned bits = HIST_BITS - hist->coarser;
	uint64_t power = ordinal >> bits ? (ordinal >> bits) - 1 : 0;

	return (ordinal - (power << bits)) << power;
}

uint64_t hist_between(const struct hist *hist, uint64_t low, uint64_t high)
{
	uint64_t count = 0;

	for (size_t i = find(hist, low); i < hist->used && hist->bins[i].lower < high; i++)
		count += hist->bins[i].count;
	return count;
}

void hist_subtract(struct hist *dst, const struct hist *src)
{
	size_t kept = 0;

	for (size_t i = 0; i < dst->used; i++) {
		struct bin bin = dst->bins[i];
		size_t at = find(src, bin.lower);
		uint64_t taken = at < src->used && src->bins[at].lower == bin.lower ? src->bins[at].count : 0;

		bin.count -= taken < bin.count ? taken : bin.count;
		if (bin.count)
			dst->bins[kept++] = bin;
	}
	dst->used = kept;
}

uint64_t hist_quantile(const struct hist *hist, double q)
{
	double rank = ceil(q * (double)hist_total(hist));
	uint64_t seen = 0;

	for (size_t i = 0; i < hist->used; i++) {
		seen += hist->bins[i].count;
		if ((double)seen >= rank || i + 1 == hist->used)
			return hist->bins[i].lower + (hist->bins[i].width - 1) / 2;
	}
	return 0;
}

void hist_free(struct hist *hist)
{
	free(hist->bins);
	*hist = (struct hist){0};
}
