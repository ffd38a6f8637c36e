/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables behind a PD's slot window. Three levels lead to a page of slots: selector bits 25, 24:16 and 15:7 are
 * the indices, 6:0 is the slot.
 *
 * Locking: tables change under the space's lock, and are read without. Lifetime: what is taken out is freed after a
 * grace period (space/slot_sweep.h), the rest together.
 *
 * Manual: SDM vol. 3, 4.5.
 */
#pragma once

#include "lib/bits.h"
#include "lib/list.h"
#include "lib/nospec.h"
#include "mm/buddy.h"
#include "mm/layout.h"
#include "space/cap.h"

#define SLOT_TABLE_SHIFT_TOP 25
#define SLOT_TABLE_BITS 9
#define SLOT_TABLE_SLOT_BITS 7

_Static_assert(CAP_SLOTS_PER_PAGE == 1 << SLOT_TABLE_SLOT_BITS, "slots of a page");
_Static_assert(SLOT_TABLE_SHIFT_TOP == SLOT_TABLE_SLOT_BITS + 2 * SLOT_TABLE_BITS &&
		       HEDRON_SEL_NUM == 2 << SLOT_TABLE_SHIFT_TOP,
	       "two entries of the PDPT");

struct account;
struct pd;

static always_inline unsigned slot_table_index(u64 sel, int shift)
{
	return sel >> shift & bits_low(SLOT_TABLE_BITS);
}

static always_inline u64 slot_table_entry(const u64 *table, unsigned i)
{
	return __atomic_load_n(&table[i], __ATOMIC_ACQUIRE);
}

/* Present, writable, accessed, dirty, supervisor, no execution. Accessed and dirty are set from the start, so that
 * the CPU never writes to an entry, and slot_table_target() knows all bits. */
#define SLOT_TABLE_FLAGS 0x8000000000000063ull

static always_inline void *slot_table_target(u64 entry)
{
	return heap_virt(paddr(entry - SLOT_TABLE_FLAGS));
}

/* Fills entry i, which is empty, of a table whose index has this shift, on the way to sel. The entry; 0: out of
 * memory. */
typedef u64 slot_table_grow_t(u64 *table, unsigned i, int shift, struct pd *pd, u64 sel);

/*
 * The way to the slot of sel; NULL if a table is missing that `grow`, a constant, does not make (NULL: makes none).
 * Unrolled, because this walk is most of what delegations and revocations cost: a loop takes 7 instructions more.
 * Speculation may bring numbers out of range: 32 bits of them count, with which it reaches entries of the top table
 * behind the second, which are empty (TSS_WINDOW, mm/layout.h).
 */
static always_inline struct cap_slot *slot_table_walk(u64 *pdpt, u64 sel, slot_table_grow_t *grow, struct pd *pd)
{
	u64 *table = pdpt;

#pragma GCC unroll 3
	for (int level = 0; level < 3; level++) {
		int shift = SLOT_TABLE_SHIFT_TOP - level * SLOT_TABLE_BITS;
		unsigned i = level ? slot_table_index(sel, shift) : nospec_u32(sel) >> shift;
		u64 entry = slot_table_entry(table, i);
		if (unlikely(!entry) && !(grow && (entry = grow(table, i, shift, pd, sel))))
			return NULL;
		table = slot_table_target(entry);
	}
	return (struct cap_slot *)table + (sel & bits_low(SLOT_TABLE_SLOT_BITS));
}

/* The slot of sel, which is in range; NULL if there is no page of slots. */
static always_inline struct cap_slot *slot_table_find(u64 *pdpt, u64 sel)
{
	return slot_table_walk(pdpt, sel, NULL, NULL);
}

/* The same, but makes the tables that are missing, with the space's lock held; pd becomes the owner of a new page of
 * slots (space_obj_owner()), and pays for all of them. NULL: out of memory. */
struct cap_slot *slot_table_make(u64 *pdpt, struct pd *pd, u64 sel);

/* Takes the page of slots of sel, which exists and is empty, out of the tables, with the space's lock held. A table
 * that has become empty with it is taken out, too, and put into `gone`, by struct page.link. */
void slot_table_unhook(u64 *pdpt, struct pd *pd, u64 sel, struct list *gone);

/* The first selector in [sel, end) whose page of slots exists; end or more if there is none. It may also be one
 * before that, but then it is much nearer, and somebody more important may run. */
u64 slot_table_skip(const u64 *pdpt, u64 sel, u64 end);

/* The same: moves *sel on; *count selectors from there share a page, if it exists. False: there is none. */
static always_inline bool slot_table_page(const u64 *pdpt, u64 *sel, u64 *count, u64 end)
{
	*sel = slot_table_skip(pdpt, *sel, end);
	*count = min_u64(end - *sel, CAP_SLOTS_PER_PAGE);
	return *sel < end;
}

/* An empty table, for the top; NULL: out of memory. */
u64 *slot_table_alloc(struct account *account);
/* Whether anything is below them. */
static always_inline bool slot_table_is_used(const u64 *pdpt)
{
	return buddy_page(pdpt)->count;
}
/* Frees tables and pages of slots for so many units, each about ten instructions. No CPU can look up here any more.
 * Returns the units that are left; 0 or less: there may be more. */
int slot_table_free_below(u64 *pdpt, int units) must_check;
