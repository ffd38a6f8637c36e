/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stats/stats.h"

#include "host/mem.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stdlib.h>

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

double stats_superiority(const struct hist *a, const struct hist *b)
{
	struct walk w = {.a = a, .b = b};
	double na = (double)hist_total(a), nb = (double)hist_total(b), u = 0, below = 0;

	if (na < 1 || nb < 1)
		return 0.5;
	while (walk_next(&w)) {
		u += w.in_b * (below + w.in_a / 2);
		below += w.in_a;
	}
	return u / (na * nb);
}

/* Degrees of freedom of a difference of means with these variances (Welch and Satterthwaite). */
static double freedom(double va, size_t na, double vb, size_t nb)
{
	double a = na > 1 ? va * va / (double)(na - 1) : 0, b = nb > 1 ? vb * vb / (double)(nb - 1) : 0;

	return a + b > 0 ? (va + vb) * (va + vb) / (a + b) : 1;
}

/*
 * A boot's mean rank among all values follows from its placement among them: mean rank = n * placement + 1/2. Ties
 * lessen the variance.
 */
double stats_kruskal_wallis(const struct boots *boots)
{
	double n = (double)hist_total(boots->merged), sum = 0, ties = 0;

	if (boots->count < 2 || n < 2)
		return 1;
	for (size_t i = 0; i < boots->count; i++) {
		const struct hist *hist = &boots->samples[i].hist;
		double mean_rank = n * stats_superiority(boots->merged, hist) + 0.5;

		sum += (double)hist_total(hist) * mean_rank * mean_rank;
	}
	for (size_t i = 0; i < boots->merged->used; i++) {
		double tied = (double)boots->merged->bins[i].count;

		ties += tied * (tied * tied - 1);
	}
	double correction = 1 - ties / (n * (n * n - 1));
	double h = 12 / (n * (n + 1)) * sum - 3 * (n + 1);

	return correction > 0 ? gsl_cdf_chisq_Q(h > 0 ? h / correction : 0, (double)(boots->count - 1)) : 1;
}

/* Pairs of equal values are no evidence for either direction and lessen the variance. */
static double trend_variance(const uint64_t *values, size_t count)
{
	double n = (double)count, variance = n * (n - 1) * (2 * n + 5);

	for (size_t i = 0; i < count; i++) {
		size_t equal = 0;

		for (size_t k = 0; k < count; k++)
			equal += values[k] == values[i];
		/* each of a group of t equal values adds its share of t (t - 1) (2 t + 5) */
		variance -= (double)(equal - 1) * (2 * (double)equal + 5);
	}
	return variance / 18;
}

double stats_trend(const uint64_t *values, size_t count, bool *up)
{
	double s = 0, variance = trend_variance(values, count);

	for (size_t i = 0; i < count; i++)
		for (size_t k = i + 1; k < count; k++)
			s += (double)(values[k] > values[i]) - (double)(values[k] < values[i]);
	if (up)
		*up = s > 0;
	return count > 1 && variance > 0 ? 2 * gsl_cdf_ugaussian_Q(fabs(s) / sqrt(variance)) : 1;
}

uint64_t stats_mad(const struct hist *hist)
{
	uint64_t median = hist_quantile(hist, 0.5), mad;
	struct hist distances = {0};

	for (size_t i = 0; i < hist->used; i++) {
		const struct bin *bin = &hist->bins[i];
		uint64_t value = bin->lower + (bin->width - 1) / 2;

		hist_add(&distances, value > median ? value - median : median - value, bin->count);
	}
	mad = hist_quantile(&distances, 0.5);
	hist_free(&distances);
	return mad;
}

static double *values_of(const struct estimator *estimator, const struct boots *boots)
{
	double *values = xcalloc(boots->count + 1, sizeof(*values));

	for (size_t i = 0; i < boots->count; i++)
		values[i] = estimator_value(estimator, &boots->samples[i]);
	return values;
}

static void mean_and_variance(const struct estimator *estimator, const struct boots *boots, double *mean,
			      double *variance)
{
	double *values = values_of(estimator, boots);

	*mean = boots->count ? gsl_stats_mean(values, 1, boots->count) : 0;
	*variance = boots->count > 1 ? gsl_stats_variance(values, 1, boots->count) : 0;
	free(values);
}

double stats_interval_t(double freedom)
{
	return gsl_cdf_tdist_Qinv(0.005, freedom);
}

/*
 * The change is a ratio of means, whose deviation is that of b plus, as much as the ratio is, that of a (the delta
 * method): boots scatter by a few percent, so the ratio is all but linear in both.
 */
struct change stats_change(const struct estimator *estimator, const struct boots *a, const struct boots *b)
{
	struct change c;
	double va, vb, reach = 0;

	mean_and_variance(estimator, a, &c.a, &va);
	mean_and_variance(estimator, b, &c.b, &vb);
	double whole = c.a > 0 ? c.a : 1, ratio = c.a > 0 ? c.b / c.a : 1;

	va *= ratio * ratio;
	c.percent = 100 * (c.b - c.a) / whole;
	c.spread_a = 100 * sqrt(va) / whole;
	c.spread_b = 100 * sqrt(vb) / whole;
	if (a->count > 1 && b->count > 1) {
		va /= (double)a->count;
		vb /= (double)b->count;
		reach = stats_interval_t(freedom(va, a->count, vb, b->count)) * 100 * sqrt(va + vb) / whole;
	}
	c.interval = (struct interval){c.percent - reach, c.percent + reach};
	return c;
}
