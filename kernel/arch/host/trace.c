/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/trace.h"

struct host_trace host_trace;

void host_trace_record(unsigned event, unsigned extra, u64 a, u64 b)
{
	trace_record(event, extra, a, b);
}

void arch_trace_patch(u64 events, u64 paths)
{
	host_trace.events = events;
	host_trace.paths = paths;
}

void arch_stop_machine(void (*once)(void *), void (*each)(void), void *arg)
{
	host_trace.stops++;
	if (host_trace.while_stopped)
		host_trace.while_stopped();
	once(arg);
	if (each)
		each();
}

bool arch_pmu_choose(const u8 *kind, unsigned count)
{
	(void)kind;
	if (count > host_trace.counters)
		return false;
	host_trace.chosen = count;
	return true;
}

bool arch_pmu_set_period(u32 cycles)
{
	if (cycles && !host_trace.counters)
		return false;
	host_trace.period = cycles;
	return true;
}

void arch_pmu_apply(void) {}

u64 arch_pmu_delta(u64 before, u64 after)
{
	return after - before;
}
