/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What trace/trace.h needs of the architecture: points in code, all CPUs standing still, performance counters. */
#pragma once

#include "lib/types.h"

/*
 * A point in the code: true if one of these events or paths (both constants) is on. Where the architecture can, a NOP
 * that arch_trace_patch() makes a jump.
 */
static always_inline bool arch_trace_point(u64 events, u64 paths);

/* trace_record() with all registers preserved: what is around a point is compiled as if there was none. */
static always_inline void arch_trace(unsigned event, unsigned extra, u64 a, u64 b);

/* Switches on exactly the points for these, and all others off. All other CPUs stand still (arch_stop_machine()). */
void arch_trace_patch(u64 events, u64 paths);

/*
 * once(arg) runs while all other CPUs are in their NMI handlers; then each() on all CPUs, if there is one. The
 * functions must be short and take no lock: a CPU that stands still may own any. In a hypercall, without locks.
 */
void arch_stop_machine(void (*once)(void *), void (*each)(void), void *arg);

/* ---- performance counters ---- */

/* What is to be counted from the next arch_pmu_apply() on (enum trace_counter). False: not by these processors. */
bool arch_pmu_choose(const u8 *kind, unsigned count);
/* A sample after so many core cycles, 0: none, from the next arch_pmu_apply() on. False: not by these processors. */
bool arch_pmu_set_period(u32 cycles);
/* Makes this CPU do what was chosen. */
void arch_pmu_apply(void);

/* Counter i of those chosen, on this CPU; what lies between two of its values, as counters are narrower than 64
 * bits. */
static always_inline u64 arch_pmu_read(unsigned i);
u64 arch_pmu_delta(u64 before, u64 after);

#include "trace_inline.h"
