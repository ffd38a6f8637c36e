/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A comparison in a line: how many cases, which way they went on the whole, and the worst. */
#pragma once

#include "stats/compare.h"

#include <stddef.h>

struct summary {
	size_t cases; /* with numbers on both sides, each counted once whatever estimators are judged in addition */
	double mean;  /* percent: the geometric mean of B over A, less one; 0 when there is none */
	const struct pair *worst; /* the pair that got worse most, among those that count; NULL: none did */
};

struct summary summary_of(const struct comparison *c);

/* The mean of several comparisons, each case having the same weight: that of this one is added. */
struct summary_total {
	size_t suites, cases, tally[VERDICT_COUNT];
	double logarithms;
	size_t terms;
};

void summary_add(struct summary_total *total, const struct comparison *c);
double summary_mean(const struct summary_total *total);
