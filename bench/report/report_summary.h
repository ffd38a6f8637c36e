/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several comparisons in a line each, and all of them in one: for readers in a hurry. */
#pragma once

#include "host/exit_code.h"
#include "stats/compare.h"

#include <stdio.h>

struct report_summary;

struct report_summary *report_summary_create(void);

/* A row. What a gate made of it is its exit code. */
void report_summary_add(struct report_summary *summary, const struct comparison *c, enum exit_code code);

/* A row for a file that was not compared. */
void report_summary_add_invalid(struct report_summary *summary, const char *file, enum exit_code code);

/* Prints nothing about less than two rows: a single comparison has said it already. */
void report_summary_text(FILE *out, const struct report_summary *summary);
void report_summary_markdown(FILE *out, const struct report_summary *summary);

/*
 * JSON of the form that https://shields.io/badges/endpoint-badge wants, to be freed: what the gate over all of them
 * made of it. NULL without memory.
 */
char *report_summary_badge(const struct report_summary *summary, enum exit_code code);

/* What a gate's exit code is called. */
const char *report_summary_word(enum exit_code code);

void report_summary_free(struct report_summary *summary);
