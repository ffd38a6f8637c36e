/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways to measure a case: its time, its time with cold caches, and what the processor counts meanwhile. */
#pragma once

#include "rt/bench/bench_case.h"

#include <stdbool.h>
#include <stdint.h>

struct bench_way {
	const char *param, *value;  /* one more parameter of the case's name; null: the usual way */
	bool beside_time;           /* wherever time is measured and it can be had, also without being asked for */
	const char *unit;           /* of the numbers, as in the protocol */
	unsigned sum_max;           /* windows that may be added up to one value */
	const char *(*begin)(void); /* null: nothing to do. Result: null, or why it cannot be measured like this */
	void (*end)(void);
	uint64_t (*window)(const struct bench_case *c); /* one window; its number */
	uint64_t (*overhead)(void);                     /* of an empty window; null: that of the calibration */
};

/* All of them, the usual one first, null at the end. */
extern const struct bench_way *const bench_ways[];
