/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stats.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stdlib.h>

enum { RESAMPLES = 2000 };

/* Both histograms walked together, one bin of equal values after the other. */
struct walk {
	const struct hist *a, *b;
	size_t i, k;
	double in_a, in_b; /* values in the present bin */
};

static bool walk_next(struct walk *w)
{
	const struct bin *a = w->i < w->a->used ? &w->a->bins[w->i] : NULL;
	const struct bin *b = w->k < w->b->used ? &w->b->bins[w->k] : NULL;
	bool take_a = a && (!b || a->lower <= b->lower), take_b = b && (!a || b->lower <= a->lower);

	w->in_a = take_a ? (double)a->count : 0;
	w->in_b = take_b ? (double)b->count : 0;
	w->i += take_a;
	w->k += take_b;
	return take_a || take_b;
}

double stats_mann_whitney(const struct hist *a, const struct hist *b)
{
	struct walk w = {.a = a, .b = b};
	double na = (double)hist_total(a), nb = (double)hist_total(b), n = na + nb;
	double u = 0, ties = 0, below = 0;

	if (na < 1 || nb < 1)
		return 1;
	while (walk_next(&w)) {
		double tied = w.in_a + w.in_b;

		u += w.in_b * (below + w.in_a / 2);
		below += w.in_a;
		ties += tied * (tied * tied - 1);
	}
	double variance = na * nb / 12 * (n + 1 - ties / (n * (n - 1)));

	if (!(variance > 0))
		return 1; /* all values are equal */
	double z = (fabs(u - na * nb / 2) - 0.5) / sqrt(variance);

	return z <= 0 ? 1 : 2 * gsl_cdf_ugaussian_Q(z);
}

double stats_mean_median(const struct sample *boots, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += (double)boots[i].p50;
	return count ? sum / (double)count : 0;
}

static double resampled(gsl_rng *rng, const struct sample *boots, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += (double)boots[gsl_rng_uniform_int(rng, count)].p50;
	return sum / (double)count;
}

struct interval stats_change(const struct sample *a, size_t a_count, const struct sample *b, size_t b_count)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	double *changes = xcalloc(RESAMPLES, sizeof(*changes));
	struct interval interval;

	gsl_rng_set(rng, 1);
	for (size_t i = 0; i < RESAMPLES; i++) {
		double from = resampled(rng, a, a_count), to = resampled(rng, b, b_count);

		changes[i] = 100 * (to - from) / (from > 0 ? from : 1);
	}
	gsl_sort(changes, 1, RESAMPLES);
	interval.low = gsl_stats_quantile_from_sorted_data(changes, 1, RESAMPLES, 0.025);
	interval.high = gsl_stats_quantile_from_sorted_data(changes, 1, RESAMPLES, 0.975);
	free(changes);
	gsl_rng_free(rng);
	return interval;
}
