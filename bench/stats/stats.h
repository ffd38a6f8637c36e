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

/* Probability that a value of b is above one of a, equal ones counted half: 0.5 means no difference. */
double stats_superiority(const struct hist *a, const struct hist *b);

/* p value of the Kruskal-Wallis test: chance that boots differ so much when all are of one distribution. */
double stats_kruskal_wallis(const struct boots *boots);

/* p value of the Mann-Kendall test: chance of such a trend when the order means nothing. *up (or NULL): its
 * direction. */
double stats_trend(const uint64_t *values, size_t count, bool *up);

/* Median absolute deviation from the median. */
uint64_t stats_mad(const struct hist *hist);

/* How the boots' mean value changed from a to b, in percent of a's. */
struct change {
	double a, b; /* means over the boots */
	double percent;
	struct interval interval;  /* 99%, Welch's; no wider than percent with less than two boots on a side */
	double spread_a, spread_b; /* standard deviations of the boots, percent of a; of b, as it weighs in percent */
};

/* How many deviations such an interval reaches to each side. */
double stats_interval_t(double freedom);

struct change stats_change(const struct estimator *estimator, const struct boots *a, const struct boots *b);
