/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inline part of arch/cpu.h for the machine of tests/interleave. */
#pragma once

extern struct cpu *interleave_cpu;

static always_inline struct cpu *cpu_current(void)
{
	return interleave_cpu;
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

/* Nobody keeps a log in RAM here. */
static always_inline void arch_write_back(const void *p, u64 size)
{
	(void)p;
	(void)size;
}

/* Of trace records, which are not compiled in: no NMI handler writes any. */
static always_inline u64 arch_fetch_add_here(u64 *p, u64 n)
{
	u64 old = *p;
	*p += n;
	return old;
}

u64 interleave_tsc(void);
static always_inline u64 arch_tsc(void)
{
	return interleave_tsc();
}

static always_inline void arch_add_here(u64 *p, u64 n)
{
	__atomic_store_n(p, __atomic_load_n(p, __ATOMIC_RELAXED) + n, __ATOMIC_RELEASE);
}

static always_inline u64 arch_tsc_twice(void)
{
	return 2 * arch_tsc();
}

/* Also what spinlocks do between two looks. */
void interleave_spin(void);
static always_inline void arch_relax(void)
{
	interleave_spin();
}

/* Nothing halts but the explorer. */
static always_inline void arch_halt(void)
{
	__builtin_trap();
}
