/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What trace/trace.h needs of the architecture. */
#pragma once

#include "arch/arch.h"
#include "trace/pmu.h"

/* A NOP of five bytes, which arch_trace_patch() makes a jump. */
static always_inline bool arch_trace_point(const u64 events, const u64 paths)
{
	__asm__ goto("1: .byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n\t"
		     ".pushsection .trace_sites, \"a\"\n\t.quad 1b, %l[on], %c0, %c1\n\t.popsection"
		     :
		     : "i"(events), "i"(paths)
		     :
		     : on);
	return false;
on:
	return true;
}

/*
 * trace_record() with all registers preserved, and arguments in any: what is around a point is compiled as if there
 * was none.
 */
static always_inline void arch_trace(unsigned event, unsigned extra, u64 a, u64 b)
{
	__asm__ volatile("push %3\n\tpush %2\n\tpush %1\n\tpush %0\n\tcall doors_record\n\t"
			 "add $32, %%rsp"
			 :
			 : "er"((u64)event), "er"((u64)extra), "er"(a), "er"(b)
			 : "memory", "cc");
}

/* One instruction: an NMI on this CPU is before or after it. */
static always_inline u64 arch_fetch_add_here(u64 *p, u64 n)
{
	__asm__ volatile("xaddq %0, %1" : "+r"(n), "+m"(*p) : : "memory", "cc");
	return n;
}

/* Opens exactly the points for these. All other CPUs are stopped. */
void arch_trace_patch(u64 events, u64 paths);

/*
 * once(arg) runs while all other CPUs are in their NMI handlers; then each() on all CPUs, if there is one. One caller
 * at a time; not from an NMI handler.
 */
void arch_stop_machine(void (*once)(void *), void (*each)(void), void *arg);
