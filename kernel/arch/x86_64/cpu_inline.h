/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inline part of arch/cpu.h for x86_64. */
#pragma once

#include "mm/layout.h"

/* Every stack of a CPU lies in the CPU's area, and no stack is ever at the area's end. */
static always_inline struct cpu *cpu_current(void)
{
	u64 rsp;
	__asm__("mov %%rsp, %0" : "=r"(rsp)); /* not volatile: the same wherever it is asked */
	return (struct cpu *)(rsp & ~(u64)(CPU_AREA_SIZE - 1));
}

/* An instruction that may fault, and where to go on then (entry/trap.c). */
#define EX_TABLE(insn, landing) ".pushsection .ex_table, \"a\"\n\t.quad " insn ", " landing "\n\t.popsection\n\t"

static always_inline void arch_or_here(u32 *p, u32 bits)
{
	__asm__ volatile("orl %1, %0" : "+m"(*p) : "ir"(bits) : "cc");
}

static always_inline void arch_and_here(u32 *p, u32 bits)
{
	__asm__ volatile("andl %1, %0" : "+m"(*p) : "ir"(bits) : "cc");
}

static always_inline u64 arch_fetch_add_here(u64 *p, u64 n)
{
	__asm__ volatile("xaddq %0, %1" : "+r"(n), "+m"(*p) : : "memory", "cc");
	return n;
}

static always_inline void arch_add_here(u64 *p, u64 n)
{
	__asm__ volatile("addq %1, %0" : "+m"(*p) : "er"(n) : "memory", "cc");
}

/* The upper halves of RAX and RDX are cleared (SDM vol. 2, RDTSC). */
static always_inline u64 arch_tsc(void)
{
	u64 lo, hi;
	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return hi << 32 | lo;
}

static always_inline u64 arch_tsc_twice(void)
{
	u64 lo, hi;
	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (hi << 33) + 2 * lo;
}

static always_inline void arch_relax(void)
{
	__asm__ volatile("pause");
}

#define CPU_CACHE_LINE 64 /* of all processors with 64-bit mode so far */

/* CLFLUSH is ordered with stores to the same line (SDM vol. 2, CLFLUSH). */
static always_inline void arch_write_back(const void *p, u64 size)
{
	const char *end = (const char *)p + size;
	for (const char *line = (const char *)((u64)p & -CPU_CACHE_LINE); line < end; line += CPU_CACHE_LINE)
		__asm__ volatile("clflush %0" : : "m"(*line) : "memory");
}

static always_inline void arch_halt(void)
{
	__asm__ volatile("cli; hlt");
}
