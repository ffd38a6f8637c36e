/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A comparison in a line: how many cases, which way they went on the whole, and the worst. */
#pragma once

#include "stats/compare.h"

#include <stddef.h>

struct summary {
	double mean;              /* percent: the geometric mean of B over A, less one; 0 when there is none */
	const struct pair *worst; /* the pair that got worse most, among those that count; NULL: none did */
	double threshold, seen; /* percent: the largest of all cases; seen as difference.smallest, 0 when not known */
};

struct summary summary_of(const struct comparison *c);

/* Of several comparisons, each case having the same weight. */
struct summary_total {
	size_t suites, cases, tally[VERDICT_COUNT];
	double logarithms; /* of ratios, one for each case with numbers on both sides */
	size_t terms;
};

void summary_add(struct summary_total *total, const struct comparison *c);
double summary_mean(const struct summary_total *total);
