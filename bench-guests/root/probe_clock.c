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
		probe_remark(PROBE_OBSTACLE, "the counters of some CPUs do not run at the same rate");
	else if (skew.certain)
		probe_remark(PROBE_OBSTACLE,
			     "the counter of CPU %u is at least %lu ticks away: cases across CPUs would be wrong",
			     skew.certain_cpu, skew.certain);
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
	compare();
}
