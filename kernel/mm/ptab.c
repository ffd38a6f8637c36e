/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/ptab.h"

#include "lib/panic.h"
#include "mm/buddy.h"

static always_inline unsigned index_at(u64 page, unsigned level)
{
	return page >> level * PTAB_LEVEL_BITS & (PTAB_ENTRIES - 1);
}

static always_inline bool is_table(u64 entry)
{
	return (entry & (PTE_P | PTE_PS)) == PTE_P;
}

static always_inline u64 table_entry(const struct ptab *pt, const u64 *table)
{
	u64 rights = PTE_P | PTE_W | PTE_U; /* the same bits as EPT_R | EPT_W | EPT_X */
	return heap_phys(table).v | rights | (pt->format == PTAB_HOST ? PTE_A : 0);
}

void ptab_init(struct ptab *pt, enum ptab_format format, unsigned leaf_max)
{
	*pt = (struct ptab){.format = (u8)format, .leaf_max = (u8)leaf_max};
}

u64 ptab_lookup(const struct ptab *pt, u64 page, unsigned *order)
{
	const u64 *t = pt->root;
	u64 entry = 0;
	unsigned level = PTAB_LEVELS;

	while (t) {
		entry = READ_ONCE(t[index_at(page, --level)]);
		t = level && is_table(entry) ? ptab_child(entry) : NULL;
	}
	*order = level * PTAB_LEVEL_BITS;
	return entry;
}

/* ---- tables that were taken out ---- */

static void gather(struct ptab_gather *g, u64 entry, unsigned level)
{
	u64 *table = ptab_child(entry);
	struct page *p = buddy_page(table);
	p->index = level;
	p->owner = g->tables;
	g->tables = table;
}

static void free_tables(u64 *table, unsigned level, unsigned entries)
{
	for (unsigned i = 0; level && i < entries; i++)
		if (is_table(table[i])) {
			free_tables(ptab_child(table[i]), level - 1, PTAB_ENTRIES);
			buddy_free(ptab_child(table[i]), 0);
		}
}

void ptab_gather_free(struct ptab_gather *g)
{
	while (g->tables) {
		u64 *table = g->tables;
		struct page *p = buddy_page(table);
		g->tables = p->owner;
		free_tables(table, (unsigned)p->index, PTAB_ENTRIES);
		buddy_free(table, 0);
	}
}

void ptab_clear(struct ptab *pt, unsigned entries)
{
	if (!pt->root)
		return;
	free_tables(pt->root, PTAB_LEVELS - 1, entries);
	for (unsigned i = 0; i < entries; i++)
		pt->root[i] = 0;
}

/* ---- changing entries ---- */

/* The `old` entry of `level` gives way to another one. */
static always_inline void displace(struct ptab_gather *g, u64 old, u64 entry, unsigned level)
{
	if (!old)
		return;
	g->stale |= old ^ entry;
	if (level && is_table(old))
		gather(g, old, level - 1);
}

/* Puts a table with the same translations in place of a superpage. Only the address of what it maps could differ, so
 * no flush. */
static bool split(const struct ptab *pt, u64 *e, unsigned level)
{
	u64 *table = buddy_alloc(0);
	if (!table)
		return false;
	u64 leaf = level > 1 ? *e : *e & ~PTE_PS;
	u64 step = PAGE_SIZE << (level - 1) * PTAB_LEVEL_BITS;
	for (unsigned i = 0; i < PTAB_ENTRIES; i++, leaf += step)
		table[i] = leaf;
	__atomic_store_n(e, table_entry(pt, table), __ATOMIC_RELEASE);
	return true;
}

static noinline bool make_table(const struct ptab *pt, u64 *e, unsigned level)
{
	if (*e)
		return split(pt, e, level);
	u64 *table = buddy_alloc_zeroed();
	if (!table)
		return false;
	__atomic_store_n(e, table_entry(pt, table), __ATOMIC_RELEASE);
	return true;
}

/* The entry of `level` for `page`, with all tables above it. NULL: no memory. */
static always_inline u64 *reach(struct ptab *pt, u64 page, unsigned level)
{
	if (unlikely(!pt->root) && !(pt->root = buddy_alloc_zeroed()))
		return NULL;
	u64 *t = pt->root;
	for (unsigned l = PTAB_LEVELS - 1; l > level; l--) {
		u64 *e = &t[index_at(page, l)];
		if (unlikely(!is_table(*e)) && !make_table(pt, e, l))
			return NULL;
		t = ptab_child(*e);
	}
	return &t[index_at(page, level)];
}

enum status ptab_map(struct ptab *pt, u64 page, unsigned order, u64 leaf, struct ptab_gather *g)
{
	unsigned level = order / PTAB_LEVEL_BITS;
	if (level > pt->leaf_max)
		level = pt->leaf_max;
	u64 step = PAGE_SIZE << level * PTAB_LEVEL_BITS;
	u64 entry = ptab_encode(pt->format, level ? leaf | PTE_PS : leaf);
	u64 left = bit(order - level * PTAB_LEVEL_BITS);

