/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results and comparisons for people (text, Markdown) and for programs (JUnit XML, JSON, CSV). */
#pragma once

#include "host/table.h"
#include "result/metric.h"
#include "stats/compare.h"

#include <stdbool.h>
#include <stdio.h>

void report_result(FILE *out, const struct result *result, const struct suite *suite);
void report_comparison(FILE *out, const struct comparison *c);
void report_markdown(FILE *out, const struct comparison *c);
void report_junit(FILE *out, const struct comparison *c); /* a <testsuite>, without what comes around */
/* One attribute of an XML element, escaped. */
void report_junit_attribute(FILE *out, const char *name, const char *value);

void report_json(FILE *out, const struct comparison *c);

/* A line for each benchmark and boot, with a line of titles. */
void report_csv(FILE *out, const struct result *result);

/* Parts that reports of one and of two results have in common. */
void report_title(FILE *out, const struct result *result, const struct metric *metric);
void report_origin(FILE *out, const struct result *result);
void report_goal_cells(struct table *table, bool has_goal, double goal, bool known, bool met);

/* A line about cases that are of other events than the metric says, if there are any. */
void report_counters(FILE *out, const struct result *result);

/* A name without the suite, which the head of the table names. */
const char *report_short_name(const char *name);
