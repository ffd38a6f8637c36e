/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/topology.h"

#include "cpu/cpu.h"
#include "lib/bits.h"

/* Bits of the APIC ID that number threads in a core, and threads and cores in a package. */
struct id_fields {
	unsigned thread_bits, package_shift;
};

#define LEVEL_SMT 1

/* From an extended topology leaf. The last level gives the package: levels between core and package (modules, tiles,
 * dies) count as part of the core's number. */
static bool fields_from_leaf(u32 leaf, struct id_fields *f, u32 *apic_id)
{
	if (cpuid(0, 0).eax < leaf || !cpuid(leaf, 0).ebx)
		return false;
	for (u32 sub = 0; sub < 8; sub++) {
		struct cpuid l = cpuid(leaf, sub);
		unsigned type = l.ecx >> 8 & 0xff, shift = l.eax & 31;
		if (!type)
			break;
		if (type == LEVEL_SMT)
			f->thread_bits = shift;
		f->package_shift = shift;
		*apic_id = l.edx;
	}
	return true;
}

static unsigned bits_for(unsigned count)
{
	return count > 1 ? bit_highest(count - 1) + 1 : 0;
}

#define EXT1_ECX_TOPOLOGY (1u << 22)

/*
 * AMD's own leaves, where the extended ones are missing. 80000008h: how many threads, and how wide their part of the
 * APIC ID is, 0 if only the number says; 8000001Eh: how many of them share a core, and the whole ID, of which leaf 1
 * has the low byte. Bochs announces the latter leaf and leaves it empty. Newer processors have 0bh, and in 80000026h
 * levels that count as part of the core's number here. Manual: APM vol. 3, appendix E.4.
 */
static bool fields_from_amd(struct id_fields *f, u32 *apic_id)
{
	u32 max = cpuid(0x80000000, 0).eax;
	if (!cpu_is_amd() || max < 0x80000008)
		return false;
	u32 size = cpuid(0x80000008, 0).ecx;
	unsigned width = size >> 12 & 0xf;
	*apic_id = cpuid(1, 0).ebx >> 24;
	f->package_shift = width ? width : bits_for((size & 0xff) + 1);
	if (max >= 0x8000001e && cpuid(0x80000001, 0).ecx & EXT1_ECX_TOPOLOGY) {
		struct cpuid l = cpuid(0x8000001e, 0);
		if ((u8)l.eax == *apic_id)
			*apic_id = l.eax;
		f->thread_bits = bits_for((l.ebx >> 8 & 0xff) + 1);
	}
	return true;
}

/* For other processors without extended leaves, from the number of logical processors in a package (leaf 1) and of
 * cores (leaf 4). */
static void fields_from_counts(struct id_fields *f, u32 *apic_id)
{
	struct cpuid l1 = cpuid(1, 0);
	unsigned logical = l1.edx & 1u << 28 ? l1.ebx >> 16 & 0xff : 1;
	unsigned cores = cpuid(0, 0).eax >= 4 ? (cpuid(4, 0).eax >> 26) + 1 : 1;

	*apic_id = l1.ebx >> 24;
	f->package_shift = bits_for(logical);
	f->thread_bits = logical > cores ? f->package_shift - bits_for(cores) : 0;
}

struct topology topology_self(void)
{
	struct id_fields f = {0};
	u32 apic_id = 0;

	if (!fields_from_leaf(0x1f, &f, &apic_id) && !fields_from_leaf(0xb, &f, &apic_id) &&
	    !fields_from_amd(&f, &apic_id))
		fields_from_counts(&f, &apic_id);
	return (struct topology){
		.package = f.package_shift < 32 ? apic_id >> f.package_shift : 0,
		.core = (apic_id & bits_low(f.package_shift)) >> f.thread_bits,
		.thread = apic_id & bits_low(f.thread_bits),
	};
}
