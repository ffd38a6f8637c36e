/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sparklines: a distribution or a history as a few block characters (UTF-8) in one cell of a table. */
#pragma once

#include "result/sample.h"

#include <stddef.h>

enum { SPARK_WIDTH = 16, SPARK_TEXT_MAX = 3 * 64 + 1 };

/* The distribution from min to p99, without the tail that would squeeze all else into one character. */
void spark_sample(const struct sample *sample, char out[SPARK_TEXT_MAX]);

/* One character for each of at most 64 values, the last ones; the lowest is the smallest. */
void spark_values(const double *values, size_t count, char out[SPARK_TEXT_MAX]);
