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

/* The first used entry from i on, or the one before which *left has become 0; 2^SLOT_TABLE_BITS if there is none. */
static unsigned table_next(const u64 *table, unsigned i, unsigned *left)
{
	unsigned limit = (unsigned)__atomic_load_n(table_limit(table), __ATOMIC_ACQUIRE);

	for (; i < limit; i++) {
		if (slot_table_entry(table, i) || !*left)
			return i;
		--*left;
	}
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

/* So many empty entries are passed in a piece, about six instructions each; the end of a table is as much as some. */
#define SKIP_HOLES 256
#define SKIP_TABLE 8

/*
 * A walk of its own, because it goes on where slot_table_walk() ends: from a hole to the next entry in use. Where a
 * table has no more it starts over at the top, so that it need not remember the way.
 */
u64 slot_table_skip(const u64 *pdpt, u64 sel, u64 end)
{
	const u64 *table = pdpt;
	int shift = SLOT_TABLE_SHIFT_TOP;
	unsigned left = SKIP_HOLES;

	while (sel < end && left) {
		unsigned i = slot_table_index(sel, shift), next = table_next(table, i, &left);
		if (next != i)
			sel = ((sel >> shift) + next - i) << shift;
		if (next >> SLOT_TABLE_BITS) { /* on to another table */
			table = pdpt;
			shift = SLOT_TABLE_SHIFT_TOP;
			left -= left < SKIP_TABLE ? left : SKIP_TABLE;
		} else if (shift == SLOT_TABLE_SLOT_BITS) {
			break;
		} else {
			table = slot_table_target(slot_table_entry(table, next));
			shift -= SLOT_TABLE_BITS;
		}
	}
	return sel;
}

/* ---- The end: from the last entry to the first, so that limits say how far it has come ---- */

/* In units of about ten instructions: a page is freed, or so many entries are empty. */
#define COST_FREE 20
#define COST_HOLES 20
#define HOLES 64

/* The last entry in use, of a table that has one; NULL: there are too many empty ones behind it for once. */
static always_inline u64 *last_entry(u64 *table)
{
	u64 *limit = table_limit(table);

	for (unsigned n = 0; n < HOLES; n++, --*limit)
		if (likely(table[*limit - 1]))
			return &table[*limit - 1];
	return NULL;
}

static void slot_page_free(u64 *slots, struct account *account)
{
	page_free(slots); /* `link` was where its account would be */
	account_give(account, PAGE_SIZE);
}

/* Frees the last page of slots below a table that is not empty, or a table in its place that is. Tables are not
 * zeroed for that, because the entry of each that goes is emptied. Returns the cost. */
static int free_last(u64 *table)
{
	for (int shift = SLOT_TABLE_SHIFT_TOP;; shift -= SLOT_TABLE_BITS) {
		u64 *last = last_entry(table), *below;

		if (unlikely(!last))
			return COST_HOLES;
		below = slot_table_target(*last);
		if (shift > SLOT_TABLE_SLOT_BITS && *table_count(below)) {
			table = below;
			continue;
		}
		if (shift > SLOT_TABLE_SLOT_BITS)
			page_return_zeroed(below);
		else
			slot_page_free(below, buddy_page(table)->account);
		(void)table_remove(table, (unsigned)(last - table));
		return COST_FREE;
	}
}

int slot_table_free_below(u64 *pdpt, int units)
{
	while (*table_count(pdpt) && units > 0)
		units -= free_last(pdpt);
	return units;
}
