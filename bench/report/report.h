/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results and comparisons for people (text, Markdown) and for programs (JUnit XML, JSON, CSV). */
#pragma once

#include "host/table.h"
#include "result/metric.h"
#include "result/peers.h"
#include "stats/compare.h"

#include <stdbool.h>
#include <stdio.h>

/* What a reader wants to see; NULL stands for none of it. */
struct report_style {
	const struct peers *peers; /* other systems beside ours; NULL: none */
	bool all_warnings;         /* each in a line, instead of the worst of each kind */
	bool all_findings;         /* also what is no obstacle */
	bool changed_only;         /* of comparisons: what is the same is only counted */
};

void report_result(FILE *out, const struct result *result, const struct suite *suite,
		   const struct report_style *style);
void report_comparison(FILE *out, const struct comparison *c, const struct report_style *style);
void report_markdown(FILE *out, const struct comparison *c, const struct report_style *style);
void report_junit(FILE *out, const struct comparison *c); /* a <testsuite>, without what comes around */
/* The same for a file of which nothing could be compared. */
void report_junit_invalid(FILE *out, const char *file);
/* One attribute of an XML element, escaped. */
void report_junit_attribute(FILE *out, const char *name, const char *value);

void report_json(FILE *out, const struct comparison *c);

/* A line for each benchmark and boot, with a line of titles. */
void report_csv(FILE *out, const struct result *result);

/* Parts that reports of one and of two results have in common. */
void report_title(FILE *out, const struct result *result, const struct metric *metric);
void report_origin(FILE *out, const struct result *result);
void report_goal_cells(struct table *table, bool has_goal, double goal, bool known, bool met);

/* A quantile as comparisons have it: with noise to a fraction of a tick. */
double report_quantile(const struct metric *metric, const char *name, const struct benchmark *benchmark);

/* A line about cases that are of other events than the metric says, if there are any. */
void report_counters(FILE *out, const struct result *result);

/* What a verdict looks like in tables. */
enum colour report_verdict_colour(enum verdict verdict);
void report_verdict_cell(struct table *table, const struct pair *pair);

/* One side's number; with noise to a fraction of a tick. */
void report_value_cell(struct table *table, bool present, bool exact, uint64_t whole, double value);

/* A percentage, or nothing where it is not known, which is what 0 stands for. */
void report_seen_cell(struct table *table, double percent);

/* A name without the suite, which the head of the table names. */
const char *report_short_name(const char *name);
