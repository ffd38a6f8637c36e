/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What interrupt controllers send each other: on real boards, messages on the bus. Manual: Intel SDM volume 3, 11.11.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum apic_mode { APIC_FIXED, APIC_LOWEST, APIC_SMI, APIC_NMI = 4, APIC_INIT, APIC_START, APIC_EXTERNAL };
enum apic_whom { APIC_ADDRESSED, APIC_SELF, APIC_ALL, APIC_OTHERS };

struct apic_message {
	uint32_t destination;       /* looked at for APIC_ADDRESSED */
	uint8_t vector, mode, whom; /* the vector of APIC_START is the page at which the processor begins */
	uint32_t sender;            /* whom APIC_OTHERS leaves out */
	bool logical;               /* the destination is a set of processors, and not a number */
	bool level;                 /* the sender wants to know of the end of the interrupt */
};

/* The bits that a local APIC's command register and an IO-APIC's entries have in common. */
enum {
	APIC_VECTOR = 0xff,
	APIC_MODE_SHIFT = 8,
	APIC_MODE = 7 << APIC_MODE_SHIFT,
	APIC_LOGICAL = 1 << 11,
	APIC_REMOTE_IRR = 1 << 14, /* of an entry */
	APIC_ASSERT = 1 << 14,     /* of the command register */
	APIC_LEVEL = 1 << 15,
	APIC_MASKED = 1 << 16
};