	while (left) {
		u64 *e = reach(pt, page, level);
		if (!e)
			return OOM;
		u64 n = min_u64(left, PTAB_ENTRIES);
		for (u64 *end = e + n; e < end; e++, entry += step) {
			displace(g, *e, entry, level);
			WRITE_ONCE(*e, entry);
		}
		page += n << level * PTAB_LEVEL_BITS;
		left -= n;
	}
	return SUCCESS;
}

enum status ptab_unmap(struct ptab *pt, u64 page, unsigned order, struct ptab_gather *g)
{
	unsigned level = order / PTAB_LEVEL_BITS;
	u64 *t = pt->root;
	if (!t)
		return SUCCESS;
	for (unsigned l = PTAB_LEVELS - 1; l > level; l--) {
		u64 *e = &t[index_at(page, l)];
		if (!*e)
			return SUCCESS;
		if (unlikely(*e & PTE_PS) && !split(pt, e, l))
			return OOM;
		t = ptab_child(*e);
	}
	u64 *e = &t[index_at(page, level)];
	for (u64 *end = e + bit(order - level * PTAB_LEVEL_BITS); e < end; e++) {
		displace(g, *e, 0, level);
		WRITE_ONCE(*e, 0);
	}
	return SUCCESS;
}

/* ---- copying ---- */

static always_inline u64 filtered(struct ptab_filter f, u64 leaf)
{
	return leaf & PTE_DELEG ? (leaf & f.keep) | f.set : 0;
}

struct copy {
	struct ptab *pt;
	struct ptab_gather *g;
	struct ptab_filter f;
};

/* The inner loop: leaves of 4 KiB. Without `fresh` the destination's entries mean something. */
static always_inline void copy_leaves(struct copy *c, u64 *to, const u64 *from, unsigned n, unsigned format,
				      bool fresh)
{
	u64 stale = 0;
	struct ptab_filter f = c->f;
	for (const u64 *end = from + n; from < end; from++, to++) {
		u64 entry = filtered(f, *from);
		if (entry)
			entry = ptab_encode(format, entry);
		if (!fresh && *to)
			stale |= *to ^ entry;
		WRITE_ONCE(*to, entry);
	}
	c->g->stale |= stale;
}

static always_inline void copy_leaves_to(struct copy *c, u64 *to, const u64 *from, unsigned n, bool fresh)
{
	if (likely(c->pt->format == PTAB_HOST))
		copy_leaves(c, to, from, n, PTAB_HOST, fresh);
	else
		copy_leaves(c, to, from, n, PTAB_EPT, fresh);
}

/* A whole table of leaves where there was none: it need not be zeroed first. */
static enum status copy_table(struct copy *c, u64 *e, const u64 *from)
{
	u64 *table = buddy_alloc(0);
	if (!table)
		return OOM;
	copy_leaves_to(c, table, from, PTAB_ENTRIES, true);
	displace(c->g, *e, 0, 1);
	__atomic_store_n(e, table_entry(c->pt, table), __ATOMIC_RELEASE);
	return SUCCESS;
}

static enum status copy_pages(struct copy *c, u64 page, const u64 *from, unsigned n)
{
	if (n == PTAB_ENTRIES) {
		u64 *e = reach(c->pt, page, 1);
		if (!e)
			return OOM;
		if (!is_table(*e))
			return copy_table(c, e, from);
	}
	u64 *to = reach(c->pt, page, 0);
	if (!to)
		return OOM;
	copy_leaves_to(c, to, from, n, false);
	return SUCCESS;
}

/* Copies n entries of `level`. */
static enum status copy_entries(struct copy *c, u64 page, const u64 *from, unsigned level, unsigned n)
{
	if (!level)
		return copy_pages(c, page, from, n);

	unsigned order = level * PTAB_LEVEL_BITS;
	enum status st = SUCCESS;
	for (unsigned i = 0; i < n && st == SUCCESS; i++, page += bit(order)) {
		u64 entry = from[i], leaf = filtered(c->f, entry & ~PTE_PS);
		if (is_table(entry))
			st = copy_entries(c, page, ptab_child(entry), level - 1, PTAB_ENTRIES);
		else if (leaf)
			st = ptab_map(c->pt, page, order, leaf, c->g);
		else
			st = ptab_unmap(c->pt, page, order, c->g);
	}
	return st;
}

enum status ptab_copy(struct ptab *pt, u64 page, const struct ptab *src, u64 src_page, unsigned order,
		      struct ptab_filter f, struct ptab_gather *g)
{
	unsigned level = order / PTAB_LEVEL_BITS, l = PTAB_LEVELS - 1;
	const u64 *t = src->root;
	u64 entry = 0;

	for (; t && l > level; l--) {
		entry = t[index_at(src_page, l)];
		t = is_table(entry) ? ptab_child(entry) : NULL;
		if (!t)
			break;
	}
	if (t) {
		struct copy c = {pt, g, f};
		return copy_entries(&c, page, &t[index_at(src_page, level)], level,
				    1u << (order - level * PTAB_LEVEL_BITS));
	}
	/* A hole, or a part of a superpage. */
	u64 leaf = filtered(f, entry & ~PTE_PS);
	if (!leaf)
		return ptab_unmap(pt, page, order, g);
	return ptab_map(pt, page, order, leaf + ((src_page & bits_low(l * PTAB_LEVEL_BITS)) << PAGE_BITS), g);
}
