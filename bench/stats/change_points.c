/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stats/change_points.h"

#include "host/mem.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Of nine values with three on one side there are 84 choices, of which both the best and its mirror image are as
 * good: no permutation test gets to p <= 0.02. From ten on it does, wherever the split is.
 */
enum { PERMUTATIONS = 499, PERMUTED_MIN = 10, REACH = 2, INTERVAL_MAX = 50 };

static const double significance = 0.02;

/* Results of one machine repeat no better than that, however equal a few of them are. */
static const double least_noise = 0.001;

/* An outlier is farther than this from the results around it, in deviations of the noise. */
static const double outlier_deviations = 5, mad_to_deviation = 1.4826;

static double median(double *values, size_t count)
{
	gsl_sort(values, 1, count);
	return gsl_stats_median_from_sorted_data(values, 1, count);
}

/* The noise from one value to the next, which a few steps and outliers do not change. */
static double noise_of(const double *values, size_t count)
{
	double *steps = xcalloc(count, sizeof(*steps)), noise;

	for (size_t i = 1; i < count; i++)
		steps[i - 1] = fabs(values[i] - values[i - 1]);
	noise = mad_to_deviation * median(steps, count - 1) / M_SQRT2;
	free(steps);
	return noise;
}

/* Of as many values around one, at an end those next to it, that up to REACH outliers do not move it. */
static double median_around(const double *values, size_t count, size_t at)
{
	double around[2 * REACH + 1];
	size_t size = array_size(around) < count ? array_size(around) : count, from = at > REACH ? at - REACH : 0;

	if (from + size > count)
		from = count - size;
	memcpy(around, values + from, size * sizeof(*around));
	return median(around, size);
}

/* A segment has three values, so each has two like it near by, even between an outlier and the next segment. */
static bool has_company(const double *values, size_t count, size_t at, double reach)
{
	size_t from = at > CHANGE_SEGMENT_MIN ? at - CHANGE_SEGMENT_MIN : 0, alike = 0;

	for (size_t i = from; i < count && i <= at + CHANGE_SEGMENT_MIN; i++)
		alike += i != at && fabs(values[i] - values[at]) <= reach;
	return alike + 1 >= CHANGE_SEGMENT_MIN;
}

void change_outliers(const double *values, size_t count, bool *outliers)
{
	double noise = count > REACH ? noise_of(values, count) : 0;

	for (size_t i = 0; i < count; i++) {
		double usual = count > REACH ? median_around(values, count, i) : values[i];
		double reach = outlier_deviations * fmax(noise, least_noise * fabs(usual));

		outliers[i] = fabs(values[i] - usual) > reach && !has_company(values, count, i, reach);
	}
}

struct split {
	size_t at;  /* of the second part, from the segment's start */
	size_t end; /* of it, where a third one begins; 0: there is none */
	double statistic;
};

/* The sum of |x - y| over all pairs within a part that has grown or shrunk by one value. */
static double distances(const double *values, size_t from, size_t to, double value)
{
	double sum = 0;

	for (size_t i = from; i < to; i++)
		sum += fabs(values[i] - value);
	return sum;
}

/*
 * The place that divides the values best: the energy distance between both parts, weighted by their sizes. Sums are
 * carried along as the border moves, so this takes time quadratic in the count.
 */
static struct split best_split(const double *values, size_t count)
{
	struct split best = {0, 0, -1};
	double left = 0, right = 0, between = 0;

	for (size_t i = 1; i < count; i++)
		right += distances(values, 0, i, values[i]);
	for (size_t n = 0; n + 1 < count; n++) {
		/* values[n] goes from the right part to the left one */
		double to_left = distances(values, 0, n, values[n]),
		       to_right = distances(values, n + 1, count, values[n]);
		double a = (double)(n + 1), b = (double)(count - n - 1);

		left += to_left;
		right -= to_right;
		between += to_right - to_left;
		if (n + 1 < CHANGE_SEGMENT_MIN || count - n - 1 < CHANGE_SEGMENT_MIN)
			continue;
		double energy = 2 * between / (a * b) - left / (a * (a - 1) / 2) - right / (b * (b - 1) / 2);
		double statistic = a * b / (a + b) * energy;

		if (statistic > best.statistic)
			best = (struct split){n + 1, 0, statistic};
	}
	return best;
}

/*
 * What lies between two changes of which the second reverts the first: no single split divides that well. The
 * interval whose mean differs most from that of all the others (circular binary segmentation; Olshen et al., 2004).
 */
static struct split best_interval(const double *values, size_t count)
{
	struct split best = {0, 0, -1};
	double total = 0;

	for (size_t i = 0; i < count; i++)
		total += values[i];
	for (size_t at = CHANGE_SEGMENT_MIN; at + 2 * CHANGE_SEGMENT_MIN <= count; at++) {
		double inside = 0;

		for (size_t end = at; end < at + INTERVAL_MAX && end + CHANGE_SEGMENT_MIN < count; end++) {
			double a = (double)(end + 1 - at), b = (double)count - a;

			inside += values[end];
			double apart = inside / a - (total - inside) / b, statistic = apart * apart * a * b / (a + b);

			if (end + 1 - at >= CHANGE_SEGMENT_MIN && statistic > best.statistic)
				best = (struct split){at, end + 1, statistic};
		}
	}
	return best;
}

