/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tracing: what happens, recorded per CPU, and how long paths take (hedron/trace.h has the layouts, docs/tracing.md
 * the use).
 *
 * A point that is off costs nothing or one NOP: points are switched by patching the code while all other CPUs are
 * stopped (arch_trace_patch()). In C a point is TRACE() or `if (trace_point(...))`. Hypercalls, exceptions, the
 * dispatcher and VM exits have theirs where assembly calls C: the call goes to a hook of its own when they are on
 * (arch/x86_64/trace).
 *
 * A ring belongs to its CPU. Only that CPU writes it, NMI handlers included: a record's place is reserved by one
 * instruction, so an NMI in the middle of a record finds the next place. No locks, no atomics.
 */
#pragma once

#include "arch/trace.h"
#include "core/trace_cpu.h"

#include <hedron/abi.h>

struct ec;
struct pd;

#define TRACE_BIT(name) (1ul << TRACE_##name)
#define TRACE_PATH_BIT(name) (1ul << TRACE_PATH_##name)

/* What is on. They change only while all other CPUs are stopped. */
struct trace_state {
	u64 events, measured;
	unsigned counters; /* how many performance counters paths add up */
	u32 changes;       /* of all this: a time that began before one is not worth anything */
};

extern struct trace_state trace_state;

/* Records it, if the event is on. An architecture calls it with all registers preserved: arch_trace(). */
void trace_record(unsigned event, unsigned extra, u64 a, u64 b);

/* Whether one of these is on: a NOP or a jump. Both masks must be constants. */
#define trace_point(events, paths) unlikely(arch_trace_point(events, paths))

#define TRACE(name, extra, a, b)                                             \
	do {                                                                 \
		if (trace_point(TRACE_BIT(name), 0))                         \
			arch_trace(TRACE_##name, extra, (u64)(a), (u64)(b)); \
	} while (0)

/* The time from begin to end, on one CPU, goes to the path, if it is measured. */
void trace_begin(struct trace_span *s);
void trace_end(unsigned path, struct trace_span *s);
/* The same for a time that another CPU may have begun: performance counters do not say anything about it. */
void trace_end_elsewhere(unsigned path, struct trace_span *s);

/* The dispatcher's decision, in case it does not return: trace_cpu.dispatch ends. `how`: enum trace_resume. */
void trace_resume(unsigned how, const struct ec *ec);

/* ---- TRACE_CTRL (hedron/trace.h has what each may return) ---- */

enum status trace_setup(struct pd *payer, u64 order, u64 *pages) must_check;
enum status trace_map(u64 cpu_id, u64 va, struct ec *self) must_check;
enum status trace_switch(u64 events, u64 paths) must_check;
enum status trace_counters(u64 list) must_check;
enum status trace_sample(u64 cpu_id) must_check;
enum status trace_period(u64 cycles) must_check;
