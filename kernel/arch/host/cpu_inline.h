/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inline part of arch/cpu.h for the fake CPU; host.h is what tests use. */
#pragma once

extern __thread struct cpu *host_cpu;

static always_inline struct cpu *cpu_current(void)
{
	return host_cpu;
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

static always_inline u64 arch_fetch_add_here(u64 *p, u64 n)
{
	u64 old = *p;
	*p += n;
	return old;
}

/* Advances by one with each look, unless set. */
extern u64 host_tsc;
static always_inline u64 arch_tsc(void)
{
	return host_tsc++;
}

static always_inline void arch_add_here(u64 *p, u64 n)
{
	__atomic_store_n(p, __atomic_load_n(p, __ATOMIC_RELAXED) + n, __ATOMIC_RELEASE);
}

static always_inline u64 arch_tsc_twice(void)
{
	return 2 * arch_tsc();
}

static always_inline void arch_relax(void)
{
	__builtin_ia32_pause();
}

/* Bytes that were written back. */
extern u64 host_written_back;
static always_inline void arch_write_back(const void *p, u64 size)
{
	(void)p;
	host_written_back += size;
}

/* Nobody sends NMIs to a process that has stopped. */
static always_inline void arch_halt(void)
{
	__builtin_trap();
}
