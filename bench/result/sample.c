/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "result/sample.h"

#include "host/error.h"
#include "host/mem.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static bool ordered(const struct sample *s)
{
	return s->min <= s->p50 && s->p50 <= s->p90 && s->p90 <= s->p99 && s->p99 <= s->p999 && s->p999 <= s->max;
}

/* No value is outside of its bin, nor below min or above max. */
static bool sum_possible(const struct sample *s)
{
	unsigned __int128 low = 0, high = 0;

	for (size_t i = 0; i < s->hist.used; i++) {
		const struct bin *bin = &s->hist.bins[i];
		uint64_t last = bin->lower + (bin->width - 1);

		low += (unsigned __int128)(bin->lower > s->min ? bin->lower : s->min) * bin->count;
		high += (unsigned __int128)(last < s->max ? last : s->max) * bin->count;
	}
	return low <= s->sum && s->sum <= high;
}

uint64_t sample_rank(const struct sample *s, unsigned permille)
{
	uint64_t rank = (uint64_t)(((unsigned __int128)s->n * permille + 999) / 1000);

	return rank ? rank : 1;
}

/* The value of this rank is in the bin that holds that rank: verdicts take one and tests the other. */
static bool rank_fits(const struct sample *s, unsigned permille, uint64_t value)
{
	uint64_t rank = sample_rank(s, permille), seen = 0;
	size_t i = 0;

	while (i < s->hist.used && (seen += s->hist.bins[i].count) < rank)
		i++;
	return i < s->hist.used && s->hist.bins[i].lower == hist_lower(&s->hist, value);
}

static bool quantiles_fit(const struct sample *s)
{
	return rank_fits(s, 500, s->p50) && rank_fits(s, 900, s->p90) && rank_fits(s, 990, s->p99) &&
	       rank_fits(s, 999, s->p999);
}

/* Tagged windows are windows: each bin has at most as many. */
static bool smi_possible(struct sample *s)
{
	struct hist rest;
	bool good;

	s->smi.coarser = s->hist.coarser;
	if (!hist_ascends(&s->smi))
		return false;
	rest = hist_copy(&s->hist);
	hist_subtract(&rest, &s->smi);
	good = hist_total(&rest) + hist_total(&s->smi) == s->n;
	hist_free(&rest);
	return good;
}

bool sample_check(struct sample *s, struct error *error)
{
	struct hist *h = &s->hist;

	if (!s->n || !s->batch)
		return error_set(error, "n and batch must be at least 1");
	if (s->per > SAMPLE_PER_MAX || (s->per && s->batch % s->per))
		return error_set(error, "\"per\" must be a part of \"batch\", at most %d", SAMPLE_PER_MAX);
	if (!ordered(s))
		return error_set(error, "min, p50, p90, p99, p999 and max do not ascend");
	if (!hist_adopt(h))
		return error_set(error, "the histogram does not follow the layout of log-linear bins");
	if (hist_total(h) != s->n)
		return error_set(error, "the histogram holds %ju values and n says %ju", (uintmax_t)hist_total(h),
				 (uintmax_t)s->n);
	if (h->bins[0].lower != hist_lower(h, s->min) || h->bins[h->used - 1].lower != hist_lower(h, s->max))
		return error_set(error, "the histogram does not begin at min and end at max");
	if (!quantiles_fit(s))
		return error_set(
			error, "p50, p90, p99 and p999 are not in the bins of the histogram that they should be in");
	if (!sum_possible(s))
		return error_set(error, "the values of the histogram cannot have this sum");
	if (!smi_possible(s))
		return error_set(error, "\"smi_hist\" is not a part of \"hist\"");
	return true;
}

#define MEAN(samples, count, field) mean(samples, count, offsetof(struct sample, field))

static uint64_t mean(const struct sample *samples, size_t count, size_t offset)
{
	unsigned __int128 sum = count / 2; /* rounds */

	for (size_t i = 0; i < count; i++)
		sum += *(const uint64_t *)((const char *)&samples[i] + offset);
	return (uint64_t)(sum / count);
}

uint64_t sample_whole_ticks(const struct sample *s, uint64_t number)
{
	uint64_t per = s->per ? s->per : 1;

	return number / per + (number % per >= per - per / 2);
}

