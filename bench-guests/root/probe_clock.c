/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time-stamp counters. That of another CPU is read between two reads of this one's: it is behind by less than the
 * time to the second and ahead by less than that since the first. The bounds of many rounds together tell whether 0
 * is still possible.
 */
#include "probe.h"

#include "rt/bench/bench_calibrate.h"
#include "rt/bench/bench_machine.h"
#include "rt/bench/workers.h"
#include "rt/hip.h"

enum { ROUNDS = 2000 };

static struct {
	unsigned long asked, answered;
	uint64_t stamp;
} talk __attribute__((aligned(64)));

static uint64_t ordered_tsc(void)
{
	__asm__ volatile("lfence" : : : "memory");
	uint64_t t = rt_rdtsc();
	__asm__ volatile("lfence" : : : "memory");
	return t;
}

static uint64_t answer(unsigned self)
{
	(void)self;
	for (unsigned long round = 1; round <= ROUNDS; round++) {
		workers_until(&talk.asked, round);
		talk.stamp = ordered_tsc();
		__atomic_store_n(&talk.answered, round, __ATOMIC_RELEASE);
	}
	return 0;
}

/* How far CPU n is ahead of this one, in ticks: at least *low, at most *high. */
static void compare(unsigned n, long *low, long *high)
{
	*low = INT64_MIN;
	*high = INT64_MAX;
	talk.asked = talk.answered = 0;
	workers_start(n, answer);
	for (unsigned long round = 1; round <= ROUNDS; round++) {
		uint64_t before = ordered_tsc(), after;

		__atomic_store_n(&talk.asked, round, __ATOMIC_RELEASE);
		workers_until(&talk.answered, round);
		after = ordered_tsc();
		if ((long)(talk.stamp - after) > *low)
			*low = (long)(talk.stamp - after);
		if ((long)(talk.stamp - before) < *high)
			*high = (long)(talk.stamp - before);
	}
	workers_wait(n);
}

static void compare_all(void)
{
	long least = INT64_MAX, most = INT64_MIN;

	for (unsigned n = 1; n < workers_count; n++) {
		long low, high;

		compare(n, &low, &high);
		if (low > high)
			probe_remark(PROBE_OBSTACLE, "CPU %u's counter does not run like that of CPU %u: they drift",
				     workers_cpu(n), rt_cpu);
		else if (low > 0 || high < 0)
			probe_remark(PROBE_OBSTACLE, "CPU %u's counter is %ld to %ld ticks ahead of CPU %u's",
				     workers_cpu(n), low, high, rt_cpu);
		least = low < least ? low : least;
		most = high > most ? high : most;
	}
	if (workers_count > 1)
		probe_say("counters of %u CPUs compared with that of CPU %u: differences between %ld and %ld ticks",
			  workers_count - 1, rt_cpu, least, most);
}

void probe_clock(void)
{
	struct bench_calibration cal = bench_calibrate();

	probe_heading("time-stamp counter");
	probe_say("%u kHz; reading it twice takes %lu to %lu ticks", rt_hip->freq_tsc, cal.overhead,
		  cal.overhead_max);
	if (!bench_machine_cpu()->tsc_invariant)
		probe_remark(PROBE_OBSTACLE,
			     "it is not invariant: its frequency changes with the core's, or it stops");
	if (!cal.stable)
		probe_remark(PROBE_OBSTACLE,
			     "the least that an empty window takes is not always the same: no run is valid");
	compare_all();
}
