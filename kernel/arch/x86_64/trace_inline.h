/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inline part of arch/trace.h for x86_64. */
#pragma once

#include "lib/types.h"

/* A NOP of five bytes. */
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

/* Arguments may be in any register. */
static always_inline void arch_trace(unsigned event, unsigned extra, u64 a, u64 b)
{
	__asm__ volatile("push %3\n\tpush %2\n\tpush %1\n\tpush %0\n\tcall hooks_record\n\t"
			 "add $32, %%rsp"
			 :
			 : "er"((u64)event), "er"((u64)extra), "er"(a), "er"(b)
			 : "memory", "cc");
}

static always_inline u64 arch_pmu_read(unsigned i)
{
	u32 lo, hi;
	__asm__ volatile("rdpmc" : "=a"(lo), "=d"(hi) : "c"(i));
	return (u64)hi << 32 | lo;
}
