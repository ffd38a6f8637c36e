/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stats/stats.h"

#include "host/mem.h"
#include "stats/resample.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stdlib.h>

enum { RESAMPLES = 4000 };

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

/* Share of the pairs of values in which b's is larger, and the variance of that share when there is no difference. */
struct ranks {
	double superiority, variance, pairs;
};

static struct ranks rank(const struct hist *a, const struct hist *b)
{
	struct walk w = {.a = a, .b = b};
	double na = (double)hist_total(a), nb = (double)hist_total(b), n = na + nb;
	double u = 0, ties = 0, below = 0;

	if (na < 1 || nb < 1)
		return (struct ranks){0.5, 0, 0};
	while (walk_next(&w)) {
		double tied = w.in_a + w.in_b;

		u += w.in_b * (below + w.in_a / 2);
		below += w.in_a;
		ties += tied * (tied * tied - 1);
	}
	double variance = (n + 1 - ties / (n * (n - 1))) / (12 * na * nb);

	return (struct ranks){u / (na * nb), variance, na * nb};
}

double stats_superiority(const struct hist *a, const struct hist *b)
{
	return rank(a, b).superiority;
}

double stats_mann_whitney(const struct hist *a, const struct hist *b)
{
	struct ranks r = rank(a, b);

	if (!(r.variance > 0))
		return 1; /* all values are equal */
	double z = (fabs(r.superiority - 0.5) - 0.5 / r.pairs) / sqrt(r.variance);

	return z <= 0 ? 1 : 2 * gsl_cdf_ugaussian_Q(z);
}

/* Variance of the mean of the boots' placements among the other side's values. */
static double placement_variance(const struct boots *boots, const struct hist *other)
{
	double *placements = xcalloc(boots->count, sizeof(*placements)), variance = 0;

	for (size_t i = 0; i < boots->count; i++)
		placements[i] = stats_superiority(other, &boots->samples[i].hist);
	if (boots->count > 1)
		variance = gsl_stats_variance(placements, 1, boots->count) / (double)boots->count;
	free(placements);
	return variance;
}

static double two_sided_t(double t, double freedom)
{
	return 2 * gsl_cdf_tdist_Q(fabs(t), freedom);
}

/* Degrees of freedom of a difference of means with these variances (Welch and Satterthwaite). */
static double freedom(double va, size_t na, double vb, size_t nb)
{
	double a = na > 1 ? va * va / (double)(na - 1) : 0, b = nb > 1 ? vb * vb / (double)(nb - 1) : 0;

	return a + b > 0 ? (va + vb) * (va + vb) / (a + b) : 1;
}

double stats_mann_whitney_boots(const struct boots *a, const struct boots *b)
{
	struct ranks r = rank(a->merged, b->merged);
	double va = placement_variance(a, b->merged), vb = placement_variance(b, a->merged);

	if (!(r.variance > 0) || va + vb <= r.variance)
		return stats_mann_whitney(a->merged, b->merged);
	return two_sided_t((r.superiority - 0.5) / sqrt(va + vb), freedom(va, a->count, vb, b->count));
}

double stats_welch(const double *a, size_t a_count, const double *b, size_t b_count)
{
	if (a_count < 2 || b_count < 2)
		return 1;
	double va = gsl_stats_variance(a, 1, a_count) / (double)a_count;
	double vb = gsl_stats_variance(b, 1, b_count) / (double)b_count;
	double change = gsl_stats_mean(b, 1, b_count) - gsl_stats_mean(a, 1, a_count);

	if (!(va + vb > 0))
		return change == 0 ? 1 : 0;
	return two_sided_t(change / sqrt(va + vb), freedom(va, a_count, vb, b_count));
}

static double *values_of(const struct estimator *estimator, const struct boots *boots)
{
	double *values = xcalloc(boots->count, sizeof(*values));

	for (size_t i = 0; i < boots->count; i++)
		values[i] = estimator_value(estimator, &boots->samples[i]);
	return values;
}

double stats_welch_boots(const struct estimator *estimator, const struct boots *a, const struct boots *b)
{
	double *from = values_of(estimator, a), *to = values_of(estimator, b);
	double p = stats_welch(from, a->count, to, b->count);

	free(from);
	free(to);
	return p;
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

/* The indices that sort p ascending. */
static size_t *order_of(const double *p, size_t count)
{
	size_t *order = xcalloc(count, sizeof(*order));

	gsl_sort_index(order, p, 1, count);
	return order;
}

void stats_holm(double *p, size_t count)
{
	size_t *order = order_of(p, count);
	double most = 0;

	for (size_t i = 0; i < count; i++) {
		most = fmax(most, p[order[i]] * (double)(count - i));
		p[order[i]] = fmin(most, 1);
	}
	free(order);
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

static double resampled(gsl_rng *rng, const struct estimator *estimator, const struct boots *boots)
{
	double sum = 0;

	for (size_t i = 0; i < boots->count; i++)
		sum += resample(estimator, &boots->samples[gsl_rng_uniform_int(rng, boots->count)], rng);
	return sum / (double)boots->count;
}

/*
 * With few boots percentiles of the bootstrap are too close to each other. Hesterberg's expanded interval ("What
 * teachers should know about the bootstrap", 2015) takes those that a t interval would reach.
 */
static double tail(size_t a_count, size_t b_count)
{
	double fewest = (double)(a_count < b_count ? a_count : b_count);

	if (fewest < 2)
		return 0;
	double t = gsl_cdf_tdist_Qinv(0.025, (double)(a_count + b_count - 2));

	return gsl_cdf_ugaussian_Q(t * sqrt(fewest / (fewest - 1)));
}

struct interval stats_change(const struct estimator *estimator, const struct boots *a, const struct boots *b)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	double *changes = xcalloc(RESAMPLES, sizeof(*changes)), outside = tail(a->count, b->count);
	struct interval interval;

	gsl_rng_set(rng, 1);
	for (size_t i = 0; i < RESAMPLES; i++) {
		double from = resampled(rng, estimator, a), to = resampled(rng, estimator, b);

		changes[i] = 100 * (to - from) / (from > 0 ? from : 1);
	}
	gsl_sort(changes, 1, RESAMPLES);
	interval.low = gsl_stats_quantile_from_sorted_data(changes, 1, RESAMPLES, outside);
	interval.high = gsl_stats_quantile_from_sorted_data(changes, 1, RESAMPLES, 1 - outside);
	free(changes);
	gsl_rng_free(rng);
	return interval;
}
