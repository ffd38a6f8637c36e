/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/slot_table.h"

#include "lib/nospec.h"
#include "mm/page.h"

/* Entries of a table from this one on have never been used: selectors are mostly low, tables mostly empty. Written
 * under the space's lock, read without. */
static u64 *table_limit(const u64 *table)
{
	return &buddy_page(table)->index;
}

/* The first used entry from i on; 2^SLOT_TABLE_BITS if there is none. */
static unsigned table_next(const u64 *table, unsigned i)
{
	for (unsigned limit = (unsigned)__atomic_load_n(table_limit(table), __ATOMIC_ACQUIRE); i < limit; i++)
		if (slot_table_entry(table, i))
			return i;
	return 1u << SLOT_TABLE_BITS;
}

u64 *slot_table_alloc(void)
{
	u64 *table = page_alloc_zeroed();

	if (table)
		*table_limit(table) = 0;
	return table;
}

static void table_set(u64 *table, unsigned i, const void *target)
{
	u64 *limit = table_limit(table);

	__atomic_store_n(&table[i], heap_phys(target).v | SLOT_TABLE_FLAGS, __ATOMIC_RELEASE);
	if (*limit <= i)
		__atomic_store_n(limit, i + 1, __ATOMIC_RELEASE);
}

static void *slot_page_alloc(struct pd *pd, u64 sel)
{
	void *slots = page_alloc_zeroed();

	if (slots) {
		buddy_page(slots)->owner = pd;
		buddy_page(slots)->index = sel & ~bits_low(SLOT_TABLE_SLOT_BITS);
	}
	return slots;
}

/*
 * A walk of its own, because it needs the tables and not only their entries. Unlike slot_table_find() it is a loop,
 * because it is off the hot paths: its callers come here when that has found nothing.
 */
struct cap_slot *slot_table_make(u64 *pdpt, struct pd *pd, u64 sel)
{
	u64 *table = pdpt;

	sel = nospec_wrap(sel, HEDRON_SEL_NUM);
	for (int shift = SLOT_TABLE_SHIFT_TOP; shift > 0; shift -= SLOT_TABLE_BITS) {
		unsigned i = slot_table_index(sel, shift);
		if (!table[i]) {
			void *below = shift == SLOT_TABLE_SLOT_BITS ? slot_page_alloc(pd, sel) : slot_table_alloc();
			if (!below)
				return NULL;
			table_set(table, i, below);
		}
		table = slot_table_target(table[i]);
	}
	return (struct cap_slot *)table + (sel & bits_low(SLOT_TABLE_SLOT_BITS));
}

/*
 * A walk of its own, because it goes on where the others end: from a hole to the next entry in use. Where a table has
 * no more it starts over at the top, so that it need not remember the way.
 */
u64 slot_table_skip(const u64 *pdpt, u64 sel, u64 end)
{
	const u64 *table = pdpt;
	int shift = SLOT_TABLE_SHIFT_TOP;

	while (sel < end) {
		unsigned i = slot_table_index(sel, shift), next = table_next(table, i);
		if (next != i)
			sel = ((sel >> shift) + next - i) << shift;
		if (next >> SLOT_TABLE_BITS) { /* on to another table */
			table = pdpt;
			shift = SLOT_TABLE_SHIFT_TOP;
		} else if (shift == SLOT_TABLE_SLOT_BITS) {
			break;
		} else {
			table = slot_table_target(slot_table_entry(table, next));
			shift -= SLOT_TABLE_BITS;
		}
	}
	return sel;
}

/* Frees a table of the lowest level with its pages of slots. Entries are cleared on the way, so that the table is
 * known to be zero, because only a few of them were used. Each level has a function of its own instead of recursion.
 */
static void slot_pages_free(u64 *table)
{
	for (unsigned i = 0; (i = table_next(table, i)) >> SLOT_TABLE_BITS == 0; i++) {
		page_free(slot_table_target(table[i]));
		table[i] = 0;
	}
	page_free_zeroed(table);
}

static void tables_free(u64 *table)
{
	for (unsigned i = 0; (i = table_next(table, i)) >> SLOT_TABLE_BITS == 0; i++) {
		slot_pages_free(slot_table_target(table[i]));
		table[i] = 0;
	}
	page_free_zeroed(table);
}

void slot_table_free(u64 *pdpt)
{
	for (unsigned i = 0; (i = table_next(pdpt, i)) >> SLOT_TABLE_BITS == 0; i++) {
		tables_free(slot_table_target(pdpt[i]));
		pdpt[i] = 0;
	}
	page_free_zeroed(pdpt);
}
