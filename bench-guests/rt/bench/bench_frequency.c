/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Manual: SDM vol. 3, 15.1 (PERF_CTL), 15.3.2 (turbo), 15.4 (HWP); vol. 4, 2.1 (PLATFORM_INFO). APM vol. 2, 17.1
 * (P-states); the processor programming references of AMD's families (CPPC).
 */
#include "rt/bench/bench_frequency.h"

#include "rt/attr.h"
#include "rt/bench/bench_machine.h"
#include "rt/cmdline.h"
#include "rt/cpu.h"
#include "rt/fmt.h"
#include "rt/hip.h"
#include "rt/hypercall.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/size.h"
#include "rt/thread.h"

#define MSR_PLATFORM_INFO 0xce
#define MSR_PERF_CTL 0x199
#define MSR_PM_ENABLE 0x770
#define MSR_HWP_CAPABILITIES 0x771
#define MSR_HWP_REQUEST 0x774
#define MSR_PSTATE_LIMIT 0xc0010061
#define MSR_PSTATE_CONTROL 0xc0010062
#define MSR_CPPC_CAPABILITY 0xc00102b0
#define MSR_CPPC_ENABLE 0xc00102b1
#define MSR_CPPC_REQUEST 0xc00102b3

#define PERF_CTL_NO_TURBO (1ul << 32)
/* Minimum, maximum, desired level and preference. What else is in the register stays. */
#define REQUEST_FIELDS 0xfffffffful

struct way {
	const char *name;
	unsigned msr;
	bool (*usable)(unsigned *level); /* on the CPU that calls; level: where turbo ends */
	unsigned long (*value)(unsigned long old, unsigned level);
};

static unsigned byte_of(unsigned long value, unsigned shift)
{
	return value >> shift & 0xff;
}

static bool hwp_usable(unsigned *level)
{
	unsigned long on, capabilities;

	if (!(rt_cpuid(6, 0).eax & 1u << 7) || !bench_machine_msr(MSR_PM_ENABLE, &on) || !(on & 1) ||
	    !bench_machine_msr(MSR_HWP_CAPABILITIES, &capabilities))
		return false;
	*level = byte_of(capabilities, 8); /* guaranteed */
	return *level != 0;
}

/* Minimum and maximum are both the level, so it does not matter which one is desired (0: the CPU chooses); the
 * preference 0 is for performance. */
static unsigned long hwp_value(unsigned long old, unsigned level)
{
	return (old & ~REQUEST_FIELDS) | level | (unsigned long)level << 8;
}

static bool perf_ctl_usable(unsigned *level)
{
	unsigned long info;

	if (!(rt_cpuid(1, 0).ecx & 1u << 7) || !bench_machine_msr(MSR_PLATFORM_INFO, &info))
		return false;
	*level = byte_of(info, 8);
	return *level != 0;
}

static unsigned long perf_ctl_value(RT_UNUSED unsigned long old, unsigned level)
{
	return (unsigned long)level << 8 | PERF_CTL_NO_TURBO;
}

static bool cppc_usable(unsigned *level)
{
	unsigned long on, capability;

	if (!(rt_cpuid(0x80000008, 0).ebx & 1u << 27) || !bench_machine_msr(MSR_CPPC_ENABLE, &on) || !(on & 1) ||
	    !bench_machine_msr(MSR_CPPC_CAPABILITY, &capability))
		return false;
	*level = byte_of(capability, 16); /* nominal */
	return *level != 0;
}

static unsigned long cppc_value(unsigned long old, unsigned level)
{
	return (old & ~REQUEST_FIELDS) | level | (unsigned long)level << 8 | (unsigned long)level << 16;
}

/* Only P0 is boosted, so the next one is the fastest that stands still. */
static bool pstate_usable(unsigned *level)
{
	unsigned long limit;

	if (rt_cpuid(0x80000000, 0).eax < 0x80000007 || !(rt_cpuid(0x80000007, 0).edx & 1u << 7) ||
	    !bench_machine_msr(MSR_PSTATE_LIMIT, &limit))
		return false;
	*level = (limit >> 4 & 7) ? 1 : 0;
	return true;
}

static unsigned long pstate_value(RT_UNUSED unsigned long old, unsigned level)
{
	return level;
}

