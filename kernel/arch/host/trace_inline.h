/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inline part of arch/trace.h for the fake CPU: points look at masks, nobody is stopped, and counters are numbers
 * that tests set. */
#pragma once

#include "lib/types.h"

extern struct host_trace {
	u64 events, paths; /* points that are on */
	unsigned stops;
	void (*while_stopped)(void); /* if there is one */
	unsigned counters;           /* that this machine has */
	u64 counter[8];              /* their values: go up by i + 1 with each look */
	unsigned chosen;
	u32 period;
} host_trace;

static always_inline bool arch_trace_point(u64 events, u64 paths)
{
	return host_trace.events & events || host_trace.paths & paths;
}

/* trace_record() is declared later. */
void host_trace_record(unsigned event, unsigned extra, u64 a, u64 b);

static always_inline void arch_trace(unsigned event, unsigned extra, u64 a, u64 b)
{
	host_trace_record(event, extra, a, b);
}

static always_inline u64 arch_pmu_read(unsigned i)
{
	return host_trace.counter[i] += i + 1;
}
