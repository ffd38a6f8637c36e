/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a comparison can see, and how many boots it takes to see more (docs/adr/0021-boots-are-permuted.md). The
 * promise: with the number of boots that is asked for here, a true change of the threshold is found in at least 95 of
 * 100 comparisons, and no change at all is called the same in as many.
 */
#pragma once

#include <stddef.h>

enum {
	POWER_BOOTS_LEAST = 5, /* a side: with fewer, no division of boots is rarer than 1% */
	POWER_BOOTS_BEGIN =
		10, /* a side: a state that one boot in seven is in shows itself in 20 boots, 19 times of 20 */
	POWER_BOOTS_MOST = 1000, /* a side: more are no advice */
};

/* How boots scatter around their mean, from those at hand. */
struct spread {
	double a, b;             /* standard deviation of the boots, percent of A's mean */
	size_t a_count, b_count; /* boots */
	double step;             /* by how much the counter's own step may shift the change, percent */
	size_t tests;            /* of the suite, among which one false alarm is one too many */
	double p_needed;         /* for all of them */
};

/* The smallest true change, in percent, that boots like these show as one in 95 of 100 comparisons. */
double power_smallest_change(const struct spread *spread, double threshold);

/*
 * Boots of each side that keep the promise above, and that leave no doubt about a change of that many percent should
 * it be there (0 for none); POWER_BOOTS_MOST + 1 when no number of boots does.
 */
size_t power_boots(const struct spread *spread, double threshold, double change);
