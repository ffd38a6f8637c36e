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

/*
 * An index out of range becomes the address of the window, which leads to OBJ_NOWHERE. Where the load faults, a piece
 * of code aside makes the zero. (Not "asm goto": gcc 12 merges its landing with other code and may let go of the
 * zero.)
 */
static always_inline u64 arch_window_load(u64 i, u64 n, int shift)
{
	u64 window = OBJ_WINDOW, v;
	__asm__("cmp %[n], %[i]\n\tcmovae %[window], %[i]" : [i] "+r"(i) : [window] "r"(window), [n] "er"(n) : "cc");
	__asm__ volatile("1: mov %1, %0\n2:\n\t"
			 ".pushsection .text.unlikely, \"ax\"\n3: xor %k0, %k0\n\tjmp 2b\n\t.popsection\n\t" EX_TABLE(
				 "1b", "3b")
			 : "=r"(v)
			 : "m"(*(const u64 *)(window + (i << shift)))
			 : "cc");
	return v;
}

static always_inline void arch_or_here(u32 *p, u32 bits)
{
	__asm__ volatile("orl %1, %0" : "+m"(*p) : "ir"(bits) : "cc");
}

static always_inline void arch_and_here(u32 *p, u32 bits)
{
	__asm__ volatile("andl %1, %0" : "+m"(*p) : "ir"(bits) : "cc");
}

static always_inline u64 arch_tsc(void)
{
	u32 lo, hi;
	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

static always_inline void arch_relax(void)
{
	__asm__ volatile("pause");
}

static always_inline void arch_outb(u16 port, u8 v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static always_inline u8 arch_inb(u16 port)
{
	u8 v;
	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

/* Stops this CPU; an NMI ends it for a moment. */
static always_inline void arch_halt(void)
{
	__asm__ volatile("cli; hlt");
}
