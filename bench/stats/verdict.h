/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a difference means: exact counts are compared to the unit, noisy ones statistically. */
#pragma once

#include "result/metric.h"
#include "result/result.h"
#include "stats/power.h"
#include "stats/stats.h"

enum verdict {
	VERDICT_SAME,
	VERDICT_BETTER,
	VERDICT_WORSE,
	VERDICT_UNSURE,  /* not enough data to tell */
	VERDICT_MISSING, /* in A only */
	VERDICT_NEW,     /* in B only */
	VERDICT_COUNT
};

struct difference {
	enum verdict verdict;
	uint64_t a, b; /* the estimator's value on both sides, in whole ticks or instructions */
	int64_t change;
	double from, to; /* the same to a fraction of a tick: with noise, all else is computed from these */
	double percent;  /* of a; 0 when a is 0 */
	double smallest; /* the smallest change, in percent, that would have been seen; 0: not known */
	/* With noise only */
	bool tested;              /* there was enough to test, so the rest holds */
	struct interval interval; /* of the change, 99%, percent */
	double p;                 /* once verdict_decide() sees it, for all tests of the suite together */
	double superiority;       /* probability that a value of B is above one of A */
	struct spread spread;     /* of the boots */
	size_t boots;             /* a side, that would settle it; 0: it is settled, or no number of boots would */
	char why[260];            /* for the unsure, else "" */
};

/* The numbers of a comparison, without a verdict. Either side may be NULL (missing, new), not both. */
struct difference verdict_measure(const struct metric *metric, const struct estimator *estimator,
				  const struct benchmark *a, const struct benchmark *b);

/* One false alarm in so many suites, whatever the noise. */
extern const double verdict_p_needed;

/* Sets the verdict, unless it is that a side is missing or has not enough boots. threshold is in percent. */
void verdict_decide(struct difference *difference, const struct metric *metric, double threshold);

/* True when there are numbers of both sides. */
bool verdict_has_both(const struct difference *difference);

const char *verdict_name(enum verdict verdict);
