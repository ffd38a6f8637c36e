/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is counted, and how exact that is: executed instructions, ticks, cycles, picoseconds. */
#pragma once

#include "result/estimator.h"
#include "result/result.h"

struct metric {
	const char *name;                  /* "instructions" */
	const char *unit;                  /* "executed instructions per operation" */
	const struct estimator *estimator; /* that decides, unless a suite names more */
	const char *value;                 /* what the estimator is called: "minimum" */
	const char *nature;                /* "exact" */
	bool exact;
	double threshold;        /* percent, when the suite names none */
	uint64_t windows_needed; /* on each side */
};

/* NULL when no metric has that name. */
const struct metric *metric_find(const char *name);

/* The metric of a case of a result: that of the result, or cycles for what was counted by the core's own clock. */
const struct metric *metric_of_case(const struct metric *of_result, const char *name);

/* The one number that stands for a benchmark in this metric. */
uint64_t metric_value(const struct metric *metric, const struct estimator *estimator,
		      const struct benchmark *benchmark);

/* The same to a fraction of a tick. */
double metric_number(const struct metric *metric, const struct estimator *estimator,
		     const struct benchmark *benchmark);
