/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small results for tests, built from lists of values. */
#pragma once

#include "result/result.h"

#include <stdlib.h>

static inline int build_ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The sample that a boot with these values reports. Sorts them. */
static inline struct sample build_sample(uint64_t *values, size_t count)
{
	struct sample s = {.batch = 1, .n = count, .overhead = 5};

	qsort(values, count, sizeof(*values), build_ascending);
	for (size_t i = 0; i < count; i++) {
		hist_add(&s.hist, values[i], 1);
		s.sum += values[i];
	}
	s.min = values[0];
	s.p50 = values[(count - 1) / 2];
	s.p90 = values[(count * 9 + 9) / 10 - 1];
	s.p99 = values[(count * 99 + 99) / 100 - 1];
	s.p999 = s.max = values[count - 1];
	return s;
}

/* One boot whose windows all took `value`. */
static inline void build_constant(struct result *result, const char *name, uint64_t value, size_t windows)
{
	struct sample s = {.batch = 1, .n = windows, .overhead = 5, .sum = value * windows};

	s.min = s.p50 = s.p90 = s.p99 = s.p999 = s.max = value;
	hist_add(&s.hist, value, windows);
	result_add(result, name, &s);
}

/* Boots with noise around a base; the same seed gives the same values. */
static inline void build_noisy(struct result *result, const char *name, uint64_t base, uint64_t noise, size_t boots,
			       unsigned seed)
{
	uint64_t values[200];

	for (size_t boot = 0; boot < boots; boot++) {
		for (size_t i = 0; i < 200; i++) {
			seed = seed * 1103515245 + 12345;
			values[i] = base + (seed >> 16) % (noise + 1);
		}
		struct sample s = build_sample(values, 200);

		result_add(result, name, &s);
	}
}
