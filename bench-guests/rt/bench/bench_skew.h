/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The time-stamp counters of all CPUs against that of the CPU that calls. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct bench_skew {
	unsigned cpus;    /* that were compared; 0: there is no other CPU */
	long least, most; /* no counter is further behind or ahead than this, in ticks */
	uint64_t certain; /* one of them is at least so far away; 0: all may be the same */
	unsigned certain_cpu;
	bool drifting; /* one of them does not run at the same rate */
};

/* Compares one other CPU, by a thread of priority `prio` there. */
struct bench_skew bench_skew_of(unsigned cpu, unsigned prio);

/* Compares all enabled CPUs; takes a millisecond for each. What was found is kept for bench_skew_drift(). */
struct bench_skew bench_skew_measure(unsigned prio);

/* Compares them again: so many ticks at least a counter has moved against that of the calling CPU. 0: perhaps none.
 */
uint64_t bench_skew_drift(unsigned prio);