/* Share of the orders of these values in which the best split is as good as that. */
static double chance(const double *values, size_t count, double statistic, gsl_rng *rng)
{
	double *shuffled = xcalloc(count, sizeof(*shuffled));
	unsigned as_good = 0;

	memcpy(shuffled, values, count * sizeof(*shuffled));
	for (unsigned i = 0; i < PERMUTATIONS; i++) {
		gsl_ran_shuffle(rng, shuffled, count, sizeof(*shuffled));
		as_good += best_split(shuffled, count).statistic >= statistic;
	}
	free(shuffled);
	return (as_good + 1.0) / (PERMUTATIONS + 1.0);
}

/* p value of a t test with equal variances on both sides of a split. */
static double t_test(const double *values, size_t count, size_t at)
{
	double a = gsl_stats_mean(values, 1, at), b = gsl_stats_mean(values + at, 1, count - at), squares = 0;
	double left = (double)at, right = (double)(count - at), freedom = (double)count - 2;

	for (size_t i = 0; i < count; i++)
		squares += pow(values[i] - (i < at ? a : b), 2);
	double noise = sqrt(squares / freedom + pow(least_noise * gsl_stats_mean(values, 1, count), 2));
	double error = noise * sqrt(1 / left + 1 / right);

	return error > 0 ? 2 * gsl_cdf_tdist_Q(fabs(a - b) / error, freedom) : 1;
}

/* Where few values divide best. The p value is corrected for the number of places (Bonferroni). */
static struct split divide_few(const double *values, size_t count)
{
	struct split best = {0};
	double least = significance;

	for (size_t at = CHANGE_SEGMENT_MIN; at + CHANGE_SEGMENT_MIN <= count; at++) {
		double p = (double)(count + 1 - CHANGE_POINTS_NEEDED) * t_test(values, count, at);

		if (p > least)
			continue;
		least = p;
		best.at = at;
	}
	return best;
}

/*
 * Three values in a row among thirty are no rare order of these values, however far they are out, so this is a t
 * test, too. It is corrected for the number of intervals.
 */
static struct split divide_twice(const double *values, size_t count)
{
	struct split best = best_interval(values, count);
	double mean = gsl_stats_mean(values, 1, count), freedom = (double)count - 2;
	double squares = gsl_stats_tss_m(values, 1, count, mean) - best.statistic;
	double noise = fmax(squares, 0) / freedom + pow(least_noise * mean, 2);
	double tests = (double)count * (double)(count < INTERVAL_MAX ? count : INTERVAL_MAX);

	if (best.statistic > 0 && noise > 0 &&
	    2 * tests * gsl_cdf_tdist_Q(sqrt(best.statistic / noise), freedom) <= significance)
		return best;
	return (struct split){0};
}

/* Where the values divide; at 0 when they do not. */
static struct split find_split(const double *values, size_t count, gsl_rng *rng)
{
	struct split split;

	if (count < CHANGE_POINTS_NEEDED)
		return (struct split){0};
	if (count < PERMUTED_MIN)
		return divide_few(values, count);
	split = best_split(values, count);
	if (split.statistic > 0 && chance(values, count, split.statistic, rng) <= significance)
		return split;
	return divide_twice(values, count);
}

static void divide(const double *values, size_t from, size_t to, size_t *points, size_t *found, gsl_rng *rng)
{
	struct split split = find_split(values + from, to - from, rng);

	if (!split.at)
		return;
	divide(values, from, from + split.at, points, found, rng);
	points[(*found)++] = from + split.at;
	if (split.end) {
		divide(values, from + split.at, from + split.end, points, found, rng);
		points[(*found)++] = from + split.end;
		split.at = split.end;
	}
	divide(values, from + split.at, to, points, found, rng);
}

/* The values with what is around an outlier in its place. */
static double *without_outliers(const double *values, size_t count)
{
	double *calm = xcalloc(count, sizeof(*calm));
	bool *outliers = xcalloc(count, sizeof(*outliers));

	change_outliers(values, count, outliers);
	for (size_t i = 0; i < count; i++)
		calm[i] = outliers[i] ? median_around(values, count, i) : values[i];
	free(outliers);
	return calm;
}

static size_t divide_window(const double *values, size_t count, size_t *points)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	double *calm = without_outliers(values, count);
	size_t found = 0;

	gsl_rng_set(rng, 1);
	divide(calm, 0, count, points, &found, rng);
	gsl_rng_free(rng);
	free(calm);
	return found;
}

/* The last change that will not move, else half a window: what is before it has been seen with as much around it. */
static size_t next_window(const size_t *points, size_t *found)
{
	size_t settled = *found;

	while (settled && points[settled - 1] > CHANGE_WINDOW - CHANGE_NEWS)
		settled--;
	*found = settled;
	return settled ? points[settled - 1] : CHANGE_WINDOW / 2;
}

void change_window(const double *values, size_t count, size_t *points, size_t *found, size_t *next)
{
	size_t seen = count < CHANGE_WINDOW ? count : CHANGE_WINDOW;

	*found = divide_window(values, seen, points);
	*next = count > CHANGE_WINDOW ? next_window(points, found) : 0;
}

size_t change_points(const double *values, size_t count, size_t *points)
{
	size_t all = 0, from = 0, next = 0;

	do {
		size_t window[CHANGE_WINDOW], found;

		change_window(values + from, count - from, window, &found, &next);
		for (size_t i = 0; i < found; i++)
			points[all++] = from + window[i];
		from += next;
	} while (next);
	return all;
}
