/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inline part of arch/cpu.h for the fake CPU; host.h is what tests use. */
#pragma once

extern __thread struct cpu *host_cpu;

static always_inline struct cpu *cpu_current(void)
{
	return host_cpu;
}

/* Walks the window of the PD set with host_set_pd(). */
u64 host_window_load(u64 offset);
static always_inline u64 arch_window_load(u64 i, u64 n, int shift)
{
	return i < n ? host_window_load(i << shift) : 0;
}

/* No NMI handlers run here. */
static always_inline void arch_or_here(u32 *p, u32 bits)
{
	*p |= bits;
}

static always_inline void arch_and_here(u32 *p, u32 bits)
{
	*p &= bits;
}

/* Advances by one with each look, unless set. */
extern u64 host_tsc;
static always_inline u64 arch_tsc(void)
{
	return host_tsc++;
}

static always_inline void arch_relax(void)
{
	__builtin_ia32_pause();
}

void arch_outb(u16 port, u8 v);
u8 arch_inb(u16 port);
