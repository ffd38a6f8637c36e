/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/ptab.h"

#include "mm/page.h"
#include "platform/panic.h"

static always_inline unsigned index_at(u64 page, unsigned level)
{
	return page >> level * PTAB_LEVEL_BITS & ((level == 3 ? PTAB_ROOT_ENTRIES : PTAB_ENTRIES) - 1);
}

static always_inline u64 table_entry(const struct ptab *pt, const u64 *table)
{
	u64 rights = PTE_P | PTE_W | PTE_U; /* the same bits as EPT_R | EPT_W | EPT_X */
	return heap_phys(table).v | rights | (pt->format == PTAB_HOST ? PTE_A : 0);
}

void ptab_init(struct ptab *pt, enum ptab_format format, unsigned leaf_max, struct account *account)
{
	*pt = (struct ptab){.account = account, .format = (u8)format, .leaf_max = (u8)leaf_max};
}

/* ptab_walk() from the root on. Page numbers were checked long before, so the mask of index_at() is all that the
 * index needs for speculation. */
static always_inline u64 *find(const struct ptab *pt, u64 page, unsigned level, unsigned *found)
{
	return ptab_walk(&pt->root[index_at(page, 3)], page, level, found);
}

u64 ptab_lookup(const struct ptab *pt, u64 page, unsigned *order)
{
	unsigned level = PTAB_LEVELS;
	u64 entry = pt->root ? *find(pt, page, 0, &level) : 0;
	*order = level * PTAB_LEVEL_BITS;
	return entry;
}

/* ---- Tables that were taken out ---- */

static noinline void gather(struct ptab_gather *g, u64 entry, unsigned level)
{
	u64 *table = ptab_child(entry);
	struct page *p = buddy_page(table);
	p->index = level;
	p->owner = g->tables;
	g->tables = table;
}

/* In units of about ten instructions: to free a table, to take one out, to look at a group of entries. */
#define COST_FREE 20
#define COST_GATHER 2
#define COST_LOOK 2

/* Usually few entries are in use, so groups of them are looked at without a branch for each. */
#define GROUP 8

static always_inline bool group_is_empty(const u64 *e)
{
	u64 used = 0;

#pragma GCC unroll 8
	for (unsigned i = 0; i < GROUP; i++)
		used |= e[i];
	return !used;
}

static noinline int gather_group(struct ptab_gather *g, u64 *e, unsigned level)
{
	int cost = 0;

	for (unsigned i = 0; i < GROUP; i++) {
		u64 entry = e[i];
		e[i] = 0;
		cost += COST_GATHER;
		if (ptab_is_table(entry))
			gather(g, entry, level - 1);
	}
	return cost;
}

/* Of a table above level 0: gathers those below some groups of its entries, and clears these, which is cheaper than
 * zeroing the page when it is allocated again. Returns the cost. */
static noinline int gather_below(struct ptab_gather *g, u64 *e, u64 *end, unsigned level)
{
	int cost = 0;

	for (; e < end; e += GROUP, cost += COST_LOOK)
		if (unlikely(!group_is_empty(e)))
			cost += gather_group(g, e, level);
	return cost;
}

/* So many entries of a table above level 0 are looked at together. */
#define ENTRIES 32
_Static_assert(ENTRIES % GROUP == 0 && PTAB_ENTRIES % ENTRIES == 0 && PTAB_ROOT_ENTRIES % GROUP == 0,
	       "tables are whole groups");

/* `index` of the page is the level, and behind it how many entries have been looked at. */
#define LEVEL_BITS 8

static noinline int free_upper(struct ptab_gather *g, u64 *table)
{
	struct page *p = buddy_page(table);
	u64 *e = table + (p->index >> LEVEL_BITS);
	int cost = gather_below(g, e, e + ENTRIES, p->index & bits_low(LEVEL_BITS));

	p->index += (u64)ENTRIES << LEVEL_BITS;
	if (p->index >> LEVEL_BITS == PTAB_ENTRIES) {
		page_return_zeroed(table);
		return cost + COST_FREE;
	}
	p->owner = g->tables;
	g->tables = table;
	return cost;
}

