/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest's CPUID says: the machine's own processor, less what the monitor does not give to guests. A feature is
 * shown if it is on a list here; what is not known here is not shown. Manual: Intel SDM volume 2A, "CPUID".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct cpuid_regs {
	uint32_t eax, ebx, ecx, edx;
};

/* What the answer depends on besides the processor. */
struct cpuid_guest {
	uint64_t cr4, xcr0;
	uint64_t xcr0_allowed; /* state components a guest can have */
	uint32_t tsc_khz;
	uint8_t number;               /* of the processor: that of its local APIC */
	bool has_apic;                /* the guest has not switched its local APIC off */
	bool has_rdtscp, has_invpcid; /* the processor can let guests use them */
};

typedef struct cpuid_regs cpuid_fn(uint32_t leaf, uint32_t subleaf); /* the machine's own instruction */

/* The bits of CR4 that such a guest can set: those of features that it has. */
uint64_t cpuid_cr4(cpuid_fn *machine, const struct cpuid_guest *g);

/* The clock of the local APIC's timer is the crystal behind the TSC. */
uint32_t cpuid_crystal_hz(uint32_t tsc_khz);

struct cpuid_regs cpuid_answer(cpuid_fn *machine, const struct cpuid_guest *g, uint32_t leaf, uint32_t subleaf);
