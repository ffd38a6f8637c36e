/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events that the processor counts, of user land and kernel together. Intel's, from version 2 of its architecture on;
 * AMD's but for misses. */
#pragma once

#include <stdint.h>

enum bench_counter {
	BENCH_COUNTER_CYCLES, /* of the core, whatever its rate */
	BENCH_COUNTER_INSTRUCTIONS,
	BENCH_COUNTER_MISSES, /* of the last-level cache */
};

/* Lets a counter of this CPU run, and no other; null, or why there is none. */
const char *bench_counters_begin(enum bench_counter counter);
void bench_counters_end(void);

/* Reading takes a hypercall, which counts as well. */
uint64_t bench_counters_read(enum bench_counter counter);

/* How many of these events took place between two values that were read. */
uint64_t bench_counters_between(uint64_t before, uint64_t after);
