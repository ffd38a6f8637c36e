/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of text: columns as wide as their widest cell, as plain text or as Markdown. */
#pragma once

#include "host/compiler.h"

#include <stdbool.h>
#include <stdio.h>

enum colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_BAD, COLOUR_DOUBT, COLOUR_DIM };

struct table;

/* titles: one per column, NULL at the end; those that begin with '>' are aligned to the right. */
struct table *table_create(const char *const *titles);

/* The next cell, row by row. */
void table_cell(struct table *table, enum colour colour, const char *fmt, ...) printf_like(3, 4);

void table_print(const struct table *table, FILE *out, bool coloured);
void table_print_markdown(const struct table *table, FILE *out);

/* True when the stream is a terminal and the user did not set NO_COLOR. */
bool table_wants_colour(FILE *out);

void table_free(struct table *table);
