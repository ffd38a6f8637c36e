/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Table-driven benchmarks in a roottask; reports as docs/bench-protocol.md says.
 *
 * A window is a function that does whatever preparation is not to be measured, times `batch` operations with BENCH()
 * and tells with bench_status() whether they worked. It returns the ticks; the harness takes the empty window's cost
 * off.
 */
#pragma once

#include "rt/bench/bench_case.h"
#include "rt/bench/bench_window.h"
#include "rt/hypercall.h"

#include <stdbool.h>

#define BENCH_WINDOWS 64
#define BENCH_WINDOWS_MAX 4096
#define BENCH_WARMUP 8
#define BENCH_TICKS_LEAST 1000 /* of a value that is a time, if as many windows may be added up */
#define BENCH_PRIO 64          /* cases run at this priority, so that there is room above and below */

/*
 * Runs all cases and reports. Each table ends with a case without a name, the list of tables with a null pointer.
 * On the command line "case=PREFIX,PREFIX..." restricts the run to cases whose name, or name/param:value, begins so;
 * "windows=N" overrides the numbers of values, and "trace=1" puts one more window of each case between two calls of
 * bench_mark(), for profiling/pathcost.py. Returns true if nothing failed and the calibration was stable.
 */
bool bench_run(const char *suite, const struct bench_case *const *tables);

/* Where debuggers stop; does nothing by itself. */
void bench_mark(void);
struct utcb *bench_utcb(void); /* of the EC that runs the cases (on the boot CPU) */

/* Outside the timed part: the case fails unless every status was `want`. */
void bench_expect(enum status got, enum status want);
static inline void bench_status(enum status got)
{
	bench_expect(got, SUCCESS);
}

/*
 * In setup: leaves it unless the call succeeds. Without memory or such a hypercall the case is skipped; every other
 * status fails it.
 */
#define BENCH_NEED(call)                                       \
	do {                                                   \
		enum status bench_st_ = (call);                \
		if (bench_st_ != SUCCESS)                      \
			return bench_needed(bench_st_, #call); \
	} while (0)
const char *bench_needed(enum status got, const char *call);

/* Outside the timed part: the case fails with this text (the first counts). */
void bench_fail(const char *why);
