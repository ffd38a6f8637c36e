/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two results side by side: what `compare` shows and `gate` judges. */
#pragma once

#include "host/exit_code.h"
#include "result/metric.h"
#include "result/suite.h"
#include "stats/modes.h"
#include "stats/verdict.h"

struct pair {
	const char *name;
	char label[300]; /* the name, with the estimator where that is not the metric's */
	const struct estimator *estimator;
	double threshold; /* percent */
	struct difference difference;
	struct mode_shift shift; /* of values, with noise only */
	const char *note;        /* why B skipped the case, or a part of its repetitions; or NULL */
	const char *note_a;      /* the same of A */
	bool has_goal, goal_met;
	double goal;
	bool informs; /* it decides nothing */
	bool has_limit, over_limit;
	double limit;
};

struct comparison {
	const struct result *a, *b;
	const struct metric *metric;
	struct pair *pairs; /* in A's order, then what only B has */
	size_t count;
	size_t tests; /* benchmarks that were tested together */
	size_t boots; /* a side, with which each of them keeps the promise of stats/power.h; 0: not known */
	size_t tally[VERDICT_COUNT];
	size_t deciding[VERDICT_COUNT]; /* the same without those that only inform */
	size_t over_limits;             /* that decide */
	bool same_programs; /* kernel, roottask and their words are the same in both, as far as they are known */
};

/* The results must be of the same suite and metric. The suite (NULL: none) gives goals and thresholds. */
bool compare_results(struct comparison *c, const struct result *a, const struct result *b, const struct suite *suite,
		     struct error *error) must_check;

/* Boots a side to compare a result with another one, by the scatter of its own; 0 when it has too few to tell, or
 * counts exactly. */
size_t compare_plan(const struct result *result, const struct suite *suite);

/* True when programs and machine are the same and numbers differ: the machine drifted, nobody changed the code. */
bool compare_drifted(const struct comparison *c);

/* What a gate returns: a regression comes before a missing benchmark, that before not enough data. */
enum exit_code compare_exit_code(const struct comparison *c);

/* The more serious of two exit codes, for a gate over several results. */
enum exit_code compare_graver(enum exit_code a, enum exit_code b);

void compare_free(struct comparison *c);
