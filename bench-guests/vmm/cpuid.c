/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/cpuid.h"

#define BIT(n) (1u << (n))

enum {
	LEAF_FEATURES = 1,
	LEAF_CACHES = 4,
	LEAF_EXTENDED_FEATURES = 7,
	LEAF_XSAVE = 0xd,
	LEAF_TSC = 0x15,
	LEAF_MAX = LEAF_TSC,
};
#define LEAF_HYPERVISOR 0x40000000u
#define LEAF_HYPERVISOR_TSC 0x40000010u
#define LEAF_AMD 0x80000000u
#define LEAF_AMD_FEATURES 0x80000001u
#define LEAF_AMD_POWER 0x80000007u
#define LEAF_AMD_SIZES 0x80000008u

/* SSE3, PCLMULQDQ, SSSE3, FMA, CX16, PCID, SSE4.1, SSE4.2, MOVBE, POPCNT, AES, XSAVE, AVX, F16C, RDRAND. */
#define FEATURES_ECX                                                                                                \
	(BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(17) | BIT(19) | BIT(20) | BIT(22) | BIT(23) | BIT(25) | \
	 BIT(26) | BIT(28) | BIT(29) | BIT(30))
/* FPU, VME, DE, PSE, TSC, MSR, PAE, CX8, SEP, PGE, CMOV, PAT, PSE36, CLFSH, MMX, FXSR, SSE, SSE2, SS. */
#define FEATURES_EDX                                                                                           \
	(BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(8) | BIT(11) | BIT(13) | BIT(15) | \
	 BIT(16) | BIT(17) | BIT(19) | BIT(23) | BIT(24) | BIT(25) | BIT(26) | BIT(27))
/* The board's, whatever the machine has. */
#define FEATURES_ECX_X2APIC BIT(21)
#define FEATURES_ECX_DEADLINE BIT(24)
#define FEATURES_EDX_APIC BIT(9)
#define FEATURES_ECX_OSXSAVE BIT(27)
#define FEATURES_ECX_HYPERVISOR BIT(31)
#define CR4_OSXSAVE BIT(18)

/*
 * FSGSBASE, BMI1, AVX2, FDP, SMEP, BMI2, ERMS, INVPCID, AVX512F, AVX512DQ, RDSEED, ADX, SMAP, AVX512_IFMA,
 * CLFLUSHOPT, CLWB, AVX512CD, SHA, AVX512BW, AVX512VL.
 */
#define EXTENDED_EBX                                                                                            \
	(BIT(0) | BIT(3) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(9) | BIT(10) | BIT(16) | BIT(17) | BIT(18) | \
	 BIT(19) | BIT(20) | BIT(21) | BIT(23) | BIT(24) | BIT(28) | BIT(29) | BIT(30) | BIT(31))
#define EXTENDED_EBX_INVPCID BIT(10)
/* AVX512_VBMI, UMIP, AVX512_VBMI2, GFNI, VAES, VPCLMULQDQ, AVX512_VNNI, AVX512_BITALG, AVX512_VPOPCNTDQ, RDPID. */
#define EXTENDED_ECX (BIT(1) | BIT(2) | BIT(6) | BIT(8) | BIT(9) | BIT(10) | BIT(11) | BIT(12) | BIT(14) | BIT(22))
#define EXTENDED_ECX_RDPID BIT(22)
/* FSRM, MD_CLEAR, IBRS and IBPB, STIBP, ARCH_CAPABILITIES, SSBD: the kernel lets guests use these MSRs. */
#define EXTENDED_EDX (BIT(4) | BIT(10) | BIT(26) | BIT(27) | BIT(29) | BIT(31))

/* LAHF, LZCNT, PREFETCHW; SYSCALL, NX, 1-GiB pages, RDTSCP, long mode. */
#define AMD_ECX (BIT(0) | BIT(5) | BIT(8))
#define AMD_EDX (BIT(11) | BIT(20) | BIT(26) | BIT(27) | BIT(29))
#define AMD_EDX_RDTSCP BIT(27)
#define POWER_EDX_INVARIANT_TSC BIT(8)