int ptab_gather_free(struct ptab_gather *g, int units)
{
	while (g->tables && units > 0) {
		u64 *table = g->tables;
		struct page *p = buddy_page(table);
		g->tables = p->owner;
		if (unlikely(p->index)) {
			units -= free_upper(g, table);
		} else {
			page_return(table);
			units -= COST_FREE;
		}
	}
	return units;
}

int ptab_gather_root(struct ptab *pt, struct ptab_gather *g, int units)
{
	while (pt->root_end && units > 0) {
		unsigned first = (pt->root_end - 1) & ~(GROUP - 1);
		units -= gather_below(g, pt->root + first, pt->root + first + GROUP, PTAB_LEVELS - 1);
		pt->root_end = (u16)first;
	}
	return units;
}

void ptab_gather_move(struct ptab_gather *g, struct ptab_gather *to)
{
	while (g->tables) {
		u64 *table = g->tables;
		struct page *p = buddy_page(table);
		g->tables = p->owner;
		p->owner = to->tables;
		to->tables = table;
	}
}

/* ---- Changing entries ---- */

/* Puts another entry in the place of the one at e. */
static always_inline void replace(struct ptab_gather *g, u64 *e, u64 entry, unsigned level)
{
	u64 old = *e;
	if (old == entry)
		return;
	g->stale |= old;
	__atomic_store_n(e, entry, __ATOMIC_RELEASE);
	if (level && ptab_is_table(old))
		gather(g, old, level - 1);
}

/* Puts a table with the same translations in place of a superpage. So what TLBs hold of the superpage stays true, and
 * there is nothing to flush. */
static bool split(const struct ptab *pt, u64 *e, unsigned level)
{
	u64 *table = page_take(pt->account);
	if (!table)
		return false;
	u64 leaf = level > 1 ? *e : *e & ~PTE_PS;
	u64 step = PAGE_SIZE << (level - 1) * PTAB_LEVEL_BITS;
	for (unsigned i = 0; i < PTAB_ENTRIES; i++, leaf += step)
		table[i] = leaf;
	__atomic_store_n(e, table_entry(pt, table), __ATOMIC_RELEASE);
	return true;
}

static noinline bool make_table(struct ptab *pt, u64 *e, unsigned level)
{
	if (level == PTAB_LEVELS - 1)
		pt->root_end = (u16)max_u64(pt->root_end, (u64)(e - pt->root) + 1);
	if (*e)
		return split(pt, e, level);
	u64 *table = page_take_zeroed(pt->account);
	if (!table)
		return false;
	__atomic_store_n(e, table_entry(pt, table), __ATOMIC_RELEASE);
	return true;
}

/* Moves *e from an entry of `level` to the one for `page` a level below; makes the table if there is none. False: no
 * memory. */
static always_inline bool descend(struct ptab *pt, u64 **e, u64 page, unsigned level)
{
	if (unlikely(!ptab_is_table(**e)) && !make_table(pt, *e, level))
		return false;
	*e = &ptab_child(**e)[index_at(page, level - 1)];
	return true;
}

/* The entry of `level` for `page`, with all tables above it. NULL: no memory. */
static always_inline u64 *reach(struct ptab *pt, u64 page, unsigned level)
{
	if (unlikely(!pt->root) && !(pt->root = page_take_zeroed(pt->account)))
		return NULL;
	u64 *e = &pt->root[index_at(page, 3)];
	if ((level < 3 && !descend(pt, &e, page, 3)) || (level < 2 && !descend(pt, &e, page, 2)) ||
	    (level < 1 && !descend(pt, &e, page, 1)))
		return NULL;
	return e;
}

