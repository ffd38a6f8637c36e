/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One result against several others: A against B, against C, and so on. */
#pragma once

#include "report/report.h"

enum { REPORT_SEVERAL_MAX = 7 };

/* The comparisons have the same A. Markdown or text; of the style only `changed_only` counts. */
void report_several(FILE *out, const struct comparison *list, size_t count, bool markdown,
		    const struct report_style *style);
