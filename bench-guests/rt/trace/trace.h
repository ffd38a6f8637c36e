/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tracing the kernel (docs/tracing.md): the hypercall, and what suites do with it. Words on the command line switch
 * it on: trace=EVENTS, trace_paths=PATHS, trace_counters=COUNTERS (names with commas between them, or "all"),
 * trace_records=N, trace_period=CYCLES, trace_sampler=MICROSECONDS. The measuring loop calls the functions below, so
 * it works in every suite.
 */
#pragma once

#include "rt.h"

#include <hedron/trace.h>

/* TRACE_CTRL, as <hedron/trace.h> describes it. */

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

/* What the words ask for, and where it is recorded. */
struct trace_plan {
	uint64_t events, paths, counters, period;
	unsigned long records;   /* of each CPU to send, at most */
	unsigned long sampler;   /* microseconds between two samples; 0: nobody takes them */
	const char *why;         /* it cannot be done */
	unsigned long cases;     /* that have begun */
	struct trace_case *list; /* of them */
	const struct trace_head *areas[HEDRON_CPU_MAX];
};

struct trace_case {
	uint64_t begin, end;
	char name[112];
};

#define TRACE_CASES 1024 /* later ones are not noted */

/* Reads the words, and sets up rings and memory. True if there will be a trace. */
bool trace_prepare(void);

void trace_on(void);
void trace_case_begin(const char *name);
void trace_case_end(void);
void trace_off(void);

/* Sends what was recorded, or why there is nothing; nothing if nobody asked. Tracing must be off. */
void trace_send(void);

/* Between trace.c, which does that, and its parts. */
void trace_words(struct trace_plan *plan); /* trace_words.c */
bool trace_asked(void);
void trace_drain(const struct trace_plan *plan); /* trace_drain.c */
