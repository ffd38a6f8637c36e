/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What makes numbers with noise doubtful. A suite of sixty cases has hundreds of reasons, of which nobody reads all.
 */
#pragma once

#include "result/metric.h"
#include "result/result.h"

#include <stdbool.h>
#include <stdio.h>

/* A table with the worst case of each kind, or all of them in a line each. */
void report_warnings(FILE *out, const struct result *result, const struct metric *metric, bool all);
