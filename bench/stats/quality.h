/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Warnings about a number with noise: several modes, outliers, boots that differ, a trend. */
#pragma once

#include "result/metric.h"

#define QUALITY_TEXT_MAX 300

/* Calls warn() with each warning about a benchmark. An exact metric has only one: boots disagree. */
void quality_check(const struct result *result, const struct benchmark *benchmark, const struct metric *metric,
		   void (*warn)(void *context, const char *name, const char *text), void *context);

/* The same for what concerns all benchmarks; the name is that of the suite. */
void quality_check_result(const struct result *result,
			  void (*warn)(void *context, const char *name, const char *text), void *context);
