/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/features.h"

#include "cpu/cpu.h"
#include "cpu/errata.h"
#include "lib/bits.h"

#define LEAF1_ECX_MONITOR (1u << 3)
#define LEAF1_ECX_PCID (1u << 17)
#define LEAF1_ECX_X2APIC (1u << 21)
#define LEAF1_ECX_XSAVE (1u << 26)
#define LEAF1_EDX_PGE (1u << 13)
#define LEAF7_EBX_FSGSBASE (1u << 0)
#define LEAF7_EBX_SMEP (1u << 7)
#define LEAF7_EBX_SMAP (1u << 20)
#define LEAF7_ECX_UMIP (1u << 2)
#define LEAFD1_XSAVEOPT (1u << 0)
#define LEAFD1_XGETBV1 (1u << 2)
#define LEAF7_ECX_TME (1u << 13)
#define EXT1_EDX_1G (1u << 26)
#define EXT1F_EAX_SME (1u << 0)
#define EXT1F_EBX_REDUCTION_SHIFT 6

#define MSR_TME_ACTIVATE 0x982
#define TME_ENABLED (1u << 1)
#define TME_KEYID_BITS_SHIFT 32
#define MSR_SYSCFG 0xc0010010
#define SYSCFG_SME (1u << 23)
#define EXT8_EBX_ERR_PTRS (1u << 2)

#define LEGACY_AREA 576 /* with the header: SDM vol. 1, 13.4 */
#define COMPONENTS 32

u32 features_xsave_size(u32 xcr0)
{
	u32 size = LEGACY_AREA;

	for (u32 n = 2; n < COMPONENTS; n++)
		if (xcr0 >> n & 1) {
			struct cpuid l = cpuid(0xd, n); /* size, offset */
			size = l.eax + l.ebx > size ? l.eax + l.ebx : size;
		}
	return size;
}

/* Family and extended family are added: the second is 0 unless the first is 0Fh. */
static unsigned family(u32 signature)
{
	return (signature >> 8 & 0xf) + (signature >> 20 & 0xff);
}

/* Whether XRSTOR always loads the x87 pointers. AMD's processors before Zen 2 do so only if an exception is pending;
 * those before family 15h do not matter, because they have no XSAVE. */
static bool x87_pointers(u32 signature, u32 ext)
{
	return !cpu_is_amd() || family(signature) < 0x15 ||
	       (ext >= 0x80000008 && cpuid(0x80000008, 0).ebx & EXT8_EBX_ERR_PTRS);
}

static struct cpuid cpuid_up_to(u32 max, u32 leaf, u32 sub)
{
	return leaf <= max ? cpuid(leaf, sub) : (struct cpuid){0};
}

/*
 * The upper bits of a physical address that are no address while memory is encrypted: the number of a key (TME), or a
 * bit that says whether there is one (SME). Pages that are mapped without them have the key of firmware, or none.
 * Manual: Intel Architecture Memory Encryption Technologies Specification, 4.2.2; APM vol. 2, 7.10.1.
 */
static u8 key_bits(u32 max, u32 ext)
{
	if (cpuid_up_to(max, 7, 0).ecx & LEAF7_ECX_TME) {
		u64 activate = msr_read(MSR_TME_ACTIVATE);
		return activate & TME_ENABLED ? activate >> TME_KEYID_BITS_SHIFT & 0xf : 0;
	}
	struct cpuid sme = cpuid_up_to(ext, 0x8000001f, 0);
	if (sme.eax & EXT1F_EAX_SME && msr_read(MSR_SYSCFG) & SYSCFG_SME)
		return sme.ebx >> EXT1F_EBX_REDUCTION_SHIFT & 0x3f;
	return 0;
}

u8 features_phys_bits(void)
{
	u32 max = cpuid(0, 0).eax, ext = cpuid(0x80000000, 0).eax;
	u8 bits = ext >= 0x80000008 ? (u8)cpuid(0x80000008, 0).eax : 36;

	return (u8)(bits - key_bits(max, ext));
}

void features_read(struct cpu_features *f)
{
	u32 max = cpuid(0, 0).eax, ext = cpuid(0x80000000, 0).eax;
	struct cpuid l1 = cpuid(1, 0), l7 = cpuid_up_to(max, 7, 0);
	struct cpuid ld0 = cpuid_up_to(max, 0xd, 0), ld1 = cpuid_up_to(max, 0xd, 1);
	struct cpuid e1 = cpuid_up_to(ext, 0x80000001, 0);

	*f = (struct cpu_features){
		.xsave = l1.ecx & LEAF1_ECX_XSAVE && max >= 0xd,
		.fsgsbase = l7.ebx & LEAF7_EBX_FSGSBASE,
		.pcid = l1.ecx & LEAF1_ECX_PCID,
		.smep = l7.ebx & LEAF7_EBX_SMEP,
		.smap = l7.ebx & LEAF7_EBX_SMAP,
		.umip = l7.ecx & LEAF7_ECX_UMIP,
		.pge = l1.edx & LEAF1_EDX_PGE,
		.page_1g = e1.edx & EXT1_EDX_1G,
		.xsaveopt = ld1.eax & LEAFD1_XSAVEOPT,
		.xgetbv1 = ld1.eax & LEAFD1_XGETBV1,
		.mwait = l1.ecx & LEAF1_ECX_MONITOR && !errata_monitor_misses_stores(l1.eax),
		.x2apic = l1.ecx & LEAF1_ECX_X2APIC,
		.x87_pointers = x87_pointers(l1.eax, ext),
		.phys_bits = features_phys_bits(),
		.xcr0 = ld0.eax,
	};
}

enum {
	LACKS_NOTHING,
	LACKS_APIC_MODE = FEATURES_APIC_MODE,
#define X(member, name) LACKS_##member,
	FEATURE_LIST(X)
#undef X
		LACKS_PHYS_BITS,
	LACKS_STATE,
	LACKS_LAYOUT,
};

static const char *const names[] = {
	[LACKS_NOTHING] = "nothing",
	[LACKS_APIC_MODE] = "the mode of the boot CPU's local APIC",
#define X(member, name) [LACKS_##member] = name,
	FEATURE_LIST(X)
#undef X
		[LACKS_PHYS_BITS] = "bits of physical addresses",
	[LACKS_STATE] = "a part of the extended state",
	[LACKS_LAYOUT] = "the layout of the extended state",
};

const char *features_name(unsigned number)
{
	return number < array_size(names) ? names[number] : "something";
}

unsigned features_lacking(const struct cpu_features *wanted, const struct cpu_features *have)
{
#define X(member, name)                      \
	if (wanted->member && !have->member) \
		return LACKS_##member;
	FEATURE_LIST(X)
#undef X
	if (have->phys_bits < wanted->phys_bits)
		return LACKS_PHYS_BITS;
	if (wanted->xcr0 & ~have->xcr0)
		return LACKS_STATE;
	return have->fpu_size > wanted->fpu_size ? LACKS_LAYOUT : LACKS_NOTHING;
}
