/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fake of arch/x86_64/arch_trace.h: points look at masks, nobody is stopped, and counters are numbers that tests
 * set. */
#pragma once

#include "lib/types.h"

extern struct host_trace {
	u64 events, paths; /* points that are open */
	unsigned stops;
	void (*while_stopped)(void); /* if there is one */
	unsigned counters;           /* that this machine has */
	u64 counter[8];              /* their values: go up by i + 1 with each look */
	unsigned chosen;
	u32 period;
} host_trace;

static inline bool arch_trace_point(u64 events, u64 paths)
{
	return host_trace.events & events || host_trace.paths & paths;
}

void trace_record(unsigned event, unsigned extra, u64 a, u64 b);

static inline void arch_trace(unsigned event, unsigned extra, u64 a, u64 b)
{
	trace_record(event, extra, a, b);
}

static inline u64 arch_fetch_add_here(u64 *p, u64 n)
{
	u64 old = *p;
	*p += n;
	return old;
}

void arch_trace_patch(u64 events, u64 paths);
void arch_stop_machine(void (*once)(void *), void (*each)(void), void *arg);

bool arch_pmu_choose(const u8 *kind, unsigned count);
bool arch_pmu_set_period(u32 cycles);
void arch_pmu_apply(void);
u64 arch_pmu_read(unsigned i);
u64 arch_pmu_delta(u64 before, u64 after);
