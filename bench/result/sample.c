/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "result/sample.h"

#include "host/error.h"

static bool ordered(const struct sample *s)
{
	return s->min <= s->p50 && s->p50 <= s->p90 && s->p90 <= s->p99 && s->p99 <= s->p999 && s->p999 <= s->max;
}

static bool sum_possible(const struct sample *s)
{
	unsigned __int128 low = (unsigned __int128)s->min * s->n, high = (unsigned __int128)s->max * s->n;

	return low <= s->sum && s->sum <= high;
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
	if (!ordered(s))
		return error_set(error, "min, p50, p90, p99, p999 and max do not ascend");
	if (!hist_adopt(h))
		return error_set(error, "the histogram does not follow the layout of log-linear bins");
	if (hist_total(h) != s->n)
		return error_set(error, "the histogram holds %ju values and n says %ju", (uintmax_t)hist_total(h),
				 (uintmax_t)s->n);
	if (h->bins[0].lower != hist_lower(h, s->min) || h->bins[h->used - 1].lower != hist_lower(h, s->max))
		return error_set(error, "the histogram does not begin at min and end at max");
	if (!sum_possible(s))
		return error_set(error, "the sum is not between n * min and n * max");
	if (!smi_possible(s))
		return error_set(error, "\"smi_hist\" is not a part of \"hist\"");
	return true;
}

/* The middle of a bin may lie outside of what was really seen. */
static uint64_t clamped_quantile(const struct sample *s, double q)
{
	uint64_t value = hist_quantile(&s->hist, q);

	return value < s->min ? s->min : value > s->max ? s->max : value;
}

struct sample sample_merge(const struct sample *samples, size_t count)
{
	struct sample all;

	if (!count)
		return (struct sample){0};
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
	if (count > 1) {
		all.p50 = clamped_quantile(&all, 0.5);
		all.p90 = clamped_quantile(&all, 0.9);
		all.p99 = clamped_quantile(&all, 0.99);
		all.p999 = clamped_quantile(&all, 0.999);
	}
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
