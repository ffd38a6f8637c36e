/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stats/resample.h"

#include <gsl/gsl_randist.h>
#include <math.h>

static double clamp(double value, double low, double high)
{
	return value < low ? low : value > high ? high : value;
}

/* The value below which a share of the values lies; values of a bin are taken as spread evenly over it. */
static double value_at(const struct sample *s, double share)
{
	double rank = share * (double)s->n, seen = 0;

	for (size_t i = 0; i < s->hist.used; i++) {
		const struct bin *bin = &s->hist.bins[i];
		double count = (double)bin->count;

		if (seen + count >= rank) {
			double inside = (double)bin->lower + (double)bin->width * (rank - seen) / count;

			return clamp(inside, (double)s->min, (double)s->max);
		}
		seen += count;
	}
	return (double)s->max;
}

/*
 * The k-th smallest of n values has the distribution of value_at(u) with u from Beta(k, n - k + 1). Only the distance
 * from the middle is taken from the histogram, because the boot's own value is exact and its bins are not.
 */
double resample(const struct estimator *estimator, const struct sample *sample, gsl_rng *rng)
{
	double value = estimator_value(estimator, sample), n = (double)sample->n;
	double k = ceil(estimator->quantile * n);

	if (estimator->quantile <= 0 || estimator->quantile >= 1 || sample->min == sample->max)
		return value;
	double share = gsl_ran_beta(rng, k, n - k + 1);

	return clamp(value + value_at(sample, share) - value_at(sample, k / (n + 1)), (double)sample->min,
		     (double)sample->max);
}
