/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The features of a CPU that the kernel uses. They are read by CPUID, and MSRs that it says are there, in any state
 * of the CPU. Manual: SDM vol. 2, CPUID. */
#pragma once

#include "lib/types.h"

/* Features that a CPU either has or has not: X(member, name). */
#define FEATURE_LIST(X)                \
	X(xsave, "XSAVE")              \
	X(fsgsbase, "FSGSBASE")        \
	X(pcid, "PCID")                \
	X(smep, "SMEP")                \
	X(smap, "SMAP")                \
	X(umip, "UMIP")                \
	X(pge, "global pages")         \
	X(page_1g, "pages of 1 GiB")   \
	X(xsaveopt, "XSAVEOPT")        \
	X(xgetbv1, "XGETBV(1)")        \
	X(mwait, "a MONITOR to trust") \
	X(x2apic, "the x2APIC mode")   \
	X(x87_pointers, "an XRSTOR that loads the x87 pointers") /* cpu/fpu.c */

/* The features of one CPU. In cpu_features they are those that all CPUs use: the boot CPU has them and the command
 * line allows them. */
struct cpu_features {
#define X(member, name) bool member;
	FEATURE_LIST(X)
#undef X
	u8 phys_bits;
	u32 xcr0;     /* components of extended state: in cpu_features those that are switched, else all */
	u32 fpu_size; /* bytes of an area for them; features_read() does not set it */
};

/* Constant after cpu_detect(). */
extern struct cpu_features cpu_features;

/* Reads the features of the running CPU. */
void features_read(struct cpu_features *f);

/* Bits of a physical address on the running CPU, without those that number a key of encrypted memory. */
u8 features_phys_bits(void);

/* The number of the first feature that `wanted` has and `have` lacks, 0 if there is none. A larger area counts as
 * one. */
unsigned features_lacking(const struct cpu_features *wanted, const struct cpu_features *have);
#define FEATURES_APIC_MODE 1 /* the number of what is found out elsewhere (apic/lapic.h) */
const char *features_name(unsigned number);

/* Bytes of an XSAVE area in the standard format with these components, with the running CPU's layout. */
u32 features_xsave_size(u32 xcr0);