/* In the order in which they are tried: with HWP or CPPC on, the older registers do nothing. */
static const struct way intel_ways[] = {
	{"hwp", MSR_HWP_REQUEST, hwp_usable, hwp_value},
	{"perf_ctl", MSR_PERF_CTL, perf_ctl_usable, perf_ctl_value},
	{},
};
static const struct way amd_ways[] = {
	{"cppc", MSR_CPPC_REQUEST, cppc_usable, cppc_value},
	{"pstate", MSR_PSTATE_CONTROL, pstate_usable, pstate_value},
	{},
};

static const struct way *find_way(unsigned *level)
{
	const struct bench_cpu *cpu = bench_machine_cpu();
	const struct way *w = cpu->intel ? intel_ways : cpu->amd ? amd_ways : NULL;

	while (w && w->name && !w->usable(level))
		w++;
	return w && w->name ? w : NULL;
}

const char *bench_frequency_way(unsigned *level)
{
	const struct way *w = find_way(level);

	return w ? w->name : NULL;
}

bool bench_frequency_register(unsigned long *value)
{
	unsigned level;
	const struct way *w = find_way(&level);

	return w && bench_machine_msr(w->msr, value);
}

/* ---- On all CPUs ---- */

static struct {
	const struct way *way;
	unsigned level, prio;
	sel_t done;
	struct {
		bool held;
		unsigned long old;
	} cpus[HEDRON_CPU_MAX];
} state;

static void hold_here(unsigned cpu)
{
	unsigned long old;

	if (!bench_machine_msr(state.way->msr, &old) ||
	    hc_msr_write(state.way->msr, state.way->value(old, state.level)) != SUCCESS)
		return;
	state.cpus[cpu].old = old;
	state.cpus[cpu].held = true;
}

static void release_here(unsigned cpu)
{
	if (state.cpus[cpu].held)
		RT_MUST(hc_msr_write(state.way->msr, state.cpus[cpu].old));
	state.cpus[cpu].held = false;
}

static void hold_thread(void *cpu)
{
	hold_here((unsigned)(unsigned long)cpu);
	RT_MUST(hc_sm_up(state.done));
}

static void release_thread(void *cpu)
{
	release_here((unsigned)(unsigned long)cpu);
	RT_MUST(hc_sm_up(state.done));
}

/* Runs fn on each other CPU, one after the other. Not on this one by a thread, as the caller may be of a higher
 * priority. */
static void on_others(void (*fn)(void *cpu))
{
	for (unsigned cpu = 0; cpu < HEDRON_CPU_MAX; cpu++) {
		struct rt_ec ec = {.cpu = cpu};

		if (cpu == rt_cpu || !rt_cpu_enabled(cpu))
			continue;
		RT_MUST(rt_thread(&ec, state.prio, fn, (void *)(unsigned long)cpu));
		RT_MUST(hc_sm_down(state.done));
		RT_MUST(rt_revoke(ec.sc));
		RT_MUST(rt_revoke(ec.sel));
	}
}

static const char *hold_all(void)
{
	if (!state.done)
		RT_MUST(rt_sm(&state.done, 0));
	hold_here(rt_cpu);
	on_others(hold_thread);
	for (unsigned cpu = 0; cpu < HEDRON_CPU_MAX; cpu++)
		if (rt_cpu_enabled(cpu) && !state.cpus[cpu].held)
			return "a CPU did not take it";
	return NULL;
}

const char *bench_frequency_hold_at(unsigned prio, unsigned level)
{
	const char *why;

	state.prio = prio;
	state.way = find_way(&state.level);
	if (!state.way)
		return "no interface for it is known on this machine";
	if (level)
		state.level = (unsigned)rt_min(level, 255);
	why = hold_all();
	if (why)
		bench_frequency_release();
	return why;
}

void bench_frequency_hold(unsigned prio, char text[64])
{
	const char *why;

	text[0] = '\0';
	if (!rt_arg_text("frequency")) {
		if (bench_machine_measures_time())
			rt_snprintf(text, 64, "as it is");
		return;
	}
	why = bench_frequency_hold_at(prio, (unsigned)rt_arg("frequency", 0));
	if (why)
		rt_snprintf(text, 64, "not held: %s", why);
	else
		rt_snprintf(text, 64, "%s %u", state.way->name, state.level);
}

void bench_frequency_release(void)
{
	if (!state.way)
		return;
	release_here(rt_cpu);
	on_others(release_thread);
	state.way = NULL;
}