/* `n` leaves of `level`, all in one table. */
static always_inline enum status map_leaves(struct ptab *pt, u64 page, u64 n, u64 leaf, unsigned level,
					    struct ptab_gather *g)
{
	u64 entry = ptab_encode(pt->format, level ? leaf | PTE_PS : leaf);
	u64 *e = reach(pt, page, level);
	if (!e)
		return OOM;
	for (u64 *end = e + n; e < end; e++, entry += PAGE_SIZE << level * PTAB_LEVEL_BITS)
		replace(g, e, entry, level);
	return SUCCESS;
}

/* Maps a block for which one table of the largest leaves there are is not enough. */
static noinline enum status map_slow(struct ptab *pt, u64 page, unsigned order, u64 leaf, struct ptab_gather *g)
{
	unsigned part = pt->leaf_max * PTAB_LEVEL_BITS + PTAB_LEVEL_BITS - 1;
	enum status st = SUCCESS;

	for (u64 n = bit(order - part); n && st == SUCCESS; n--, page += bit(part), leaf += PAGE_SIZE << part)
		st = ptab_map(pt, page, part, leaf, g);
	return st;
}

/* The level is a constant in each call, so that the compiler unrolls the walks. */
enum status ptab_map(struct ptab *pt, u64 page, unsigned order, u64 leaf, struct ptab_gather *g)
{
	if (likely(order < PTAB_LEVEL_BITS))
		return map_leaves(pt, page, bit(order), leaf, 0, g);
	if (order < 2 * PTAB_LEVEL_BITS)
		return map_leaves(pt, page, bit(order - PTAB_LEVEL_BITS), leaf, 1, g);
	if (order < 3 * PTAB_LEVEL_BITS && pt->leaf_max == 2)
		return map_leaves(pt, page, bit(order - 2 * PTAB_LEVEL_BITS), leaf, 2, g);
	return map_slow(pt, page, order, leaf, g);
}

static always_inline enum status clear(struct ptab *pt, u64 page, u64 count, unsigned level, struct ptab_gather *g)
{
	unsigned l;
	u64 *e = find(pt, page, level, &l);

	while (unlikely(l > level)) {
		if (!*e)
			return SUCCESS;
		if (!split(pt, e, l))
			return OOM;
		e = &ptab_child(*e)[index_at(page, --l)];
	}
	for (u64 *end = e + count; e < end; e++)
		replace(g, e, 0, level);
	return SUCCESS;
}

enum status ptab_unmap(struct ptab *pt, u64 page, unsigned order, struct ptab_gather *g)
{
	unsigned level = order / PTAB_LEVEL_BITS;
	if (!pt->root)
		return SUCCESS;
	if (likely(!level))
		return clear(pt, page, bit(order), 0, g);
	return clear(pt, page, bit(order - level * PTAB_LEVEL_BITS), level, g);
}

unsigned ptab_unmap_superpage(struct ptab *pt, u64 page, struct ptab_gather *g)
{
	unsigned level;
	u64 *e = find(pt, page, 0, &level);

	replace(g, e, 0, level);
	return level * PTAB_LEVEL_BITS;
}

/* ---- Copying ---- */

struct copy {
	struct ptab *pt;
	struct ptab_gather *g;
	u64 deny;
};

/* The inner loop: copies a leaf of 4 KiB, and returns the one that was replaced, or 0. `fresh`: the destination is a
 * new table, whose contents mean nothing yet. */
static always_inline u64 copy_leaf(u64 *to, u64 leaf, u64 deny, unsigned format, bool fresh)
{
	u64 entry = ptab_pass(leaf, deny), old = 0;
	if (format != PTAB_HOST && entry)
		entry = ptab_encode(format, entry);
	if (fresh) {
		*to = entry;
	} else if (*to != entry) {
		old = *to;
		__atomic_store_n(to, entry, __ATOMIC_RELAXED);
	}
	return old;
}

