/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rate of the TSC, measured with counters of known frequency, all of them in the same few milliseconds. What
 * holds the CPU up between two looks (an SMI, an emulator without a CPU of its own) passes on both clocks and does no
 * harm; what holds it up within a look makes the look loose, and of several looks the tightest counts.
 */
#pragma once

#include "platform/counter.h"

enum counter_verdict {
	COUNTER_UNSTEADY, /* counts, but what was measured is not to be trusted */
	COUNTER_ABSENT,
	COUNTER_STUCK, /* does not count */
	COUNTER_GOOD,
};

struct counter_rate {
	enum counter_verdict verdict;
	u32 khz; /* 0 unless good */
	u32 ppm; /* how far it may be off, in millionths */
};

/* Rates outside are nonsense: the slowest is an emulator's. */
#define COUNTER_KHZ_MIN 1000u
#define COUNTER_KHZ_MAX 20000000u

#define COUNTER_RATE_MAX 4 /* at most so many at once */

/* rate[i] is what was measured with counter[i]. A counter that is absent or stuck costs less than the measurement. */
void counter_rate_measure(struct counter counter[], struct counter_rate rate[], unsigned n);

/* By how many millionths of the smaller one two rates differ; neither is 0. */
u32 counter_rate_apart(u32 a, u32 b);
