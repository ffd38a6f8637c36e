/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Table-driven benchmarks in a roottask; reports as docs/bench-protocol.md says.
 *
 * A window is a function that does whatever preparation is not to be measured, times `batch` operations with BENCH()
 * and tells with bench_status() whether they worked. It returns the ticks; the harness takes the empty window's cost
 * off.
 */
#pragma once

#include "rt.h"

struct bench_case {
	const char *name;
	const char *param;        /* name of the parameter, null for none */
	const long *values;       /* its values, `count` of them ... */
	const char *const *texts; /* ... or texts; the value is then the index */
	unsigned count;
	unsigned windows;                 /* 0: the default */
	unsigned batch;                   /* operations per window; 0: 1 */
	const char *(*setup)(long value); /* null: no preparation. Result: null, or why it is skipped */
	uint64_t (*window)(void);
	const char *(*valid)(void); /* after the windows: null, or what was wrong */
	void (*teardown)(void);     /* also after a setup that gave up */
};

/* Parameter lists: .param = "words", BENCH_VALUES(0, 1, 8). */
#define BENCH_VALUES(...) \
	.values = (const long[]){__VA_ARGS__}, .count = sizeof((const long[]){__VA_ARGS__}) / sizeof(long)
#define BENCH_TEXTS(...)                             \
	.texts = (const char *const[]){__VA_ARGS__}, \
	.count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)

#define BENCH_WINDOWS 64
#define BENCH_WINDOWS_MAX 4096
#define BENCH_WARMUP 8
#define BENCH_PRIO 64 /* cases run at this priority, so that there is room above and below */

/*
 * Runs all cases and reports. Each table ends with a case without a name, the list of tables with a null pointer.
 * On the command line "case=PREFIX,PREFIX..." restricts the run to cases whose name, or name/param:value, begins so;
 * "windows=N" overrides the numbers of windows, and "trace=1" puts one more window of each case between two calls of
 * bench_mark(), for profiling/pathcost.py. Returns true if nothing failed and the calibration was stable.
 */
bool bench_run(const char *suite, const struct bench_case *const *tables);

void bench_mark(void);
struct utcb *bench_utcb(void); /* of the EC that runs the cases (on the boot CPU) */

/*
 * Is a tick of the time-stamp counter one executed instruction, as in emulators that count? Then a case that measures
 * how long something takes, others being at work meanwhile, has to be skipped.
 */
bool bench_counts_instructions(void);

/*
 * 2^BENCH_PAGES_ORDER pages of memory, and two ranges of address space of that size and alignment: one where the
 * memory is seen with its halves swapped, contiguous and aligned but without any superpage, and an empty one. Always
 * the same.
 */
#define BENCH_PAGES_ORDER 9
struct bench_pages {
	uint8_t *whole; /* as the pool has it */
	uint64_t swapped, target;
};
const char *bench_pages(struct bench_pages *pages); /* null, or why there are none */

/*
 * The timer pair. Both halves are one asm block with a fixed number of instructions between the two reads, so that
 * the overhead of an empty window is that of every window.
 */
static inline __attribute__((always_inline)) uint64_t bench_start(void)
{
	uint64_t t;

	__asm__ volatile("lfence\n\trdtsc\n\tshl $32, %%rdx\n\tor %%rdx, %%rax\n\tmov %%rax, %0"
			 : "=r"(t)
			 :
			 : "rax", "rdx", "cc", "memory");
	return t;
}

static inline __attribute__((always_inline)) uint64_t bench_ticks(uint64_t start)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return ((uint64_t)hi << 32 | lo) - start;
}

/* Ticks of running `operation`. */
#define BENCH(operation)                            \
	({                                          \
		uint64_t bench_t0_ = bench_start(); \
		operation;                          \
		bench_ticks(bench_t0_);             \
	})

/* Outside the timed part: the case fails unless every status was `want`. */
void bench_expect(enum status got, enum status want);
static inline void bench_status(enum status got)
{
	bench_expect(got, SUCCESS);
}

/* In setup: leaves it unless the call succeeds. Without memory or such a hypercall the case is skipped; every other
 * status fails it. */
#define BENCH_NEED(call)                                       \
	do {                                                   \
		enum status bench_st_ = (call);                \
		if (bench_st_ != SUCCESS)                      \
			return bench_needed(bench_st_, #call); \
	} while (0)
const char *bench_needed(enum status got, const char *call);

/* Outside the timed part: the case fails with this text (the first counts). */
void bench_fail(const char *why);
