/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the probe has found out about a result's machine. */
#pragma once

#include "result/result.h"

#include <stdbool.h>
#include <stdio.h>

/* A table of the findings, the gravest first, and the verdict; nothing if there are none. Without `all`, facts are
 * only counted. */
void report_findings(FILE *out, const struct result *result, bool all);
