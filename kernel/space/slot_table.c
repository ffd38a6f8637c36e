/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/slot_table.h"

#include "lib/nospec.h"
#include "mm/page.h"
#include "space/pd.h"
#include "space/slot_sweep.h"

/* Entries of a table from this one on have never been used: selectors are mostly low, tables mostly empty. Written
 * under the space's lock, read without. */
static u64 *table_limit(const u64 *table)
{
	return &buddy_page(table)->index;
}

/* How many entries are in use. Guarded by the space's lock. */
static u16 *table_count(const u64 *table)
{
	return &buddy_page(table)->count;
}

/* The first used entry from i on; 2^SLOT_TABLE_BITS if there is none. */
static unsigned table_next(const u64 *table, unsigned i)
{
	for (unsigned limit = (unsigned)__atomic_load_n(table_limit(table), __ATOMIC_ACQUIRE); i < limit; i++)
		if (slot_table_entry(table, i))
			return i;
	return 1u << SLOT_TABLE_BITS;
}

u64 *slot_table_alloc(struct account *account)
{
	u64 *table = page_take_zeroed(account);

	if (table) {
		*table_limit(table) = 0;
		*table_count(table) = 0;
	}
	return table;
}

static void *slot_page_alloc(struct pd *pd, u64 sel)
{
	void *slots = page_take_zeroed(&pd->account);

	if (slots) {
		struct page *p = buddy_page(slots);
		p->owner = pd;
		p->index = sel & ~bits_low(SLOT_TABLE_SLOT_BITS);
		list_push_tail(&pd->objs.pages, &p->link);
		pd->objs.num_pages++;
	}
	return slots;
}

static noinline u64 table_grow(u64 *table, unsigned i, int shift, struct pd *pd, u64 sel)
{
	u64 *limit = table_limit(table), entry;
	void *below = shift == SLOT_TABLE_SLOT_BITS ? slot_page_alloc(pd, sel) : slot_table_alloc(&pd->account);

	if (!below)
		return 0;
	entry = heap_phys(below).v | SLOT_TABLE_FLAGS;
	__atomic_store_n(&table[i], entry, __ATOMIC_RELEASE);
	if (*limit <= i)
		__atomic_store_n(limit, i + 1, __ATOMIC_RELEASE);
	++*table_count(table);
	return entry;
}

struct cap_slot *slot_table_make(u64 *pdpt, struct pd *pd, u64 sel)
{
	slot_sweep_locked(pd, SLOT_SWEEP_GROW); /* before the walk, which must not lose a table that is still empty */
	return slot_table_walk(pdpt, sel, table_grow, pd);
}

/* Empties entry i. True: it was the last one. */
static bool table_remove(u64 *table, unsigned i)
{
	__atomic_store_n(&table[i], 0, __ATOMIC_RELEASE);
	return --*table_count(table) == 0;
}

/* Takes out the table of the lowest level that entry i refers to. */
static void unhook_table(u64 *middle, unsigned i, struct pd *pd, struct list *gone)
{
	u64 *table = slot_table_target(middle[i]);

	(void)table_remove(middle, i); /* one that is empty stays */
	buddy_page(table)->owner = pd;
	list_push_tail(gone, &buddy_page(table)->link);
}

void slot_table_unhook(u64 *pdpt, struct pd *pd, u64 sel, struct list *gone)
{
	u64 *top = &pdpt[slot_table_index(sel, SLOT_TABLE_SHIFT_TOP)];
	u64 *middle = slot_table_target(*top);
	unsigned i = slot_table_index(sel, SLOT_TABLE_SHIFT_TOP - SLOT_TABLE_BITS);
	u64 *low = slot_table_target(middle[i]);

	if (table_remove(low, slot_table_index(sel, SLOT_TABLE_SLOT_BITS)))
		unhook_table(middle, i, pd, gone);
}

/*
 * A walk of its own, because it goes on where slot_table_walk() ends: from a hole to the next entry in use. Where a
 * table has no more it starts over at the top, so that it need not remember the way.
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
	struct account *account = buddy_page(table)->account; /* that of the pages, too */
	u64 bytes = 0;

	for (unsigned i = 0; (i = table_next(table, i)) >> SLOT_TABLE_BITS == 0; i++) {
		page_free(slot_table_target(table[i]));
		table[i] = 0;
		bytes += PAGE_SIZE;
	}
	account_give(account, bytes);
	page_return_zeroed(table);
}

static void tables_free(u64 *table)
{
	for (unsigned i = 0; (i = table_next(table, i)) >> SLOT_TABLE_BITS == 0; i++) {
		slot_pages_free(slot_table_target(table[i]));
		table[i] = 0;
	}
	page_return_zeroed(table);
}

void slot_table_free(u64 *pdpt)
{
	for (unsigned i = 0; (i = table_next(pdpt, i)) >> SLOT_TABLE_BITS == 0; i++) {
		tables_free(slot_table_target(pdpt[i]));
		pdpt[i] = 0;
	}
	page_return_zeroed(pdpt);
}
