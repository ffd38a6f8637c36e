/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Statistics for metrics with noise. The boot is the unit of repetition: values of one boot share its memory layout
 * and are not independent of each other.
 */
#pragma once

#include "result/estimator.h"

struct interval {
	double low, high;
};

/* All boots of a benchmark on one side of a comparison. */
struct boots {
	const struct sample *samples;
	size_t count;
	const struct hist *merged;
};

/* Two-sided p value of the Mann-Whitney U test: chance of such a difference when there is none. Ties are corrected.
 */
double stats_mann_whitney(const struct hist *a, const struct hist *b);

/* Probability that a value of b is above one of a, equal ones counted half: 0.5 means no difference. */
double stats_superiority(const struct hist *a, const struct hist *b);

/*
 * The U test with boots as clusters: the variance is that of the U test or that between the boots, whichever is
 * larger, so that many windows of few boots do not pass for many independent values.
 */
double stats_mann_whitney_boots(const struct boots *a, const struct boots *b);

/* Two-sided p value of Welch's t test; 1 with less than two values on a side. */
double stats_welch(const double *a, size_t a_count, const double *b, size_t b_count);

/* The same over the boots' values of an estimator. */
double stats_welch_boots(const struct estimator *estimator, const struct boots *a, const struct boots *b);

/* p value of the Kruskal-Wallis test: chance that boots differ so much when all are of one distribution. */
double stats_kruskal_wallis(const struct boots *boots);

/* p value of the Mann-Kendall test: chance of such a trend when the order means nothing. *up (or NULL): its
 * direction. */
double stats_trend(const uint64_t *values, size_t count, bool *up);

/* Replaces the p values of one family of tests by those corrected for their number (Holm). */
void stats_holm(double *p, size_t count);

/* Median absolute deviation from the median. */
uint64_t stats_mad(const struct hist *hist);

/*
 * 95% interval of the change of the boots' mean value from a to b, in percent of a: bootstrap over boots and then
 * within them, widened for few boots, with a fixed seed: the same files always give the same answer.
 */
struct interval stats_change(const struct estimator *estimator, const struct boots *a, const struct boots *b);
