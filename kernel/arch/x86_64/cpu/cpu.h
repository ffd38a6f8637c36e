/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions of the CPU that C has no words for, and what this CPU can do.
 * Manual: SDM vol. 2 (CPUID, RDMSR), vol. 3, 2.5 (control registers); APM vol. 2, 3.1.
 */
#pragma once

#include "cpu/features.h"
#include "lib/types.h"

#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_FMASK 0xc0000084
#define MSR_SYSENTER_CS 0x174
#define MSR_PAT 0x277
#define MSR_TSC 0x10
#define MSR_APIC_BASE 0x1b
#define MSR_FEATURE_CONTROL 0x3a
#define MSR_TSC_ADJUST 0x3b
#define MSR_SPEC_CTRL 0x48
#define MSR_PRED_CMD 0x49
#define MSR_MPERF 0xe7
#define MSR_APERF 0xe8
#define MSR_ARCH_CAPABILITIES 0x10a
#define MSR_FLUSH_CMD 0x10b
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX 0xc0000103

#define EFER_SCE (1u << 0)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)
#define EFER_NXE (1u << 11)

#define CR0_PE (1ul << 0)
#define CR0_MP (1ul << 1)
#define CR0_EM (1ul << 2)
#define CR0_TS (1ul << 3)
#define CR0_NE (1ul << 5)
#define CR0_WP (1ul << 16)
#define CR0_AM (1ul << 18)
#define CR0_NW (1ul << 29)
#define CR0_CD (1ul << 30)
#define CR0_PG (1ul << 31)

#define CR4_DE (1ul << 3)
#define CR4_PAE (1ul << 5)
#define CR4_MCE (1ul << 6)
#define CR4_PGE (1ul << 7)
#define CR4_OSFXSR (1ul << 9)
#define CR4_OSXMMEXCPT (1ul << 10)
#define CR4_UMIP (1ul << 11)
#define CR4_VMXE (1ul << 13)
#define CR4_FSGSBASE (1ul << 16)
#define CR4_PCIDE (1ul << 17)
#define CR4_OSXSAVE (1ul << 18)
#define CR4_SMEP (1ul << 20)
#define CR4_SMAP (1ul << 21)

/* x87, SSE, AVX, AVX-512 (three components that come together). SDM vol. 1, 13.1. */
#define XCR0_X87_SSE 0x3u
#define XCR0_AVX 0x4u
#define XCR0_AVX512 0xe0u

#define CR3_NOFLUSH (1ul << 63)
#define PCID_COUNT 4096

#define RFLAGS_FIXED (1ul << 1)
#define RFLAGS_TF (1ul << 8)
#define RFLAGS_IF (1ul << 9)

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

static always_inline struct cpuid cpuid(u32 leaf, u32 sub)
{
	struct cpuid r;
	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(sub));
	return r;
}

static always_inline void msr_write(u32 msr, u64 v)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}

static always_inline u64 msr_read(u32 msr)
{
	u32 lo, hi;
	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

/* Access to MSRs that may not exist, or may refuse the value. False: the CPU has raised #GP, which is caught. */
bool msr_read_safe(u32 msr, u64 *v) must_check;
bool msr_write_safe(u32 msr, u64 v) must_check;

#define CR_ACCESS(n)                                                       \
	static always_inline u64 cr##n##_read(void)                        \
	{                                                                  \
		u64 v;                                                     \
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(v));          \
		return v;                                                  \
	}                                                                  \
	static always_inline void cr##n##_write(u64 v)                     \
	{                                                                  \
		__asm__ volatile("mov %0, %%cr" #n : : "r"(v) : "memory"); \
	}
CR_ACCESS(0)
CR_ACCESS(2)
CR_ACCESS(3)
CR_ACCESS(4)

static always_inline u64 fsbase_read(void)
{
	u64 v;
	__asm__ volatile("rdfsbase %0" : "=r"(v));
	return v;
}

static always_inline u64 gsbase_read(void)
{
	u64 v;
	__asm__ volatile("rdgsbase %0" : "=r"(v));
	return v;
}

static always_inline void fsbase_write(u64 v)
{
	__asm__ volatile("wrfsbase %0" : : "r"(v));
}
static always_inline void gsbase_write(u64 v)
{
	__asm__ volatile("wrgsbase %0" : : "r"(v));
}

static always_inline void xcr0_write(u32 v)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"(v), "d"(0));
}

static always_inline void wbinvd(void)
{
	__asm__ volatile("wbinvd" : : : "memory");
}

static always_inline void invlpg(u64 va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

/* The page attribute table as the kernel wants it: before anything is mapped with its entry 4, on each CPU. */
void cpu_set_pat(void);

/* Fills in cpu_features, on the boot CPU; panics with a clear message if something is missing that the kernel cannot
 * do without. */
void cpu_detect(bool allow_pcid, bool allow_mwait);
/* The first feature of the boot CPU that the running CPU lacks: a number for features_name(), 0 if it lacks none. */
unsigned cpu_lacking(void);
/* Whether the CPU is AMD's or Hygon's, which has the same registers. */
bool cpu_is_amd(void);
/* Sets this CPU's descriptor tables, control registers and MSRs. The tables come first, so that a fault at one of the
 * registers is reported. */
void cpu_setup(unsigned cpu);
/* Sets the MSRs that SYSCALL uses; a part of cpu_setup(). */
void cpu_setup_syscall(unsigned cpu);

/* Finds out the TSC's frequency, tsc_khz, which is constant then; as long as firmware tables can be read. */
struct acpi_info;
void tsc_init(const struct acpi_info *acpi);
extern u32 tsc_khz;
