/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manual: SDM vol. 3, chapter 20 (performance monitoring); vol. 2, CPUID leaf 0xa. */
#include "rt/bench/bench_counters.h"

#include "rt/cmdline.h"
#include "rt/cpu.h"
#include "rt/hypercall.h"

#include <stdbool.h>
#include <stddef.h>

#define MSR_PMC0 0xc1
#define MSR_PERFEVTSEL0 0x186
#define MSR_FIXED_CTR0 0x309 /* instructions retired; the next one: cycles of the core */
#define MSR_FIXED_CTR_CTRL 0x38d
#define MSR_PERF_GLOBAL_CTRL 0x38f

#define FIXED_BOTH 0x33ul           /* counters 0 and 1, in all rings, without interrupts */
#define GLOBAL_ALL 0x300000001ul    /* these, and general counter 0 */
#define EVTSEL_MISSES 0x43412eul    /* event 0x2e, mask 0x41, in all rings, enabled */
#define EVENT_MISSES 4              /* its bit in CPUID leaf 0xa, EBX: not available */
#define COUNTER_MASK 0xfffffffffful /* no counter has fewer bits */

static bool has_counters(void)
{
	struct rt_cpuid c;

	if (rt_cpuid(0, 0).eax < 0xa)
		return false;
	c = rt_cpuid(0xa, 0);
	return (c.eax & 0xff) >= 2 && (c.eax >> 8 & 0xff) >= 1 && (c.edx & 31) >= 2 && c.eax >> 24 > EVENT_MISSES &&
	       !(c.ebx >> EVENT_MISSES & 1);
}

static bool set_up(void)
{
	return hc_msr_write(MSR_PERF_GLOBAL_CTRL, 0) == SUCCESS &&
	       hc_msr_write(MSR_FIXED_CTR_CTRL, FIXED_BOTH) == SUCCESS &&
	       hc_msr_write(MSR_PERFEVTSEL0, EVTSEL_MISSES) == SUCCESS &&
	       hc_msr_write(MSR_PERF_GLOBAL_CTRL, GLOBAL_ALL) == SUCCESS;
}

const char *bench_counters_begin(void)
{
	if (!has_counters())
		return "the processor has no performance counters that are known here";
	if (rt_arg_text("trace_counters") || rt_arg_text("trace_period"))
		return "the kernel's trace uses the performance counters";
	return set_up() ? NULL : "the performance counters cannot be set up";
}

/* The status does not matter: counters that cannot be stopped could not be started either. */
void bench_counters_end(void)
{
	enum status ignored = hc_msr_write(MSR_PERF_GLOBAL_CTRL, 0);

	(void)ignored;
}

uint64_t bench_counters_read(enum bench_counter counter)
{
	static const unsigned msrs[] = {
		[BENCH_COUNTER_CYCLES] = MSR_FIXED_CTR0 + 1,
		[BENCH_COUNTER_INSTRUCTIONS] = MSR_FIXED_CTR0,
		[BENCH_COUNTER_MISSES] = MSR_PMC0,
	};
	unsigned long value = 0;

	return hc_msr_read(msrs[counter], &value) == SUCCESS ? value : 0;
}

uint64_t bench_counters_between(uint64_t before, uint64_t after)
{
	return (after - before) & COUNTER_MASK;
}
