/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stubs of the hypercall TRACE_CTRL, as <hedron/trace.h> describes it. */
#pragma once

#include "rt/hypercall.h"

#include <hedron/trace.h>
#include <stdint.h>

HC_ALWAYS enum status hc_trace_setup(unsigned order, unsigned long *pages)
{
	struct hc_regs r = {HC_ARG1(HC_TRACE_CTRL, TRACE_CTRL_SETUP, 0), order, 0, 0, 0};
	enum status st = hc_raw(&r);

	*pages = r.rsi;
	return st;
}

HC_ALWAYS enum status hc_trace_map(unsigned cpu, uintptr_t address)
{
	return hc_3(HC_ARG1(HC_TRACE_CTRL, TRACE_CTRL_MAP, 0), cpu, address);
}

HC_ALWAYS enum status hc_trace_switch(uint64_t events, uint64_t paths)
{
	return hc_3(HC_ARG1(HC_TRACE_CTRL, TRACE_CTRL_SWITCH, 0), events, paths);
}

HC_ALWAYS enum status hc_trace_counters(uint64_t counters)
{
	return hc_2(HC_ARG1(HC_TRACE_CTRL, TRACE_CTRL_COUNTERS, 0), counters);
}

HC_ALWAYS enum status hc_trace_sample(unsigned cpu)
{
	return hc_2(HC_ARG1(HC_TRACE_CTRL, TRACE_CTRL_SAMPLE, 0), cpu);
}

HC_ALWAYS enum status hc_trace_period(uint64_t cycles)
{
	return hc_2(HC_ARG1(HC_TRACE_CTRL, TRACE_CTRL_PERIOD, 0), cycles);
}
