/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inline part of arch/cpu.h for the machine of tests/interleave. */
#pragma once

extern struct cpu *interleave_cpu;

static always_inline struct cpu *cpu_current(void)
{
	return interleave_cpu;
}

u64 interleave_window_load(u64 offset);
static always_inline u64 arch_window_load(u64 i, u64 n, int shift)
{
	return i < n ? interleave_window_load(i << shift) : 0;
}

/* Before the instruction an NMI may come; in the middle of it none. */
void interleave_or_here(u32 *p, u32 bits);
void interleave_and_here(u32 *p, u32 bits);
static always_inline void arch_or_here(u32 *p, u32 bits)
{
	interleave_or_here(p, bits);
}
static always_inline void arch_and_here(u32 *p, u32 bits)
{
	interleave_and_here(p, bits);
}

u64 interleave_tsc(void);
static always_inline u64 arch_tsc(void)
{
	return interleave_tsc();
}

/* Also what spinlocks do between two looks. */
void interleave_spin(void);
static always_inline void arch_relax(void)
{
	interleave_spin();
}

static always_inline void arch_outb(u16 port, u8 v)
{
	(void)port;
	(void)v;
}
static always_inline u8 arch_inb(u16 port)
{
	(void)port;
	return 0;
}
