/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stats/power.h"

#include "stats/stats.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdbool.h>

/*
 * A forecast is of a variance that few boots have shown, which is too small as often as too large: the bound that it
 * does not exceed in 95 of 100 cases is taken. Boots that are planned have to do in 97.5 of 100 comparisons, so that
 * 95 are left when noise is no normal distribution.
 */
static const double variance_doubt = 0.05, planned = 0.025, promised = 0.05;

/* The t value that is needed: of the interval around a change, and of the test of one benchmark among all. */
static double interval_t(size_t boots)
{
	return stats_interval_t(2 * (double)boots - 2);
}

static double test_t(const struct spread *s, double freedom)
{
	return gsl_cdf_tdist_Qinv(s->p_needed / 2 / (double)(s->tests ? s->tests : 1), freedom);
}

/* Deviation of the change when there are so many boots on both sides. */
static double error_of(double variance, size_t boots)
{
	return sqrt(variance / (double)boots);
}

double power_smallest_change(const struct spread *s, double threshold)
{
	double error = sqrt(s->a * s->a / (double)s->a_count + s->b * s->b / (double)s->b_count);
	double freedom = (double)(s->a_count + s->b_count) - 2, luck = gsl_cdf_ugaussian_Qinv(promised);

	return fmax(threshold, (test_t(s, freedom) + luck) * error + s->step);
}

/* One in twenty variances of so few boots is smaller than the true one by more than this factor. */
static double doubt(const struct spread *s)
{
	double freedom = (double)(s->a_count + s->b_count) - 2;

	return freedom / gsl_cdf_chisq_Pinv(variance_doubt, freedom);
}

/* What is no change is called the same, and what is as large as the threshold is significant. */
static bool keeps_promise(const struct spread *s, double error, double threshold, size_t boots)
{
	double luck = gsl_cdf_ugaussian_Qinv(planned);
	double needed = fmax(interval_t(boots), test_t(s, 2 * (double)boots - 2));

	return (needed + luck) * error + s->step <= threshold;
}

/* If the true change is the one that was seen, it is significant, or its interval ends below the threshold. */
static bool settles(const struct spread *s, double error, double threshold, size_t boots, double change)
{
	double size = fabs(change);

	return test_t(s, 2 * (double)boots - 2) * error + s->step <= size ||
	       size + interval_t(boots) * error + s->step <= threshold;
}

size_t power_boots(const struct spread *s, double threshold, double change)
{
	double seen = s->a * s->a + s->b * s->b;
	bool few = s->a_count + s->b_count < 2 * POWER_BOOTS_BEGIN;

	for (size_t boots = few ? POWER_BOOTS_BEGIN : POWER_BOOTS_LEAST; boots <= POWER_BOOTS_MOST; boots++)
		if (keeps_promise(s, error_of(seen * doubt(s), boots), threshold, boots) &&
		    settles(s, error_of(seen, boots), threshold, boots, change))
			return boots;
	return POWER_BOOTS_MOST + 1;
}
