/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The place of the running CPU in the machine, from its APIC ID. Manual: SDM vol. 3, 9.9.3 (fields of the APIC ID),
 * vol. 2, CPUID leaves 1, 4, 0Bh, 1Fh; APM vol. 3, appendix E. */
#pragma once

#include "lib/types.h"

struct topology {
	unsigned package, core, thread;
};

struct topology topology_self(void);
