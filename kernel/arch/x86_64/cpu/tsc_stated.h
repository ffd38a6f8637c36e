/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the CPU, or a hypervisor below, states about the rate of the TSC: kHz, 0 if it says nothing. Each asks only
 * for what the CPU has. Manual: SDM vol. 2, CPUID leaves 15h and 16h, vol. 3, 19.7.3; AMD's Processor Programming
 * References of families 17h to 1Ah, MSR C001_0015 and C001_0064.
 */
#pragma once

#include "lib/types.h"

/* From the crystal: leaf 15h. Some CPUs do not state the crystal, but the manual does for their models. */
u32 tsc_stated_crystal(void);
/* By the hypervisor that this is a guest of: leaf 40000010h, as KVM and VMware have it. */
u32 tsc_stated_hypervisor(void);
/* AMD: the frequency of P-state 0, which an invariant TSC has; what is set up, not what a clock has measured. */
u32 tsc_stated_pstate(void);
/* Leaf 16h: the frequency on the box, in round numbers. */
u32 tsc_stated_base(void);
