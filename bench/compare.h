/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two results side by side: what `compare` shows and `gate` judges. */
#pragma once

#include "suite.h"
#include "verdict.h"

struct pair {
	const char *name;
	struct outcome outcome;
	const char *note; /* why B skipped the case; or NULL */
	bool has_goal, goal_met;
	double goal;
};

struct comparison {
	const struct result *a, *b;
	const struct metric *metric;
	struct pair *pairs; /* in A's order, then what only B has */
	size_t count;
	size_t tally[VERDICT_COUNT];
	bool same_programs; /* kernel and roottask are byte for byte the same in both */
};

/* The results must be of the same suite and metric. The suite (NULL: none) gives goals and thresholds. */
bool compare_results(struct comparison *c, const struct result *a, const struct result *b, const struct suite *suite,
		     struct error *error) must_check;

/* Lets A and B be of different machines only when their counts mean the same; false with the fields that differ. */
bool compare_same_machine(const struct result *a, const struct result *b, struct error *error) must_check;

/* What a gate returns: a regression comes before a missing benchmark, that before not enough data. */
enum exit_code compare_exit_code(const struct comparison *c);

void compare_free(struct comparison *c);
