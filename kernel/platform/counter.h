/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters of known frequency, to measure the TSC with: channel 2 of the 8254, the power management timer of ACPI,
 * the HPET. They may be missing, or not count. For the boot CPU, as long as firmware tables can be read
 * (arch_phys_map()). Manual: 8254 data sheet; ACPI Specification 6.5, 4.8.3.3; IA-PC HPET Specification 1.0a, 2.3.
 */
#pragma once

#include "lib/types.h"

/* A look at a counter: it had this count somewhere between these two readings of the TSC. */
struct counter_look {
	u64 before, after;
	u64 count;
};

struct counter {
	const char *name;
	u64 hz;
	unsigned bits; /* of the count, which then starts over */
	u64 place;     /* port or physical address */
	u64 found;     /* what start() has to remember for stop() */
	/* False: there is no such thing. stop() leaves everything as start() has found it; only after a start(). */
	bool (*start)(struct counter *c);
	/* False: the count means nothing any more. */
	bool (*look)(const struct counter *c, struct counter_look *look);
	void (*stop)(const struct counter *c);
};

struct counter counter_pit(void);
/* Port and bits as ACPI has them; port 0: start() finds nothing. */
struct counter counter_pm_timer(u16 port, unsigned bits);
/* Physical address as ACPI has it; 0: start() finds nothing. */
struct counter counter_hpet(u64 pa);
