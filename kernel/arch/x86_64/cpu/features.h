/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a CPU has of that which the kernel uses. Reading it changes nothing and needs nothing. Manual: SDM vol. 2,
 * CPUID. */
#pragma once

#include "lib/types.h"

/* What a CPU either has or not: X(member, name). */
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

/* What the machine has and the command line allows; the same on every CPU. Constant after boot. */
struct cpu_features {
#define X(member, name) bool member;
	FEATURE_LIST(X)
#undef X
	u8 phys_bits;
	u32 xcr0;     /* extended state that we manage; from features_read(), all that the CPU has */
	u32 fpu_size; /* of the area for it; not from features_read() */
};

extern struct cpu_features cpu_features;

/* Of the running CPU. */
void features_read(struct cpu_features *f);

/* 0, or the number of the first thing that `wanted` has and `have` has not. The area may not be larger either. */
unsigned features_lacking(const struct cpu_features *wanted, const struct cpu_features *have);
const char *features_name(unsigned number);

/* Bytes of an XSAVE area with these components in the standard format; as the running CPU has it. */
u32 features_xsave_size(u32 xcr0);
