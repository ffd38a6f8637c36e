/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/cpu.h"

#include "arch/cpu.h"
#include "arch/memory.h"
#include "cpu/desc.h"
#include "cpu/fpu.h"
#include "cpu/leftovers.h"
#include "cpu/smap.h"
#include "entry/frame.h"
#include "platform/panic.h"

struct cpu_features cpu_features;

#define XSAVE_AREA_MAX 4096

/* Chooses the components of XCR0 and sets it; needs CR4.OSXSAVE. Components with which an area would not fit the page
 * that the interface promises are left off. */
static void choose_extended_state(void)
{
	u32 supported = cpu_features.xcr0, wanted = XCR0_X87_SSE;
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

/* By the first word of the vendor's name: AuthenticAMD, HygonGenuine. */
bool cpu_is_amd(void)
{
	u32 vendor = cpuid(0, 0).ebx;
	return vendor == 0x68747541 || vendor == 0x6f677948;
}

static void require(bool have, const char *what)
{
	if (!have)
		panic("refused: this CPU has no %s, which the hypervisor cannot do without", what);
}

#define APIC_BASE_X2APIC (1u << 10)

void cpu_detect(bool allow_pcid, bool allow_mwait)
{
	struct cpu_features *f = &cpu_features;

	features_read(f);
	require(f->xsave, "XSAVE");
	require(f->fsgsbase, "FSGSBASE");
	f->pcid &= allow_pcid;
	f->mwait &= allow_mwait;
	if (f->x2apic) /* a feature that the other CPUs have to have only if this one uses it */
		f->x2apic = msr_read(MSR_APIC_BASE) & APIC_BASE_X2APIC;

	cr4_write(cr4_read() | CR4_OSXSAVE | CR4_OSFXSR);
	choose_extended_state();
	fpu_setup();
	if (f->smap)
		smap_setup();
}

unsigned cpu_lacking(void)
{
	struct cpu_features mine;

	features_read(&mine);
	mine.fpu_size = features_xsave_size(cpu_features.xcr0);
	return features_lacking(&cpu_features, &mine);
}

/* Entry 0 is write-back, 3 uncached: as after reset (SDM vol. 3, 12.12.4), whatever firmware made of it. Entry 4,
 * which nobody needs as a second 0, combines writes: for the screen (mmu/kspace.c). */
#define PAT 0x0007040100070406

void cpu_set_pat(void)
{
	msr_write(MSR_PAT, PAT);
}

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
	cpu_set_pat();
}

/* SYSRET wants STAR[63:48] + 8 = user data, + 16 = user code. SDM vol. 3, 5.8.8. */
void cpu_setup_syscall(unsigned cpu)
{
	msr_write(MSR_STAR, (u64)(SEL_USER_CODE32 | 3) << 48 | (u64)SEL_KERNEL_CODE << 32);
	msr_write(MSR_LSTAR, (u64)entry_syscall_stubs + (u64)cpu * ENTRY_SYSCALL_STUB_SIZE);
	/* SYSCALL clears all flags but bit 1, which is fixed, and the arithmetic ones of the low byte, on which no
	 * entry depends. */
	msr_write(MSR_FMASK, 0x3f7f00);
}

void cpu_setup(unsigned cpu)
{
	desc_load(cpu);
	leftovers_reset();
	setup_control_registers();
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
