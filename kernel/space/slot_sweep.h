/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages of slots that nobody uses any more. Emptying a slot is too frequent to count for it, so pages are looked at
 * now and then: two for each new one, hence a PD has at most about as many empty ones as others for long; those that
 * the revocation of a range is through with; and all of them, if need be, when there is no memory (core/scarce.h).
 *
 * Lifetime: others may have found a page, but nothing in it, so it is freed after a grace period. No CPU may reach it
 * through the window when its place can be filled again, so TLBs are flushed with the space's lock held.
 */
#pragma once

#include "lib/types.h"

struct pd;

/* Looks at pages until so many slots were looked at, and once at each page at most. True: some have gone. With the
 * space's lock held; it waits for NMI handlers of other CPUs. */
bool slot_sweep_locked(struct pd *pd, unsigned slots);

/* The same without the lock. Returns at how many pages it has looked; *found: some of them were empty. */
u32 slot_sweep(struct pd *pd, unsigned slots, bool *found);
/* How many pages a PD has. */
u32 slot_sweep_num(struct pd *pd) must_check;

/* Looks at the pages of these numbers, which are selectors without the lowest bits, and at another one. */
void slot_sweep_pages(struct pd *pd, const u32 *pages, unsigned num);

/* Of a PD whose space is closed and empty: takes out some pages of many. False: there are few, or those stay that it
 * has looked at. */
bool slot_sweep_closed(struct pd *pd);

/* What a new page costs in looks at others. */
#define SLOT_SWEEP_GROW (2 * CAP_SLOTS_PER_PAGE)
/* A piece of what is done before memory is waited for. */
#define SLOT_SWEEP_SCARCE (12 * CAP_SLOTS_PER_PAGE)
