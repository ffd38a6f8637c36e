/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/bench/bench_calibrate.h"

#include "rt/bench/bench_values.h"
#include "rt/bench/bench_window.h"
#include "rt/size.h"

#define CALIBRATION_BATCHES 16
#define CALIBRATION_WINDOWS 256
#define CALIBRATION_AGREE 4 /* batches that must find the same minimum */

/* Called like the windows of the cases, so it must not be inlined. */
static __attribute__((noinline)) uint64_t empty_window(void)
{
	return BENCH((void)0);
}

/* Of n windows; *most is raised to the longest. */
static uint64_t least(uint64_t (*window)(void), unsigned n, uint64_t *most)
{
	uint64_t min = UINT64_MAX;

	while (n--) {
		uint64_t t = window();

		min = t < min ? t : min;
		*most = t > *most ? t : *most;
	}
	return min;
}

/*
 * CHAIN instructions that do nothing, and as many that each wait for the one before: a clock of time or cycles sees
 * the difference, a counter of instructions does not.
 */
#define CHAIN 256
#define CHAIN_OF(insn) __asm__ volatile(".rept 256\n\t" insn "\n\t.endr" : : : "rax", "cc")

static __attribute__((noinline)) uint64_t fast_window(void)
{
	return BENCH(CHAIN_OF("nop"));
}

static __attribute__((noinline)) uint64_t slow_window(void)
{
	return BENCH(CHAIN_OF("imul %%rax, %%rax"));
}

/* Only a counter of instructions gives CHAIN for both. */
bool bench_counts_instructions(void)
{
	uint64_t ignored = 0, empty = least(empty_window, CALIBRATION_WINDOWS, &ignored);

	return least(fast_window, CALIBRATION_WINDOWS, &ignored) == empty + CHAIN &&
	       least(slow_window, CALIBRATION_WINDOWS, &ignored) == empty + CHAIN;
}

struct bench_calibration bench_calibrate(void)
{
	enum { COUNT = CALIBRATION_BATCHES * CALIBRATION_WINDOWS };
	static uint64_t empty[COUNT];
	struct bench_calibration c = {.overhead = UINT64_MAX, .empty = empty, .empty_count = COUNT};
	uint64_t min[CALIBRATION_BATCHES], ignored = 0;
	unsigned agree = 0;

	least(empty_window, CALIBRATION_WINDOWS, &ignored); /* warms caches and branch prediction up */
	for (unsigned i = 0; i < COUNT; i++)
		empty[i] = empty_window();
	for (unsigned i = 0; i < CALIBRATION_BATCHES; i++) {
		min[i] = bench_values_least(&empty[i * CALIBRATION_WINDOWS], CALIBRATION_WINDOWS);
		c.overhead = rt_min(c.overhead, min[i]);
	}
	for (unsigned i = 0; i < CALIBRATION_BATCHES; i++)
		agree += min[i] == c.overhead;
	c.stable = agree >= CALIBRATION_AGREE;
	bench_values_sort(empty, COUNT);
	c.overhead_max = empty[COUNT - 1];
	return c;
}
