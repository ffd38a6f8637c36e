/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Performance counters of Intel processors (architectural performance monitoring, SDM vol. 3, 20.2): general ones
 * from 0 on for what paths add up, counting in the kernel only; one behind them for samples by time.
 */
#pragma once

#include "lib/types.h"

struct cpu;

/* What is to be counted from the next arch_pmu_apply() on (enum trace_counter). False: not by these processors. */
bool arch_pmu_choose(const u8 *kind, unsigned count);
/* A sample after so many core cycles, 0: none. False: not by these processors. */
bool arch_pmu_set_period(u32 cycles);
/* Makes this CPU do what was chosen. */
void arch_pmu_apply(void);

static always_inline u64 arch_pmu_read(unsigned i)
{
	u32 lo, hi;
	__asm__ volatile("rdpmc" : "=a"(lo), "=d"(hi) : "c"(i));
	return (u64)hi << 32 | lo;
}

/* Counters are narrower than 64 bits. */
u64 arch_pmu_delta(u64 before, u64 after);

/* In an NMI handler, if there were samples since boot: whether their counter has run over; it starts again, unless it
 * was stopped meanwhile. */
bool pmu_take_overflow(void);

/* After a reset: what was chosen before. */
void pmu_restore_cpu(void);