static always_inline void copy_leaves(struct copy *c, u64 *to, const u64 *from, u64 n, unsigned format, bool fresh)
{
	u64 deny = c->deny, stale = 0;

	for (; n >= 4; n -= 4, to += 4, from += 4) {
		stale |= copy_leaf(&to[0], from[0], deny, format, fresh);
		stale |= copy_leaf(&to[1], from[1], deny, format, fresh);
		stale |= copy_leaf(&to[2], from[2], deny, format, fresh);
		stale |= copy_leaf(&to[3], from[3], deny, format, fresh);
	}
	for (; n; n--)
		stale |= copy_leaf(to++, *from++, deny, format, fresh);
	c->g->stale |= stale;
}

static always_inline void copy_leaves_to(struct copy *c, u64 *to, const u64 *from, u64 n, bool fresh)
{
	if (likely(c->pt->format == PTAB_HOST))
		copy_leaves(c, to, from, n, PTAB_HOST, fresh);
	else
		copy_leaves(c, to, from, n, PTAB_EPT, fresh);
}

/* A whole table of leaves. If there was none, it need not be zeroed first. */
static enum status copy_table(struct copy *c, u64 page, const u64 *from)
{
	u64 *e = reach(c->pt, page, 1);
	if (!e)
		return OOM;
	if (ptab_is_table(*e)) {
		copy_leaves_to(c, ptab_child(*e), from, PTAB_ENTRIES, false);
		return SUCCESS;
	}
	u64 *table = page_take(c->pt->account);
	if (!table)
		return OOM;
	copy_leaves_to(c, table, from, PTAB_ENTRIES, true);
	replace(c->g, e, table_entry(c->pt, table), 1);
	return SUCCESS;
}

/* Copies n entries of `level`, which is not 0. */
static enum status copy_entries(struct copy *c, u64 page, const u64 *from, unsigned level, u64 n)
{
	unsigned order = level * PTAB_LEVEL_BITS;
	enum status st = SUCCESS;

	for (u64 i = 0; i < n && st == SUCCESS; i++, page += bit(order)) {
		u64 entry = from[i], leaf = ptab_pass(entry & ~PTE_PS, c->deny);
		if (ptab_is_table(entry) && level == 1)
			st = copy_table(c, page, ptab_child(entry));
		else if (ptab_is_table(entry))
			st = copy_entries(c, page, ptab_child(entry), level - 1, PTAB_ENTRIES);
		else if (leaf)
			st = ptab_map(c->pt, page, order, leaf, c->g);
		else
			st = ptab_unmap(c->pt, page, order, c->g);
	}
	return st;
}

static always_inline enum status copy_pages(struct copy *c, u64 page, const u64 *from, u64 n)
{
	u64 *to = reach(c->pt, page, 0);
	if (!to)
		return OOM;
	copy_leaves_to(c, to, from, n, false);
	return SUCCESS;
}

/* A hole, or a part of a superpage. */
static noinline enum status copy_large(struct copy *c, u64 page, u64 entry, unsigned level, u64 src_page,
				       unsigned order)
{
	u64 leaf = ptab_pass(entry & ~PTE_PS, c->deny);
	if (!leaf)
		return ptab_unmap(c->pt, page, order, c->g);
	u64 offset = src_page & bits_low(level * PTAB_LEVEL_BITS);
	return ptab_map(c->pt, page, order, leaf + (offset << PAGE_BITS), c->g);
}

enum status ptab_copy(struct ptab *pt, u64 page, const struct ptab *src, u64 src_page, unsigned order, u64 deny,
		      struct ptab_gather *g)
{
	struct copy c = {pt, g, deny};
	unsigned level = order / PTAB_LEVEL_BITS, found;

	if (!src->root)
		return ptab_unmap(pt, page, order, g);
	if (likely(!level)) {
		const u64 *from = find(src, src_page, 0, &found);
		return likely(!found) ? copy_pages(&c, page, from, bit(order))
				      : copy_large(&c, page, *from, found, src_page, order);
	}
	const u64 *from = find(src, src_page, level, &found);
	if (found == level)
		return copy_entries(&c, page, from, level, bit(order - level * PTAB_LEVEL_BITS));
	return copy_large(&c, page, *from, found, src_page, order);
}
