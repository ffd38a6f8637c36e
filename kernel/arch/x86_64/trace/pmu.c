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

/* AMD's: the old four, and those of the core extension, where each counter is behind its selection. */
#define MSR_AMD_CTL0_OLD 0xc0010000
#define MSR_AMD_CTR0_OLD 0xc0010004
#define MSR_AMD_CTL0 0xc0010200
#define MSR_AMD_CTR0 0xc0010201
#define EXT1_ECX_CORE_COUNTERS (1u << 23)
#define AMD_COUNTERS_OLD 4
#define AMD_COUNTERS 6
#define AMD_WIDTH 48

#define EVTSEL_USER (1u << 16)
#define EVTSEL_KERNEL (1u << 17)
#define EVTSEL_INTERRUPT (1u << 20)
#define EVTSEL_ENABLE (1u << 22)

/* Event and unit mask (SDM vol. 3, table 20-1; the last is not architectural). */
static const u16 intel_selectors[TRACE_COUNTER_KINDS] = {
	[TRACE_COUNTER_CYCLES] = 0x003c,        [TRACE_COUNTER_INSTRUCTIONS] = 0x00c0,
	[TRACE_COUNTER_REF_CYCLES] = 0x013c,    [TRACE_COUNTER_LLC_REFERENCES] = 0x4f2e,
	[TRACE_COUNTER_LLC_MISSES] = 0x412e,    [TRACE_COUNTER_BRANCHES] = 0x00c4,
	[TRACE_COUNTER_BRANCH_MISSES] = 0x00c5, [TRACE_COUNTER_DTLB_WALKS] = 0x0e08,
};

/* Those that all of AMD's families have with one number (their Processor Programming References). The last-level
 * cache has counters of its own, outside of the cores. */
static const u16 amd_selectors[TRACE_COUNTER_KINDS] = {
	[TRACE_COUNTER_CYCLES] = 0x0076,
	[TRACE_COUNTER_INSTRUCTIONS] = 0x00c0,
	[TRACE_COUNTER_BRANCHES] = 0x00c2,
	[TRACE_COUNTER_BRANCH_MISSES] = 0x00c3,
};

#define KINDS_ARCHITECTURAL TRACE_COUNTER_DTLB_WALKS
#define VERSION_GLOBAL 2 /* global control and status */
#define VERSION_WALKS 4  /* Skylake and later */

struct pmu {
	unsigned counters, width; /* 0: none */
	bool global;              /* one register switches all of them, and one says which have run over */
	u32 missing;              /* events, a bit each */
	const u16 *selectors;
	u32 select, count, apart; /* MSRs of the first counter, and from one counter to the next */
};

static struct {
	u8 kind[TRACE_COUNTERS_MAX];
	unsigned count;
	u32 period;
	u64 mask; /* of what a counter holds */

	/* for samples: constant from the first ones on */
	struct pmu pmu;
	unsigned last; /* the counter */
} chosen;

/* CPUID 0AH. */
static struct pmu find_intel(void)
{
	struct cpuid c = {0};

	if (cpuid(0, 0).eax >= 0xa)
		c = cpuid(0xa, 0);
	unsigned version = c.eax & 0xff, events = c.eax >> 24;
	u32 missing = events < 32 ? c.ebx | ~(u32)bits_low(events) : c.ebx;
	u32 walks = version >= VERSION_WALKS ? 0 : 1u << TRACE_COUNTER_DTLB_WALKS;
	return (struct pmu){
		.counters = version >= VERSION_GLOBAL ? c.eax >> 8 & 0xff : 0,
		.width = c.eax >> 16 & 0xff,
		.global = true,
		.missing = (missing & (u32)bits_low(KINDS_ARCHITECTURAL)) | walks,
		.selectors = intel_selectors,
		.select = MSR_PERFEVTSEL0,
		.count = MSR_PMC0,
		.apart = 1,
	};
}

static enum { AMD_UNKNOWN, AMD_STANDS_STILL, AMD_COUNTS } amd_outcome;

/*
 * All processors have them, but not all emulators and virtual machines: there a counter does not keep its value. A
 * look changes it, hence there is but one, before it is used.
 */
