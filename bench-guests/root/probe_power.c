/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manual: SDM vol. 3, 15 (frequencies, HWP); vol. 4, 2.1 and 2.17 (MSRs); APM vol. 2, 17.2 (boost). */
#include "probe.h"

#include "rt/bench/bench.h"
#include "rt/bench/bench_frequency.h"
#include "rt/bench/bench_machine.h"
#include "rt/cpu.h"
#include "rt/hip.h"

#define MSR_PKG_CST_CONFIG 0xe2
#define MSR_MISC_ENABLE 0x1a0
#define MSR_ENERGY_PERF_BIAS 0x1b0
#define MSR_HWCR 0xc0010015
#define HWCR_NO_BOOST (1ul << 25)
#define MISC_ENABLE_NO_TURBO (1ul << 38)

enum { SAMPLES = 10 };

static bool turbo_on(void)
{
	const struct bench_cpu *cpu = bench_machine_cpu();
	unsigned long value;

	if (cpu->amd)
		return rt_cpuid(0x80000000, 0).eax >= 0x80000007 && rt_cpuid(0x80000007, 0).edx & 1u << 9 &&
		       bench_machine_msr(MSR_HWCR, &value) && !(value & HWCR_NO_BOOST);
	/* CPUID says whether turbo can be had now; the register whether firmware has switched it off. */
	return cpu->intel && rt_cpuid(6, 0).eax & 1u << 1 &&
	       (!bench_machine_msr(MSR_MISC_ENABLE, &value) || !(value & MISC_ENABLE_NO_TURBO));
}

/* Thousandths of the counter's frequency, as text. */
#define RATIO "%u.%03u"
#define RATIO_ARGS(r) (r) / 1000, (r) % 1000

struct range {
	unsigned least, most; /* thousandths of the counter's frequency; most 0: not known */
};

static struct range core_clock(void)
{
	struct range r = {UINT32_MAX, 0};

	for (unsigned i = 0; i < SAMPLES; i++) {
		unsigned ratio = bench_machine_clock();

		r.least = ratio < r.least ? ratio : r.least;
		r.most = ratio > r.most ? ratio : r.most;
	}
	return r;
}

static void say_clock(const char *when, struct range r)
{
	if (r.most)
		probe_say("%s a busy core runs at " RATIO " to " RATIO " of the counter's frequency", when,
			  RATIO_ARGS(r.least), RATIO_ARGS(r.most));
	else
		probe_say("%s the CPU does not tell at which frequency it runs", when);
}

/* Holds the frequency for a moment: what suites do with frequency=fixed. */
static void try_to_hold(void)
{
	unsigned level = 0;
	unsigned long before = 0, after = 0;
	const char *way = bench_frequency_way(&level), *why;
	struct range held;

	if (!way) {
		probe_say("no interface that holds the frequency is known here");
		return;
	}
	bench_frequency_register(&before);
	why = bench_frequency_hold_at(BENCH_PRIO, 0);
	if (why) {
		probe_remark(PROBE_DOUBT, "the frequency cannot be held still by %s: %s", way, why);
		return;
	}
	held = core_clock();
	bench_frequency_release();
	if (!bench_frequency_register(&after) || after != before)
		probe_remark(PROBE_DOUBT, "%s was 0x%lx and did not come back: it is 0x%lx", way, before, after);
	else
		probe_say("frequency=fixed holds all CPUs at level %u by %s, and puts 0x%lx back", level, way,
			  before);
	say_clock("held:", held);
}

static void frequency(void)
{
	struct range free = core_clock();

	say_clock("as it is:", free);
	if (free.most - free.least > 10 && free.most)
		probe_remark(PROBE_DOUBT, "the core's frequency moves by %u per mille within %u ms",
			     free.most - free.least, SAMPLES * 20);
	try_to_hold();
}

static void turbo(void)
{
	if (turbo_on())
		probe_remark(PROBE_DOUBT,
			     "turbo is on: ticks are no measure of work; frequency=fixed, or off in the firmware");
	else
		probe_say("turbo is off, or not there");
}

static void saving(void)
{
	unsigned long value;

	if (bench_machine_cpu()->intel && rt_cpuid(6, 0).ecx & 1u << 3 &&
	    bench_machine_msr(MSR_ENERGY_PERF_BIAS, &value) && (value & 15) > 6)
		probe_remark(PROBE_DOUBT, "the CPU prefers saving energy (bias %lu of 15)", value & 15);
	if (bench_machine_cpu()->intel && bench_machine_msr(MSR_PKG_CST_CONFIG, &value))
		probe_say("deepest C-state of the package: limit %lu of the register 0xe2%s", value & 15,
			  value & 1ul << 15 ? ", locked" : "");
	probe_say("idle CPUs wait by %s", rt_cpuid(1, 0).ecx & 1u << 3 ? "MONITOR/MWAIT, or HLT" : "HLT");
	if (bench_machine_cpu()->intel && !(rt_cpuid(6, 0).eax & 1u << 2))
		probe_remark(PROBE_NOTE, "the local APIC's timer may stop when CPUs sleep deeply");
}

void probe_power(void)
{
	probe_heading("power and frequency");
	frequency();
	turbo();
	saving();
}