#define XSAVE_LEGACY_SIZE 576 /* x87 and SSE, and the header */

static struct cpuid_regs features(struct cpuid_regs r, const struct cpuid_guest *g)
{
	r.ebx = (r.ebx & 0x0000ff00) | (uint32_t)g->number << 24; /* the size of a cache line; the processor */
	r.ecx &= FEATURES_ECX;
	r.edx &= FEATURES_EDX;
	r.ecx |= FEATURES_ECX_HYPERVISOR | FEATURES_ECX_X2APIC | FEATURES_ECX_DEADLINE;
	if (g->has_apic)
		r.edx |= FEATURES_EDX_APIC;
	if (r.ecx & BIT(26) && g->cr4 & CR4_OSXSAVE)
		r.ecx |= FEATURES_ECX_OSXSAVE;
	return r;
}

static struct cpuid_regs extended_features(struct cpuid_regs r, const struct cpuid_guest *g, uint32_t subleaf)
{
	if (subleaf)
		return (struct cpuid_regs){0};
	r.eax = 0;
	r.ebx &= EXTENDED_EBX & ~(g->has_invpcid ? 0 : EXTENDED_EBX_INVPCID);
	r.ecx &= EXTENDED_ECX & ~(g->has_rdtscp ? 0 : EXTENDED_ECX_RDPID);
	r.edx &= EXTENDED_EDX;
	return r;
}

/* Size of an area in standard format with these components. */
static uint32_t xsave_size(cpuid_fn *machine, uint64_t components)
{
	uint32_t size = XSAVE_LEGACY_SIZE;

	for (unsigned n = 2; n < 63; n++) {
		struct cpuid_regs r;

		if (!(components >> n & 1))
			continue;
		r = machine(LEAF_XSAVE, n);
		if (r.ebx + r.eax > size)
			size = r.ebx + r.eax;
	}
	return size;
}

/* Guests have no supervisor components: compacted areas and XSAVES are not shown. */
static struct cpuid_regs xsave(cpuid_fn *machine, const struct cpuid_guest *g, uint32_t subleaf)
{
	enum { XSAVEOPT = 1 };
	struct cpuid_regs r = machine(LEAF_XSAVE, subleaf);

	if (subleaf == 0)
		return (struct cpuid_regs){(uint32_t)g->xcr0_allowed, xsave_size(machine, g->xcr0),
					   xsave_size(machine, g->xcr0_allowed), (uint32_t)(g->xcr0_allowed >> 32)};
	if (subleaf == 1)
		return (struct cpuid_regs){.eax = r.eax & XSAVEOPT};
	if (subleaf < 63 && g->xcr0_allowed >> subleaf & 1)
		return (struct cpuid_regs){r.eax, r.ebx, 0, 0};
	return (struct cpuid_regs){0};
}

/* Each processor is one core with one thread, whose caches nobody shares. */
static struct cpuid_regs caches(struct cpuid_regs r)
{
	r.eax &= 0x3ff;
	return r;
}

/* The frequency is twice that of a crystal, because the register ends at 4.29 GHz. */
uint32_t cpuid_crystal_hz(uint32_t tsc_khz)
{
	return tsc_khz * 500u;
}

static struct cpuid_regs tsc(const struct cpuid_guest *g)
{
	return (struct cpuid_regs){.eax = 1, .ebx = 2, .ecx = cpuid_crystal_hz(g->tsc_khz)};
}

static struct cpuid_regs hypervisor(const struct cpuid_guest *g, uint32_t leaf)
{
	if (leaf == LEAF_HYPERVISOR)
		return (struct cpuid_regs){LEAF_HYPERVISOR_TSC, 0x72646548, 0x65486e6f,
					   0x6e6f7264}; /* HedronHedron */
	if (leaf == LEAF_HYPERVISOR_TSC)
		return (struct cpuid_regs){.eax = g->tsc_khz};
	return (struct cpuid_regs){0};
}

