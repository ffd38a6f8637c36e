/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is timed, and how. */
#pragma once

#include <stdint.h>

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
