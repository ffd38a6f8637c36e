/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stats/change_points.h"

#include "host/mem.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PERMUTATIONS = 499 };

static const double significance = 0.02;

struct split {
	size_t at; /* of the second part, from the segment's start */
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
	struct split best = {0, -1};
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
			best = (struct split){n + 1, statistic};
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

static void divide(const double *values, size_t from, size_t to, size_t *points, size_t *found, gsl_rng *rng)
{
	size_t count = to - from;
	struct split split;

	if (count < 2 * CHANGE_SEGMENT_MIN)
		return;
	split = best_split(values + from, count);
	if (split.statistic <= 0 || chance(values + from, count, split.statistic, rng) > significance)
		return;
	divide(values, from, from + split.at, points, found, rng);
	points[(*found)++] = from + split.at;
	divide(values, from + split.at, to, points, found, rng);
}

size_t change_points(const double *values, size_t count, size_t *points)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	size_t found = 0;

	gsl_rng_set(rng, 1);
	divide(values, 0, count, points, &found, rng);
	gsl_rng_free(rng);
	return found;
}
