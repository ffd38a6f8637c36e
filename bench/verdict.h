/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a change means. Each metric has its policy: exact counts are compared to the unit, noisy ones statistically.
 */
#pragma once

#include "result.h"

enum verdict {
	VERDICT_SAME,
	VERDICT_BETTER,
	VERDICT_WORSE,
	VERDICT_UNSURE,  /* not enough data to tell */
	VERDICT_MISSING, /* in A only */
	VERDICT_NEW,     /* in B only */
	VERDICT_COUNT
};

struct metric {
	const char *name;      /* "instructions" */
	const char *unit;      /* "executed instructions per operation" */
	const char *estimator; /* "minimum" */
	const char *nature;    /* "exact" */
	bool exact;
	double threshold; /* percent, when the suite names none */
};

struct outcome {
	enum verdict verdict;
	uint64_t a, b; /* the estimator's value on both sides */
	int64_t change;
	double percent; /* of a; 0 when a is 0 */
	char why[160];  /* for the unsure, else "" */
};

/* NULL when no metric has that name. */
const struct metric *metric_find(const char *name);

/* The one number that stands for a benchmark in this metric. */
uint64_t metric_value(const struct metric *metric, const struct benchmark *benchmark);

/* Either side may be NULL (missing, new), not both. threshold is in percent. */
struct outcome verdict_decide(const struct metric *metric, const struct benchmark *a, const struct benchmark *b,
			      double threshold);

const char *verdict_name(enum verdict verdict);
