/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inline part of arch/arch.h for the fake CPU; host.h is what tests use. */
#pragma once

extern __thread struct cpu *host_cpu;

static always_inline struct cpu *cpu_current(void)
{
	return host_cpu;
}

/* Walks the window of the PD set with host_set_pd(); any other address is taken as it is. */
u64 host_load_or_zero(const u64 *p);
static always_inline u64 arch_load_or_zero(const u64 *p)
{
	return host_load_or_zero(p);
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
