/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results and comparisons for people (text, Markdown) and for CI systems (JUnit XML). */
#pragma once

#include "compare.h"

void report_result(FILE *out, const struct result *result, const struct suite *suite);
void report_comparison(FILE *out, const struct comparison *c);
void report_markdown(FILE *out, const struct comparison *c);
void report_junit(FILE *out, const struct comparison *c);
