/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/tsc_stated.h"

#include "cpu/cpu.h"
#include "lib/bits.h"

#define MSR_HWCR 0xc0010015
#define MSR_PSTATE0 0xc0010064
#define HWCR_TSC_IS_P0 bit(24)
#define PSTATE_ENABLED bit(63)
#define CPUID1_ECX_HYPERVISOR (1u << 31)
#define EXT7_EDX_INVARIANT_TSC (1u << 8)
#define LEAF_HYPERVISOR 0x40000000u
#define LEAF_HYPERVISOR_CLOCK 0x40000010u

static u32 in_range(u64 khz)
{
	return (u32)min_u64(khz, ~0u);
}

/* SDM vol. 3, 19.7.3, the table of nominal frequencies; signature: CPUID leaf 1 EAX without stepping and type. */
static u32 crystal_of_model(u32 signature)
{
	switch (signature & 0x0fff0ff0u) {
	case 0x000406e0: /* 06_4EH, 06_5EH: 6th generation */
	case 0x000506e0:
	case 0x000806e0: /* 06_8EH, 06_9EH: 7th generation, and later ones of the same model */
	case 0x000906e0:
		return 24000000;
	case 0x00050650: /* 06_55H: Xeon Scalable */
		return 25000000;
	case 0x000506c0: /* 06_5CH: Goldmont */
		return 19200000;
	}
	return 0;
}

u32 tsc_stated_crystal(void)
{
	if (cpu_is_amd() || cpuid(0, 0).eax < 0x15)
		return 0;
	struct cpuid l = cpuid(0x15, 0);
	if (!l.eax || !l.ebx)
		return 0;
	u64 crystal = l.ecx ? l.ecx : crystal_of_model(cpuid(1, 0).eax);
	return in_range(crystal * l.ebx / l.eax / 1000);
}

/* Others use leaves of these numbers for something else. */
static bool has_clock_leaf(struct cpuid l)
{
	bool kvm = l.ebx == 0x4b4d564b && l.ecx == 0x564b4d56 && l.edx == 0x4d;          /* KVMKVMKVM */
	bool vmware = l.ebx == 0x61774d56 && l.ecx == 0x4d566572 && l.edx == 0x65726177; /* VMwareVMware */
	return (kvm || vmware) && l.eax >= LEAF_HYPERVISOR_CLOCK && l.eax < LEAF_HYPERVISOR + 0x10000;
}

u32 tsc_stated_hypervisor(void)
{
	if (!(cpuid(1, 0).ecx & CPUID1_ECX_HYPERVISOR) || !has_clock_leaf(cpuid(LEAF_HYPERVISOR, 0)))
		return 0;
	return cpuid(LEAF_HYPERVISOR_CLOCK, 0).eax;
}

static u32 family(u32 signature)
{
	u32 f = signature >> 8 & 0xf;

	return f == 0xf ? f + (signature >> 20 & 0xff) : f;
}

static bool has_invariant_tsc(void)
{
	return cpuid(0x80000000, 0).eax >= 0x80000007 && cpuid(0x80000007, 0).edx & EXT7_EDX_INVARIANT_TSC;
}

/* Families 17h to 19h: eighths of a multiple of 200 MHz; 1Ah: multiples of 5 MHz. */
static u32 pstate_khz(u32 of_family, u64 pstate)
{
	u32 divisor = pstate >> 8 & 0x3f;

	if (of_family == 0x1a)
		return (u32)(pstate & 0xfff) * 5000;
	if (of_family >= 0x17 && of_family <= 0x19 && divisor)
		return (u32)(pstate & 0xff) * 200000 / divisor;
	return 0;
}

u32 tsc_stated_pstate(void)
{
	u64 hwcr, pstate;

	if (!cpu_is_amd() || !has_invariant_tsc())
		return 0;
	if (!msr_read_safe(MSR_HWCR, &hwcr) || !(hwcr & HWCR_TSC_IS_P0))
		return 0;
	if (!msr_read_safe(MSR_PSTATE0, &pstate) || !(pstate & PSTATE_ENABLED))
		return 0;
	return pstate_khz(family(cpuid(1, 0).eax), pstate);
}

u32 tsc_stated_base(void)
{
	if (cpu_is_amd() || cpuid(0, 0).eax < 0x16)
		return 0;
	return (cpuid(0x16, 0).eax & 0xffff) * 1000;
}
