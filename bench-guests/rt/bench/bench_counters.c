/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manual: SDM vol. 3, chapter 20 (performance monitoring); vol. 2, CPUID leaf 0xa; APM vol. 2, 13.2. */
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

#define EVTSEL_MISSES 0x43412eul    /* event 0x2e, mask 0x41, in all rings, enabled */
#define EVENT_MISSES 4              /* its bit in CPUID leaf 0xa, EBX: not available */
#define COUNTER_MASK 0xfffffffffful /* no counter has fewer bits */

/* Fixed counter n counts in all rings, without interrupts. */
#define FIXED_ALL_RINGS(n) (3ul << 4 * (n))
#define GLOBAL_FIXED(n) (1ul << (32 + (n)))
#define GLOBAL_PMC0 1ul

/* AMD's, of which all processors have these. The last-level cache has counters outside of the cores. */
#define MSR_AMD_CTL0 0xc0010000
#define MSR_AMD_CTR0 0xc0010004
#define MSR_AMD_CTL0_CORE 0xc0010200 /* the same counter's, where there is the core extension */
#define MSR_AMD_CTR0_CORE 0xc0010201
#define EXT1_ECX_CORE_COUNTERS (1u << 23)
#define EVTSEL_AMD_CYCLES 0x430076ul
#define EVTSEL_AMD_INSTRUCTIONS 0x4300c0ul

/* How a counter is read, and what makes it run. */
static const struct counter {
	unsigned msr;
	unsigned long fixed, select, global; /* values of the controlling registers; select 0: not of use */
	unsigned long amd;                   /* AMD's selection; 0: there is none */
} counters[] = {
	[BENCH_COUNTER_CYCLES] = {MSR_FIXED_CTR0 + 1, FIXED_ALL_RINGS(1), 0, GLOBAL_FIXED(1), EVTSEL_AMD_CYCLES},
	[BENCH_COUNTER_INSTRUCTIONS] = {MSR_FIXED_CTR0, FIXED_ALL_RINGS(0), 0, GLOBAL_FIXED(0),
					EVTSEL_AMD_INSTRUCTIONS},
	[BENCH_COUNTER_MISSES] = {MSR_PMC0, 0, EVTSEL_MISSES, GLOBAL_PMC0, 0},
};

/* Of this machine; bench_counters_begin() finds them. */
static unsigned amd_select, amd_count; /* MSRs; 0: Intel's are used */

static void find_amd(void)
{
	bool core = rt_cpuid(0x80000001, 0).ecx & EXT1_ECX_CORE_COUNTERS;

	amd_select = amd_count = 0;
	if (!rt_cpu_is_amd())
		return;
	amd_select = core ? MSR_AMD_CTL0_CORE : MSR_AMD_CTL0;
	amd_count = core ? MSR_AMD_CTR0_CORE : MSR_AMD_CTR0;
}

/* A fixed counter wants version 2, the general one also the event. */
static bool has(const struct counter *counter)
{
	struct rt_cpuid c;

	if (amd_count)
		return counter->amd;
	if (rt_cpuid(0, 0).eax < 0xa)
		return false;
	c = rt_cpuid(0xa, 0);
	if ((c.eax & 0xff) < 2)
		return false;
	if (!counter->select)
		return (c.edx & 31) > counter->msr - MSR_FIXED_CTR0;
	return (c.eax >> 8 & 0xff) >= 1 && c.eax >> 24 > EVENT_MISSES && !(c.ebx >> EVENT_MISSES & 1);
}

static bool set_up(const struct counter *counter)
{
	if (amd_count)
		return hc_msr_write(amd_select, counter->amd) == SUCCESS;
	return hc_msr_write(MSR_PERF_GLOBAL_CTRL, 0) == SUCCESS &&
	       hc_msr_write(MSR_FIXED_CTR_CTRL, counter->fixed) == SUCCESS &&
	       (!counter->select || hc_msr_write(MSR_PERFEVTSEL0, counter->select) == SUCCESS) &&
	       hc_msr_write(MSR_PERF_GLOBAL_CTRL, counter->global) == SUCCESS;
}

/* Some virtual machines take the values and count nothing. Between two reads are hundreds of cycles and instructions;
 * there need not be a miss. */
static bool counts(enum bench_counter counter)
{
	uint64_t before = bench_counters_read(counter);

	return counters[counter].select || bench_counters_between(before, bench_counters_read(counter));
}

const char *bench_counters_begin(enum bench_counter counter)
{
	find_amd();
	if (!has(&counters[counter]))
		return "the processor has no performance counters that are known here";
	if (rt_arg_text("trace_counters") || rt_arg_text("trace_period"))
		return "the kernel's trace uses the performance counters";
	if (!set_up(&counters[counter]))
		return "the performance counters cannot be set up";
	if (counts(counter))
		return NULL;
	bench_counters_end();
	return "the performance counter stands still";
}

/* The status does not matter: counters that cannot be stopped could not be started either. */
void bench_counters_end(void)
{
	enum status ignored = hc_msr_write(amd_select ? amd_select : MSR_PERF_GLOBAL_CTRL, 0);

	(void)ignored;
}

uint64_t bench_counters_read(enum bench_counter counter)
{
	unsigned long value = 0;

	return hc_msr_read(amd_count ? amd_count : counters[counter].msr, &value) == SUCCESS ? value : 0;
}

uint64_t bench_counters_between(uint64_t before, uint64_t after)
{
	return (after - before) & COUNTER_MASK;
}
