/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Warnings about a number with noise: several modes, outliers, boots that differ, a trend. */
#pragma once

#include "result/metric.h"

#define QUALITY_TEXT_MAX 300

/* In the order in which tables name them. */
enum quality_kind {
	QUALITY_MODES,
	QUALITY_OUTLIERS,
	QUALITY_FIRMWARE,
	QUALITY_BOOTS,
	QUALITY_TREND,
	QUALITY_REPEATABLE,
	QUALITY_SKEW,
	QUALITY_DRIFT,
	QUALITY_KINDS
};

struct quality_warning {
	enum quality_kind kind;
	const char *name; /* of the benchmark */
	double weight; /* how bad it is among those of its kind: a share, of windows, boots or the value; or ticks */
	const char *text;
};

const char *quality_name(enum quality_kind kind);

/* Calls warn() with each warning about a benchmark. An exact metric has only one: boots disagree. */
void quality_check(const struct result *result, const struct benchmark *benchmark, const struct metric *metric,
		   void (*warn)(void *context, const struct quality_warning *warning), void *context);

/* The same for what concerns all benchmarks; the name is that of the suite. */
void quality_check_result(const struct result *result,
			  void (*warn)(void *context, const struct quality_warning *warning), void *context);
