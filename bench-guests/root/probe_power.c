/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manual: SDM vol. 3, 15 (frequencies, HWP); vol. 4, 2.1 and 2.17 (MSRs); APM vol. 2, 17.2 (boost). */
#include "probe.h"

#include "rt/bench/bench.h"
#include "rt/bench/bench_counters.h"
#include "rt/bench/bench_frequency.h"
#include "rt/bench/bench_machine.h"
#include "rt/cpu.h"
#include "rt/fmt.h"
#include "rt/hip.h"
#include "rt/string.h"

#define MSR_PKG_CST_CONFIG 0xe2
#define MSR_MISC_ENABLE 0x1a0
#define MSR_ENERGY_PERF_BIAS 0x1b0
#define MSR_PM_ENABLE 0x770
#define MSR_HWCR 0xc0010015
#define MSR_CPPC_ENABLE 0xc00102b1
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

/* name: of the finding, which is the most of several samples. */
static void find_clock(enum probe_weight weight, const char *name, const char *when, struct range r)
{
	if (r.most)
		probe_amount(weight, name, r.most,
			     "%s a busy core runs at " RATIO " to " RATIO " of the counter's frequency", when,
			     RATIO_ARGS(r.least), RATIO_ARGS(r.most));
	else
		probe_state(PROBE_FACT, name, "unknown", "%s the CPU does not tell at which frequency it runs", when);
}

/* Holds the frequency for a moment: what suites do with frequency=fixed. */
static void try_to_hold(void)
{
	unsigned level = 0;
	unsigned long before = 0, after = 0;
	const char *way = bench_frequency_way(&level), *why;
	struct range held;
	char state[40];

	if (!way) {
		probe_state(PROBE_FACT, "frequency_fixed", "not possible",
			    "no interface that holds the frequency is known here");
		return;
	}
	bench_frequency_register(&before);
	why = bench_frequency_hold_at(BENCH_PRIO, 0);
	if (why) {
		probe_state(PROBE_DOUBT, "frequency_fixed", "not possible",
			    "the frequency cannot be held still by %s: %s", way, why);
		return;
	}
	held = core_clock();
	bench_frequency_release();
	rt_snprintf(state, sizeof(state), "level %u by %s", level, way);
	if (!bench_frequency_register(&after) || after != before)
		probe_state(PROBE_DOUBT, "frequency_fixed", "not put back",
			    "%s was 0x%lx and did not come back: it is 0x%lx", way, before, after);
	else
		probe_state(PROBE_FACT, "frequency_fixed", state,
			    "frequency=fixed holds all CPUs at %s, and puts 0x%lx back", state, before);
	find_clock(PROBE_FACT, "clock_held_permille", "held:", held);
}

static void frequency(void)
{
	struct range free = core_clock();
	bool moves = free.most && free.most - free.least > 10;

	find_clock(moves ? PROBE_DOUBT : PROBE_FACT, "clock_permille", moves ? "moving:" : "as it is:", free);
	try_to_hold();
}

static void turbo(void)
{
	if (turbo_on())
		probe_state(PROBE_DOUBT, "turbo", "on",
			    "turbo is on: ticks are no measure of work; frequency=fixed, or off in the firmware");
	else
		probe_state(PROBE_FACT, "turbo", "off", "turbo is off, or not there");
}

/* Hardware-controlled P-states: Intel's HWP, AMD's CPPC. */
static void autonomy(void)
{
	const struct bench_cpu *cpu = bench_machine_cpu();
	bool has = cpu->amd ? rt_cpuid(0x80000008, 0).ebx & 1u << 27 : cpu->intel && rt_cpuid(6, 0).eax & 1u << 7;
	unsigned long on = 0;
	const char *state = "not there";

	if (has)
		state = bench_machine_msr(cpu->amd ? MSR_CPPC_ENABLE : MSR_PM_ENABLE, &on) && on & 1 ? "on" : "off";
	probe_state(PROBE_FACT, "hwp", state, "the CPU chooses its frequency by itself (HWP, CPPC): %s", state);
}

static void energy_bias(void)
{
	unsigned long value;
	char state[4];

	if (!bench_machine_cpu()->intel || !(rt_cpuid(6, 0).ecx & 1u << 3) ||
	    !bench_machine_msr(MSR_ENERGY_PERF_BIAS, &value))
		return;
	rt_snprintf(state, sizeof(state), "%lu", value & 15);
	if ((value & 15) > 6)
		probe_state(PROBE_DOUBT, "energy_bias", state, "the CPU prefers saving energy (bias %s of 15)",
			    state);
	else
		probe_state(PROBE_FACT, "energy_bias", state, "bias to saving energy: %s of 15", state);
}

/* How many ways there are to sleep in each C-state, by the hints of MWAIT. Manual: SDM vol. 2, CPUID leaf 5. */
static void mwait_states(void)
{
	struct rt_cpuid leaf;
	char state[64] = "";

	if (!(rt_cpuid(1, 0).ecx & 1u << 3) || rt_cpuid(0, 0).eax < 5)
		return;
	leaf = rt_cpuid(5, 0);
	for (unsigned n = 0; n < 8 && leaf.ecx & 1; n++)
		if (leaf.edx >> 4 * n & 15)
			rt_snprintf(state + strlen(state), sizeof(state) - strlen(state), " C%u: %u", n,
				    leaf.edx >> 4 * n & 15);
	if (!*state)
		rt_snprintf(state, sizeof(state), " not told");
	probe_state(PROBE_FACT, "mwait_states", state + 1, "sub-states that MWAIT can reach:%s", state);
}

static void sleep_states(void)
{
	unsigned long value;
	char state[20];
	const char *way = rt_cpuid(1, 0).ecx & 1u << 3 ? "MONITOR/MWAIT, or HLT" : "HLT";

	if (bench_machine_cpu()->intel && bench_machine_msr(MSR_PKG_CST_CONFIG, &value)) {
		rt_snprintf(state, sizeof(state), "%lu%s", value & 15, value & 1ul << 15 ? ", locked" : "");
		probe_state(PROBE_FACT, "c_state_limit", state,
			    "deepest C-state of the package: limit %s of the register 0xe2", state);
	}
	probe_state(PROBE_FACT, "idle", way, "idle CPUs wait by %s", way);
	mwait_states();
	if (bench_machine_cpu()->intel && !(rt_cpuid(6, 0).eax & 1u << 2))
		probe_state(PROBE_NOTE, "apic_timer", "may stop",
			    "the local APIC's timer may stop when CPUs sleep deeply");
	else
		probe_state(PROBE_FACT, "apic_timer", "runs always",
			    "the local APIC's timer runs also when CPUs sleep deeply");
}

/* The processor's own clock beside the counter's: whatever the frequency, work takes as many of them. */
static void core_cycles(void)
{
	const char *why = bench_counters_begin(BENCH_COUNTER_CYCLES);

	if (why) {
		probe_state(PROBE_FACT, "core_cycles", "not counted", "cycles of the core cannot be counted: %s",
			    why);
		return;
	}
	bench_counters_end();
	probe_state(PROBE_FACT, "core_cycles", "counted", "cycles of the core can be counted");
}

void probe_power(void)
{
	probe_heading("power and frequency");
	frequency();
	turbo();
	autonomy();
	energy_bias();
	sleep_states();
	core_cycles();
}