/* A tenth of a thousandth of the value is less than any counter tells. */
void sample_ticks_text(double ticks, char out[32])
{
	double size = fabs(ticks);
	int places = fabs(ticks - round(ticks)) < 0.005 || size >= 1000 ? 0 : size < 100 ? 2 : 1;

	snprintf(out, 32, "%.*f", places, ticks);
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
	return b ? gcd(b, a % b) : a;
}

/* Boots choose their own, mostly powers of two of each other. Where they have no small multiple in common, a fine one
 * will do. */
uint64_t sample_common_per(const struct sample *samples, size_t count)
{
	const uint64_t most = 1ull << 20;
	uint64_t per = 1;

	for (size_t i = 0; i < count && per < most; i++)
		per *= samples[i].per ? samples[i].per / gcd(per, samples[i].per) : 1;
	return per < most ? per : most;
}

struct ratio {
	uint64_t to, from;
};

static uint64_t scaled(uint64_t number, const struct ratio *ratio)
{
	unsigned __int128 result = (unsigned __int128)number * ratio->to / ratio->from;

	return result < INT64_MAX ? (uint64_t)result : INT64_MAX;
}

static struct hist scaled_hist(const struct hist *from, const struct ratio *ratio)
{
	struct hist hist = {.coarser = from->coarser};

	for (size_t i = 0; i < from->used; i++) {
		const struct bin *bin = &from->bins[i];

		hist_add(&hist, scaled(bin->lower + (bin->width - 1) / 2, ratio), bin->count);
	}
	return hist;
}

struct sample sample_given_per(const struct sample *from, uint64_t per)
{
	struct sample s = sample_copy(from);
	const struct ratio ratio = {per, from->per ? from->per : 1};
	uint64_t *numbers[] = {&s.min, &s.p50, &s.p90, &s.p99, &s.p999, &s.max, &s.sum};

	if (ratio.to == ratio.from)
		return s;
	s.per = per > 1 ? per : 0;
	for (size_t i = 0; i < array_size(numbers); i++)
		*numbers[i] = scaled(*numbers[i], &ratio);
	hist_free(&s.hist);
	hist_free(&s.smi);
	s.hist = scaled_hist(&from->hist, &ratio);
	s.smi = scaled_hist(&from->smi, &ratio);
	s.order_count = 0;
	return s;
}

static struct sample merge_alike(const struct sample *samples, size_t count)
{
	struct sample all;

	all = sample_copy(&samples[0]);
	for (size_t i = 1; i < count; i++) {
		const struct sample *s = &samples[i];

		all.n += s->n;
		if (__builtin_add_overflow(all.sum, s->sum, &all.sum))
			all.sum = INT64_MAX; /* the largest number JSON keeps */
		all.min = s->min < all.min ? s->min : all.min;
		all.max = s->max > all.max ? s->max : all.max;
		all.batch = s->batch < all.batch ? s->batch : all.batch;
		all.overhead = s->overhead < all.overhead ? s->overhead : all.overhead;
		hist_merge(&all.hist, &s->hist);
		hist_merge(&all.smi, &s->smi);
		all.smi_known = all.smi_known && s->smi_known;
	}
	all.order_count = count > 1 ? 0 : all.order_count;
	all.p50 = MEAN(samples, count, p50);
	all.p90 = MEAN(samples, count, p90);
	all.p99 = MEAN(samples, count, p99);
	all.p999 = MEAN(samples, count, p999);
	return all;
}

struct sample sample_merge(const struct sample *samples, size_t count)
{
	struct sample *alike, all;
	uint64_t per = sample_common_per(samples, count);

	if (!count)
		return (struct sample){0};
	alike = xcalloc(count, sizeof(*alike));
	for (size_t i = 0; i < count; i++)
		alike[i] = sample_given_per(&samples[i], per);
	all = merge_alike(alike, count);
	for (size_t i = 0; i < count; i++)
		sample_free(&alike[i]);
	free(alike);
	return all;
}

struct sample sample_copy(const struct sample *sample)
{
	struct sample copy = *sample;

	copy.hist = hist_copy(&sample->hist);
	copy.smi = hist_copy(&sample->smi);
	return copy;
}

void sample_free(struct sample *sample)
{
	hist_free(&sample->hist);
	hist_free(&sample->smi);
}