static struct cpuid_regs amd(cpuid_fn *machine, const struct cpuid_guest *g, uint32_t leaf)
{
	struct cpuid_regs r = machine(leaf, 0);

	if (leaf > machine(LEAF_AMD, 0).eax)
		return (struct cpuid_regs){0};
	switch (leaf) {
	case LEAF_AMD:
		r.eax = r.eax > LEAF_AMD_SIZES ? LEAF_AMD_SIZES : r.eax;
		return r;
	case LEAF_AMD_FEATURES:
		return (struct cpuid_regs){.ecx = r.ecx & AMD_ECX,
					   .edx = r.edx & AMD_EDX & ~(g->has_rdtscp ? 0 : AMD_EDX_RDTSCP)};
	case LEAF_AMD_POWER:
		return (struct cpuid_regs){.edx = r.edx & POWER_EDX_INVARIANT_TSC};
	case LEAF_AMD_SIZES:
		return (struct cpuid_regs){.eax = r.eax & 0xffff};
	default:
		return leaf < LEAF_AMD_SIZES ? r : (struct cpuid_regs){0}; /* names and caches */
	}
}

static struct cpuid_regs basic(cpuid_fn *machine, const struct cpuid_guest *g, uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs r = machine(leaf, subleaf);

	switch (leaf) {
	case 0:
		r.eax = LEAF_MAX;
		return r;
	case LEAF_FEATURES:
		return features(r, g);
	case 2:
		return r;
	case LEAF_CACHES:
		return caches(r);
	case LEAF_EXTENDED_FEATURES:
		return extended_features(r, g, subleaf);
	case LEAF_XSAVE:
		return xsave(machine, g, subleaf);
	case LEAF_TSC:
		return tsc(g);
	default:
		return (struct cpuid_regs){0};
	}
}

struct cpuid_regs cpuid_answer(cpuid_fn *machine, const struct cpuid_guest *g, uint32_t leaf, uint32_t subleaf)
{
	if (leaf >> 16 == LEAF_AMD >> 16)
		return amd(machine, g, leaf);
	if (leaf >> 16 == LEAF_HYPERVISOR >> 16)
		return hypervisor(g, leaf);
	/* Asked for a leaf it lacks, a processor answers with its last one: nobody would know what that means. */
	if (leaf != LEAF_TSC && (leaf > LEAF_MAX || leaf > machine(0, 0).eax))
		return (struct cpuid_regs){0};
	return basic(machine, g, leaf, subleaf);
}

/*
 * SDM volume 3, 2.5. What every processor with VMX has: VME, PVI, TSD, DE, PSE, PAE, MCE, PGE, PCE, OSFXSR,
 * OSXMMEXCPT; and by features UMIP, FSGSBASE, PCIDE, OSXSAVE, SMEP, SMAP.
 */
uint64_t cpuid_cr4(cpuid_fn *machine, const struct cpuid_guest *g)
{
	struct cpuid_regs f = cpuid_answer(machine, g, LEAF_FEATURES, 0);
	struct cpuid_regs e = cpuid_answer(machine, g, LEAF_EXTENDED_FEATURES, 0);
	const struct {
		uint32_t feature, bit;
	} bits[] = {{e.ecx & BIT(2), 11},  {e.ebx & BIT(0), 16}, {f.ecx & BIT(17), 17},
		    {f.ecx & BIT(26), 18}, {e.ebx & BIT(7), 20}, {e.ebx & BIT(20), 21}};
	uint64_t cr4 = 0x7ff;

	for (unsigned n = 0; n < sizeof(bits) / sizeof(*bits); n++)
		if (bits[n].feature)
			cr4 |= BIT(bits[n].bit);
	return cr4;
}
