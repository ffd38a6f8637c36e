/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/pmu.h"

#include "apic/lapic.h"
#include "arch/trace.h"
#include "cpu/cpu.h"
#include "entry/nmi.h"
#include "lib/bits.h"

#include <hedron/trace.h>

#define MSR_PMC0 0xc1
#define MSR_PERFEVTSEL0 0x186
#define MSR_PERF_GLOBAL_STATUS 0x38e
#define MSR_PERF_GLOBAL_CTRL 0x38f
#define MSR_PERF_GLOBAL_OVF_CTRL 0x390

#define EVTSEL_USER (1u << 16)
#define EVTSEL_KERNEL (1u << 17)
#define EVTSEL_INTERRUPT (1u << 20)
#define EVTSEL_ENABLE (1u << 22)

/* Event and unit mask (SDM vol. 3, table 20-1; the last is not architectural). */
static const u16 selectors[TRACE_COUNTER_KINDS] = {
	[TRACE_COUNTER_CYCLES] = 0x003c,        [TRACE_COUNTER_INSTRUCTIONS] = 0x00c0,
	[TRACE_COUNTER_REF_CYCLES] = 0x013c,    [TRACE_COUNTER_LLC_REFERENCES] = 0x4f2e,
	[TRACE_COUNTER_LLC_MISSES] = 0x412e,    [TRACE_COUNTER_BRANCHES] = 0x00c4,
	[TRACE_COUNTER_BRANCH_MISSES] = 0x00c5, [TRACE_COUNTER_DTLB_WALKS] = 0x0e08,
};

#define KINDS_ARCHITECTURAL TRACE_COUNTER_DTLB_WALKS
#define VERSION_GLOBAL 2 /* global control and status */
#define VERSION_WALKS 4  /* Skylake and later */

static struct {
	u8 kind[TRACE_COUNTERS_MAX];
	unsigned count;
	u32 period;
	unsigned last; /* the counter for samples; any, before there were some */
	u64 mask;      /* of what a counter holds */
} chosen;

struct pmu {
	unsigned version, counters, width;
	u32 missing; /* architectural events, a bit each */
};

/* CPUID 0AH. Zeroes where there is none. */
static struct pmu pmu_find(void)
{
	struct cpuid max = cpuid(0, 0), c = {0};

	if (max.eax >= 0xa)
		c = cpuid(0xa, 0);
	unsigned events = c.eax >> 24;
	return (struct pmu){
		.version = c.eax & 0xff,
		.counters = c.eax >> 8 & 0xff,
		.width = c.eax >> 16 & 0xff,
		.missing = events < 32 ? c.ebx | ~(u32)bits_low(events) : c.ebx,
	};
}

static bool usable(const struct pmu *p)
{
	return p->version >= VERSION_GLOBAL && p->counters;
}

static bool counts(const struct pmu *p, u8 kind)
{
	return kind < KINDS_ARCHITECTURAL ? !(p->missing >> kind & 1) : p->version >= VERSION_WALKS;
}

bool arch_pmu_choose(const u8 *kind, unsigned count)
{
	struct pmu p = pmu_find();

	if (count && (!usable(&p) || count > p.counters - 1))
		return false;
	for (unsigned i = 0; i < count; i++)
		if (!counts(&p, kind[i]))
			return false;
	for (unsigned i = 0; i < count; i++)
		chosen.kind[i] = kind[i];
	chosen.count = count;
	chosen.mask = bits_low(p.width);
	return true;
}

/* The last one, or the first that paths never need: then it is the same on processors of several kinds. */
static unsigned sample_counter(const struct pmu *p)
{
	return p->counters <= TRACE_COUNTERS_MAX ? p->counters - 1 : TRACE_COUNTERS_MAX;
}

/* Once there were samples, the look at the counter stays on: its last NMI may come after it was stopped. */
bool arch_pmu_set_period(u32 cycles)
{
	struct pmu p = pmu_find();

	if (cycles && !(usable(&p) && counts(&p, TRACE_COUNTER_CYCLES)))
		return false;
	chosen.period = cycles;
	if (cycles) {
		chosen.last = sample_counter(&p);
		nmi_order(NMI_ORDER_COUNTER, true);
	}
	return true;
}

/* The counter goes up to zero. What is written is extended from bit 31 (SDM vol. 3, 20.2.1.1). */
static u32 first_value(u32 cycles)
{
	return -cycles;
}

void arch_pmu_apply(void)
{
	struct pmu p = pmu_find();
	unsigned last = sample_counter(&p);
	u64 enabled = bits_low(chosen.count);

	if (!usable(&p))
		return;
	msr_write(MSR_PERF_GLOBAL_CTRL, 0);
	for (unsigned i = 0; i < last; i++)
		msr_write(MSR_PERFEVTSEL0 + i,
			  i < chosen.count ? selectors[chosen.kind[i]] | EVTSEL_KERNEL | EVTSEL_ENABLE : 0);
	msr_write(MSR_PERFEVTSEL0 + last, 0);
	if (chosen.period) {
		msr_write(MSR_PMC0 + last, first_value(chosen.period));
		lapic_counter_nmi();
		msr_write(MSR_PERFEVTSEL0 + last, selectors[TRACE_COUNTER_CYCLES] | EVTSEL_USER | EVTSEL_KERNEL |
							  EVTSEL_INTERRUPT | EVTSEL_ENABLE);
		enabled |= bit(last);
	}
	msr_write(MSR_PERF_GLOBAL_CTRL, enabled);
}

u64 arch_pmu_delta(u64 before, u64 after)
{
	return (after - before) & chosen.mask;
}

bool pmu_take_overflow(void)
{
	u32 period = READ_ONCE(chosen.period);

	if (!(msr_read(MSR_PERF_GLOBAL_STATUS) >> chosen.last & 1))
		return false;
	if (period)
		msr_write(MSR_PMC0 + chosen.last, first_value(period));
	msr_write(MSR_PERF_GLOBAL_OVF_CTRL, bit(chosen.last));
	if (period)
		lapic_counter_nmi(); /* the entry was masked by its interrupt (SDM vol. 3, 11.5.1) */
	return true;
}

void pmu_restore_cpu(void)
{
	if (chosen.count || chosen.period)
		arch_pmu_apply();
}
