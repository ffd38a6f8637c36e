/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The running CPU. The headers in this folder are what the layers above may ask of an architecture: each function has
 * its one prototype here, and arch/x86_64 (the real machine) and arch/host (a fake one for unit tests, fuzzers and
 * micro benchmarks) define it; tests/interleave has a third. What is inline is in <header>_inline.h there, found
 * through the include path.
 *
 * Unless it says otherwise a function may be called from everywhere, NMI handlers included, and takes no lock.
 */
#pragma once

#include "lib/types.h"

struct cpu;

/* The running CPU's data (core/percpu.h). It stays the same until the kernel is left. */
static always_inline struct cpu *cpu_current(void);

/* Its number, from 0 on. It lies at a known place in the data, so that mm needs to know nothing else of them. */
#define CPU_ID_OFFSET 20
static always_inline unsigned cpu_current_id(void)
{
	return *(const u32 *)((const char *)cpu_current() + CPU_ID_OFFSET);
}

/*
 * *p |= bits, *p &= bits, and *p += n (which returns what was there): in one instruction, for words that this CPU's
 * NMI handlers change, too. Never for words that another CPU writes: they are not atomic.
 */
static always_inline void arch_or_here(u32 *p, u32 bits);
static always_inline void arch_and_here(u32 *p, u32 bits);
static always_inline u64 arch_fetch_add_here(u64 *p, u64 n);
/* The same for a word of which other CPUs see what it was or what it becomes (atomic; they do not write it). */
static always_inline void arch_add_here(u64 *p, u64 n);

/* The time-stamp counter of this CPU. Those of others may differ a little, and it starts over with sleep. */
static always_inline u64 arch_tsc(void);
/* Twice that, which costs no more. */
static always_inline u64 arch_tsc_twice(void);
/* Its rate in kHz; not before the boot CPU has measured it. */
u32 arch_tsc_khz(void);
/* Ticks as microseconds, without overflow; not before the rate is known. */
u64 arch_tsc_to_us(u64 ticks);

/* Between two looks at a word that another CPU will change. */
static always_inline void arch_relax(void);

/* Writes what caches hold of these bytes back to memory, where it outlives a reset. */
static always_inline void arch_write_back(const void *p, u64 size);

/* Stops this CPU until the next NMI, whose handler returns behind it; for CPUs that have nothing to do any more. */
static always_inline void arch_halt(void);

/* Resets the machine; memory keeps its contents. For panic(): whatever is going on. */
__attribute__((noreturn)) void arch_reset(void);

/* Sends all other CPUs into arch_halt() for good, whatever they are at. Does not wait for them. For panic() only. */
void arch_halt_others(void);

#include "cpu_inline.h"
