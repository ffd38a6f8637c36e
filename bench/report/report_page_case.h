/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of the HTML page about one case, and what it shares with the page. */
#pragma once

#include "report/report_page.h"
#include "result/metric.h"

/* The class of elements that show a verdict. */
const char *report_page_class(enum verdict verdict);

/* The id of the element about a benchmark. */
void report_page_id(FILE *out, const struct report_section *page, const char *name);

/* The attribute that the filter looks at. */
void report_page_words(FILE *out, const char *name, const char *verdict);

/* All about one benchmark, closed unless it changed. */
void report_page_case(FILE *out, const struct report_section *page, const struct benchmark *b,
		      const struct metric *metric);
