/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one has to know before trusting a number with noise: several modes, outliers, boots that differ. */
#pragma once

#include "result/metric.h"

#define QUALITY_TEXT_MAX 300

/* Tells each warning about a benchmark. For exact metrics: that boots disagree. */
void quality_check(const struct result *result, const struct benchmark *benchmark, const struct metric *metric,
		   void (*warn)(void *context, const char *name, const char *text), void *context);
