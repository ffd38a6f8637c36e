/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/bench/bench_way.h"

#include "rt/bench/bench_cold.h"
#include "rt/bench/bench_counters.h"
#include "rt/size.h"

#include <stddef.h>

#define SUM_MAX 256
#define OVERHEAD_WINDOWS 64

static uint64_t time_window(const struct bench_case *c)
{
	return c->window();
}

static uint64_t cold_window(const struct bench_case *c)
{
	bench_cold();
	return c->window();
}

/* What an empty window counts is subtracted, so it is called as the others are: by a pointer. */
static __attribute__((noinline)) uint64_t empty_window(void)
{
	return 0;
}

static const struct bench_case empty = {.window = empty_window};

static uint64_t count(enum bench_counter counter, const struct bench_case *c)
{
	uint64_t before = bench_counters_read(counter);

	c->window();
	return bench_counters_between(before, bench_counters_read(counter));
}

static uint64_t least_of_empty(enum bench_counter counter)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < OVERHEAD_WINDOWS; i++)
		least = rt_min(least, count(counter, &empty));
	return least;
}

/* beside: see bench_way.h */
#define COUNTER(name, counter, beside)                                                           \
	static uint64_t name##_window(const struct bench_case *c)                                \
	{                                                                                        \
		return count(counter, c);                                                        \
	}                                                                                        \
	static uint64_t name##_overhead(void)                                                    \
	{                                                                                        \
		return least_of_empty(counter);                                                  \
	}                                                                                        \
	static const char *name##_begin(void)                                                    \
	{                                                                                        \
		return bench_counters_begin(counter);                                            \
	}                                                                                        \
	static const struct bench_way name = {                                                   \
		"counter",          #name,         beside,         #name, SUM_MAX, name##_begin, \
		bench_counters_end, name##_window, name##_overhead}

COUNTER(cycles, BENCH_COUNTER_CYCLES, true);
COUNTER(instructions, BENCH_COUNTER_INSTRUCTIONS, false);
COUNTER(misses, BENCH_COUNTER_MISSES, false);

static const struct bench_way usual = {NULL, NULL, false, "tsc", SUM_MAX, NULL, NULL, time_window, NULL};

/* One window makes a value: it is long enough, and emptying the caches takes a thousand times longer. */
static const struct bench_way cold = {"cache", "cold", false, "tsc", 1, bench_cold_begin, NULL, cold_window, NULL};

const struct bench_way *const bench_ways[] = {&usual, &cold, &cycles, &instructions, &misses, NULL};
