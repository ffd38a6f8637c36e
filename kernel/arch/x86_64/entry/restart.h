/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Restart ranges. Between the last look at the hazards and the instruction that leaves the kernel, an NMI may set a
 * hazard, and nothing is masked. So its handler does not return to an instruction in such a range, but to where the
 * hazards are looked at again, or to the dispatcher: the range starts over, and has had no effect.
 *
 * Each range is a row of a table in the image, which macros in assembly make (entry.inc), as the exception table is.
 * Whatever leads to user mode, into a guest or to sleep lies in one of them, or tests/integration/exits_test.py has
 * its reason why it need not.
 */
#pragma once

#include "lib/compiler.h"
#include "lib/types.h"

struct restart_range {
	u64 start, end; /* [start, end) */
	u64 goes_on;    /* where the kernel goes on, on an empty main stack */
	u64 cont;       /* enum ec_cont of the current EC then; or RESTART_CONT_KEPT */
};

/* The range's registers are still good: it goes on with them, and not with the EC's continuation. */
#define RESTART_CONT_KEPT 0xff

extern const struct restart_range restart_table_start[], restart_table_end[];

static always_inline bool restart_range_has(const struct restart_range *r, u64 rip)
{
	return rip - r->start < r->end - r->start;
}

/* NULL: not in one. Few rows: no order needed. */
static inline const struct restart_range *restart_range_of(u64 rip)
{
	for (const struct restart_range *r = restart_table_start; r < restart_table_end; r++)
		if (restart_range_has(r, rip))
			return r;
	return NULL;
}