static bool amd_counts(u32 count)
{
	const u64 value = bit(AMD_WIDTH - 1) | 0x1234;
	u64 seen;

	if (amd_outcome == AMD_UNKNOWN)
		amd_outcome = msr_write_safe(count, value) && msr_read_safe(count, &seen) && seen == value
				      ? AMD_COUNTS
				      : AMD_STANDS_STILL;
	return amd_outcome == AMD_COUNTS;
}

/* APM vol. 2, 13.2. */
static struct pmu find_amd(void)
{
	bool core = cpuid(0x80000001, 0).ecx & EXT1_ECX_CORE_COUNTERS;
	u32 count = core ? MSR_AMD_CTR0 : MSR_AMD_CTR0_OLD;
	struct pmu p = {
		.counters = core ? AMD_COUNTERS : AMD_COUNTERS_OLD,
		.width = AMD_WIDTH,
		.selectors = amd_selectors,
		.select = core ? MSR_AMD_CTL0 : MSR_AMD_CTL0_OLD,
		.count = count,
		.apart = core ? 2 : 1,
	};

	if (!amd_counts(count))
		p.counters = 0;
	for (unsigned kind = 0; kind < TRACE_COUNTER_KINDS; kind++)
		p.missing |= amd_selectors[kind] ? 0 : 1u << kind;
	return p;
}

static struct pmu pmu_find(void)
{
	return cpu_is_amd() ? find_amd() : find_intel();
}

static bool counts(const struct pmu *p, u8 kind)
{
	return p->counters && !(p->missing >> kind & 1);
}

bool arch_pmu_choose(const u8 *kind, unsigned count)
{
	struct pmu p = pmu_find();

	if (count && (!p.counters || count > p.counters - 1))
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

	if (cycles && !counts(&p, TRACE_COUNTER_CYCLES))
		return false;
	chosen.period = cycles;
	if (cycles) {
		chosen.pmu = p;
		chosen.last = sample_counter(&p);
		nmi_order(NMI_ORDER_COUNTER, true);
	}
	return true;
}

static void select(const struct pmu *p, unsigned i, u64 value)
{
	msr_write(p->select + i * p->apart, value);
}

/*
 * The counter goes up to zero. Intel's processors extend what is written from bit 31 (SDM vol. 3, 20.2.1.1), AMD's
 * write all bits.
 */
static void set_sample_counter(const struct pmu *p, unsigned i, u32 cycles)
{
	msr_write(p->count + i * p->apart, p->global ? -cycles : -(u64)cycles & bits_low(p->width));
}

void arch_pmu_apply(void)
{
	struct pmu p = pmu_find();
	unsigned last = sample_counter(&p);
	u64 enabled = bits_low(chosen.count);

	if (!p.counters)
		return;
	if (p.global)
		msr_write(MSR_PERF_GLOBAL_CTRL, 0);
	for (unsigned i = 0; i < last; i++)
		select(&p, i, i < chosen.count ? p.selectors[chosen.kind[i]] | EVTSEL_KERNEL | EVTSEL_ENABLE : 0);
	select(&p, last, 0);
	if (chosen.period) {
		set_sample_counter(&p, last, chosen.period);
		lapic_counter_nmi();
		select(&p, last,
		       p.selectors[TRACE_COUNTER_CYCLES] | EVTSEL_USER | EVTSEL_KERNEL | EVTSEL_INTERRUPT |
			       EVTSEL_ENABLE);
		enabled |= bit(last);
	}
	if (p.global)
		msr_write(MSR_PERF_GLOBAL_CTRL, enabled);
}

u64 arch_pmu_delta(u64 before, u64 after)
{
	return (after - before) & chosen.mask;
}

/* Without a register that says so, a counter has run over when its highest bit is not set any more. */
static bool has_run_over(const struct pmu *p, unsigned i)
{
	if (p->global)
		return msr_read(MSR_PERF_GLOBAL_STATUS) >> i & 1;
	return !(msr_read(p->count + i * p->apart) >> (p->width - 1) & 1);
}

bool pmu_take_overflow(void)
{
	const struct pmu *p = &chosen.pmu;
	u32 period = READ_ONCE(chosen.period);

	if (!has_run_over(p, chosen.last))
		return false;
	if (period || !p->global) /* one that has stopped must not look as if it had run over once more */
		set_sample_counter(p, chosen.last, period ? period : 1);
	if (p->global)
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
