/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time-stamp counters, alone and compared. */
#include "probe.h"

#include "rt/bench/bench.h"
#include "rt/bench/bench_calibrate.h"
#include "rt/bench/bench_machine.h"
#include "rt/bench/bench_skew.h"
#include "rt/hip.h"

static void compare(void)
{
	struct bench_skew skew = bench_skew_measure(BENCH_PRIO);

	if (!skew.cpus)
		return;
	probe_say("counters of %u CPUs compared with that of CPU %u: differences between %ld and %ld ticks",
		  skew.cpus, rt_cpu, skew.least, skew.most);
	if (skew.drifting)
		probe_state(PROBE_OBSTACLE, "tsc_synchronous", "drifting",
			    "the counters of some CPUs do not run at the same rate");
	else if (skew.certain)
		probe_state(PROBE_OBSTACLE, "tsc_synchronous", "no",
			    "the counter of CPU %u is at least %lu ticks away: cases across CPUs would be wrong",
			    skew.certain_cpu, skew.certain);
	else
		probe_state(PROBE_FACT, "tsc_synchronous", "yes", "as far as can be seen they are the same");
}

static void invariant(void)
{
	if (bench_machine_cpu()->tsc_invariant)
		probe_state(PROBE_FACT, "tsc_invariant", "yes", "it is invariant");
	else
		probe_state(PROBE_OBSTACLE, "tsc_invariant", "no",
			    "it is not invariant: its frequency changes with the core's, or it stops");
}

void probe_clock(void)
{
	struct bench_calibration cal = bench_calibrate();

	probe_heading("time-stamp counter");
	probe_amount(PROBE_FACT, "tsc_khz", rt_hip->freq_tsc, "%u kHz; reading it twice takes %lu to %lu ticks",
		     rt_hip->freq_tsc, cal.overhead, cal.overhead_max);
	invariant();
	if (cal.stable)
		probe_state(PROBE_FACT, "empty_windows", "stable",
			    "the least that an empty window takes is always the same");
	else
		probe_state(PROBE_OBSTACLE, "empty_windows", "unstable",
			    "the least that an empty window takes is not always the same: no run is valid");
	compare();
}
