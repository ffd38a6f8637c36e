/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an architecture provides to the layers above. arch/x86_64 is the real one; arch/host is a fake CPU for unit
 * tests, fuzzers and micro benchmarks. Each arch/<name>/arch_impl.h defines the inline ones.
 */
#pragma once

#include "lib/types.h"

#include <hedron/abi.h>

struct pd;
struct cpu;
struct ec;

/* The running CPU's data. */
static always_inline struct cpu *cpu_current(void);

/*
 * The word at OBJ_WINDOW + (i << shift); 0 if i is not below n, or nothing is mapped there. No branch: for
 * speculation, too, only these words are in reach. On the host the fake CPU looks the slot up by walking the tables
 * of the PD set with host_set_pd().
 */
static always_inline u64 arch_window_load(u64 i, u64 n, int shift);

/* *p |= bits and *p &= bits, in one instruction: for words that this CPU's NMI handlers change, and no other CPU. */
static always_inline void arch_or_here(u32 *p, u32 bits);
static always_inline void arch_and_here(u32 *p, u32 bits);

static always_inline u64 arch_tsc(void);
/* Its rate, in kHz. */
u32 arch_tsc_khz(void);
/* Ticks of the TSC in microseconds. */
u64 arch_tsc_to_us(u64 ticks);
static always_inline void arch_relax(void);

/* For panic(): the other CPUs do nothing any more, whatever they are at. */
void arch_halt_others(void);

/* Boot time only: [pa, pa + len) for reading, or NULL if it cannot be mapped. */
const void *arch_phys_map(paddr_t pa, u64 len);

/*
 * No CPU uses a translation of pd's host table that was valid before this call when it returns. The range is a hint:
 * [va, va + 2^order pages).
 */
void arch_tlb_flush(struct pd *pd, u64 va, unsigned order);
/* The same for the nested table. */
void arch_tlb_flush_guest(struct pd *pd);

/* The kernel's half of a PD's address space, the windows of slots and ports, what goes into CR3. */
void arch_pd_init(struct pd *pd);
void arch_pd_free(struct pd *pd);

/*
 * Reports what machine checks on this CPU have left to be reported. True: the current EC has used memory that has
 * lost its contents, and must not go on.
 */
bool arch_report_errors(struct cpu *cpu) must_check;

/* One MSR of the running CPU for user land. BAD_PAR: refused by policy, or by the CPU. */
enum status arch_msr_access(u64 msr, bool write, u64 *value) must_check;

/*
 * Puts the machine to sleep (ACPI S3) with these types for PM1a and PM1b, and returns, on all CPUs, after it woke up.
 * BAD_PAR: not what the firmware says that S3 is, or another CPU is at it; BAD_FTR: the machine cannot.
 * *waking_vector: what the FACS had.
 */
enum status arch_suspend(unsigned type_a, unsigned type_b, u64 *waking_vector) must_check;

/* Loads the update at `pa` on this CPU. BAD_PAR: it is not whole, not for this CPU, or refused by it; BAD_FTR: the
 * CPU takes none. */
enum status arch_microcode_update(paddr_t pa, u64 size) must_check;

/* Number of physical address bits (CPUID 80000008h), and whether 1 GiB leaves exist. */
unsigned arch_phys_bits(void);
bool arch_has_1g_pages(void);

/*
 * Memory type of the byte at pa as the MTRRs have it (enum mem_type, mm/ptab.h); it stays the same up to *same_until,
 * which is at most pa + size. Boot time only: space_mem_claim() remembers the answers.
 */
u8 arch_mem_type(paddr_t pa, u64 size, u64 *same_until);

#include "arch_impl.h" /* found through the include path of the chosen architecture */
