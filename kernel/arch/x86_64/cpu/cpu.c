/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/cpu.h"

#include "cpu/desc.h"
#include "cpu/errata.h"
#include "cpu/fpu.h"
#include "cpu/smap.h"
#include "entry/frame.h"
#include "lib/panic.h"

struct cpu_features cpu_features;

#define LEAF1_ECX_MONITOR (1u << 3)
#define LEAF1_ECX_PCID (1u << 17)
#define LEAF1_ECX_XSAVE (1u << 26)
#define LEAF1_EDX_PGE (1u << 13)
#define LEAF7_EBX_FSGSBASE (1u << 0)
#define LEAF7_EBX_SMEP (1u << 7)
#define LEAF7_EBX_SMAP (1u << 20)
#define LEAF7_ECX_UMIP (1u << 2)
#define LEAFD1_XSAVEOPT (1u << 0)
#define LEAFD1_XGETBV1 (1u << 2)
#define EXT1_EDX_1G (1u << 26)
#define EXT8_EBX_ERR_PTRS (1u << 2)

#define XSAVE_AREA_MAX 4096

/* Needs CR4.OSXSAVE. What does not fit the page that the interface promises is left off. */
static void choose_extended_state(void)
{
	u32 supported = cpuid(0xd, 0).eax, wanted = XCR0_X87_SSE;
	if (supported & XCR0_AVX)
		wanted |= XCR0_AVX;
	if ((supported & XCR0_AVX512) == XCR0_AVX512 && (wanted & XCR0_AVX))
		wanted |= XCR0_AVX512;
	for (;; wanted = wanted & XCR0_AVX512 ? wanted & ~XCR0_AVX512 : XCR0_X87_SSE) {
		xcr0_write(wanted);
		cpu_features.fpu_size = cpuid(0xd, 0).ebx;
		if (cpu_features.fpu_size <= XSAVE_AREA_MAX || wanted == XCR0_X87_SSE)
			break;
	}
	cpu_features.xcr0 = wanted;
}

/* "Auth"enticAMD, "Hygo"nGenuine. */
bool cpu_is_amd(void)
{
	u32 vendor = cpuid(0, 0).ebx;
	return vendor == 0x68747541 || vendor == 0x6f677948;
}

/* With the extended family, which counts on from 0Fh. */
static unsigned family(u32 signature)
{
	return (signature >> 8 & 0xf) + (signature >> 20 & 0xff);
}

static void require(bool have, const char *what)
{
	if (!have)
		panic("refused: this CPU has no %s, which the hypervisor cannot do without", what);
}

void cpu_detect(bool allow_pcid, bool allow_mwait)
{
	struct cpu_features *f = &cpu_features;
	struct cpuid l1 = cpuid(1, 0), l7 = {0}, ld1 = {0}, e1 = {0};
	u32 max = cpuid(0, 0).eax, ext = cpuid(0x80000000, 0).eax;

	if (max >= 7)
		l7 = cpuid(7, 0);
	if (max >= 0xd)
		ld1 = cpuid(0xd, 1);
	if (ext >= 0x80000001)
		e1 = cpuid(0x80000001, 0);
	require(l1.ecx & LEAF1_ECX_XSAVE && max >= 0xd, "XSAVE");
	require(l7.ebx & LEAF7_EBX_FSGSBASE, "FSGSBASE");

	f->pge = l1.edx & LEAF1_EDX_PGE;
	f->pcid = allow_pcid && l1.ecx & LEAF1_ECX_PCID;
	f->smep = l7.ebx & LEAF7_EBX_SMEP;
	f->smap = l7.ebx & LEAF7_EBX_SMAP;
	f->umip = l7.ecx & LEAF7_ECX_UMIP;
	f->mwait = allow_mwait && l1.ecx & LEAF1_ECX_MONITOR && !errata_monitor_misses_stores(l1.eax);
	f->page_1g = e1.edx & EXT1_EDX_1G;
	f->xsaveopt = ld1.eax & LEAFD1_XSAVEOPT;
	f->xgetbv1 = ld1.eax & LEAFD1_XGETBV1;
	f->x87_pointers_stay = cpu_is_amd() && family(l1.eax) >= 0x15 && /* older ones have no XSAVE */
			       !(ext >= 0x80000008 && cpuid(0x80000008, 0).ebx & EXT8_EBX_ERR_PTRS);
	f->phys_bits = ext >= 0x80000008 ? (u8)cpuid(0x80000008, 0).eax : 36;

	cr4_write(cr4_read() | CR4_OSXSAVE | CR4_OSFXSR);
	choose_extended_state();
	fpu_setup();
	if (f->smap)
		smap_setup();
}

/* Entry 0 is write-back, 3 uncached: as after reset (SDM vol. 3, 12.12.4), whatever firmware made of it. */
#define PAT_RESET 0x0007040600070406

static void setup_control_registers(void)
{
	const struct cpu_features *f = &cpu_features;
	u64 cr4 = CR4_DE | CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_FSGSBASE | CR4_OSXSAVE;

	cr0_write((cr0_read() & ~(CR0_EM | CR0_TS | CR0_NW | CR0_CD)) | CR0_MP | CR0_NE | CR0_WP | CR0_AM);
	cr4 |= (f->pge ? CR4_PGE : 0) | (f->smep ? CR4_SMEP : 0) | (f->smap ? CR4_SMAP : 0) |
	       (f->umip ? CR4_UMIP : 0);
	cr4_write(cr4);
	/* PCIDs can be switched on only while CR3 holds PCID 0; page tables are aligned, so it does. SDM vol.
	 * 3, 4.10.1. */
	if (f->pcid)
		cr4_write(cr4 | CR4_PCIDE);
	xcr0_write(f->xcr0);
	msr_write(MSR_PAT, PAT_RESET);
}

/* SYSRET wants STAR[63:48] + 8 = user data, + 16 = user code. SDM vol. 3, 5.8.8. */
void cpu_setup_syscall(unsigned cpu)
{
	msr_write(MSR_STAR, (u64)(SEL_USER_CODE32 | 3) << 48 | (u64)SEL_KERNEL_CODE << 32);
	msr_write(MSR_LSTAR, (u64)entry_syscall_stubs + (u64)cpu * ENTRY_SYSCALL_STUB_SIZE);
	/* All but the fixed bit and the arithmetic flags, which nobody reads. */
	msr_write(MSR_FMASK, 0x3f7f00);
}

void cpu_setup(unsigned cpu)
{
	setup_control_registers();
	desc_load(cpu);
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SCE | EFER_NXE);
	cpu_setup_syscall(cpu);
	msr_write(MSR_SYSENTER_CS, 0);
}

bool msr_read_safe(u32 msr, u64 *v)
{
	u32 lo = 0, hi = 0;
	bool done = false;
	__asm__ volatile("1: rdmsr\n\tmovb $1, %2\n2:\n\t" EX_TABLE("1b", "2b")
			 : "+a"(lo), "+d"(hi), "+qm"(done)
			 : "c"(msr));
	*v = (u64)hi << 32 | lo;
	return done;
}

bool msr_write_safe(u32 msr, u64 v)
{
	bool done = false;
	__asm__ volatile("1: wrmsr\n\tmovb $1, %0\n2:\n\t" EX_TABLE("1b", "2b")
			 : "+qm"(done)
			 : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32))
			 : "memory");
	return done;
}

unsigned arch_phys_bits(void)
{
	return cpu_features.phys_bits;
}
bool arch_has_1g_pages(void)
{
	return cpu_features.page_1g;
}
