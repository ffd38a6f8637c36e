/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel's processors count SMIs by themselves. Those of AMD from family 17h on count them as any other event, with a
 * counter that is told so and stopped afterwards.
 * Manual: SDM vol. 4, 2.1 (SMI_COUNT); APM vol. 2, 13.2 (PERF_CTL0, PERF_CTR0); the processor programming references
 * of family 17h and 19h, PMCx02B.
 */
#include "probe.h"

#include "rt/bench/bench_machine.h"
#include "rt/hypercall.h"

#define MSR_PERF_CTL0 0xc0010000
#define MSR_PERF_CTR0 0xc0010004
#define COUNT_SMIS 0x43002b /* event 0x2b, in all rings, enabled */
#define FIRST_FAMILY 0x17

/* A register that does not keep what it is told is an emulator's, and its counter would say 0 for ever. */
static bool start_counter(void)
{
	unsigned long now = 0;

	if (hc_msr_write(MSR_PERF_CTL0, COUNT_SMIS) != SUCCESS)
		return false;
	return bench_machine_msr(MSR_PERF_CTL0, &now) && now == COUNT_SMIS;
}

static bool counts_events(void)
{
	const struct bench_cpu *cpu = bench_machine_cpu();

	return cpu->amd && cpu->family >= FIRST_FAMILY && bench_machine_measures_time();
}

bool probe_smi_begin(unsigned long *count)
{
	if (bench_machine_smi_count(count))
		return true;
	return counts_events() && start_counter() && bench_machine_msr(MSR_PERF_CTR0, count);
}

bool probe_smi_end(unsigned long *count)
{
	if (bench_machine_smi_count(count))
		return true;
	if (!counts_events() || !bench_machine_msr(MSR_PERF_CTR0, count))
		return false;
	return hc_msr_write(MSR_PERF_CTL0, 0) == SUCCESS;
}
