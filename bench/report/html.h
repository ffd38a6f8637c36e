/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pieces of HTML pages and charts as SVG. Every text goes through html_text(). */
#pragma once

#include "host/compiler.h"
#include "result/sample.h"

#include <stddef.h>
#include <stdio.h>

/* Escapes what has a meaning in HTML and in attributes. */
void html_text(FILE *out, const char *text);

/* printf into the page, escaped. */
void html_printf(FILE *out, const char *fmt, ...) printf_like(2, 3);

/* <th> or <td> of a table; class: NULL for none. */
void html_cell(FILE *out, const char *tag, const char *class, const char *fmt, ...) printf_like(4, 5);

/* A distribution, or two over each other; b: NULL for one only. */
void chart_distribution(FILE *out, const struct sample *a, const struct sample *b, const char *unit);

struct chart_point {
	double value;
	const char *label; /* shown when the pointer is on it */
};

/* Values in order, with lines before those that begin a segment and the mean of each segment. */
void chart_series(FILE *out, const struct chart_point *points, size_t count, const size_t *changes,
		  size_t change_count);
