/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 4-level page tables: the same code for a PD's host table and for its nested table.
 *
 * A leaf is passed around in the host format (the PTE_ bits below) and encoded when it is written to an EPT. Walks
 * need not know the format, because of what both have in common: bit 0 says "present" (an EPT entry that allows
 * anything allows reading), bit 7 marks a superpage, bits 51:12 are the address, and an entry that is not present is
 * 0.
 *
 * All work is done on blocks: 2^order pages, naturally aligned on both sides, as capability ranges are.
 * Locking: the caller's. Hardware may walk a table at any time: entries change by single stores, tables are
 *   filled before they are linked, and are only freed after the caller's TLB flush (struct ptab_gather).
 * Manual: SDM vol. 3, 4.5 (paging), 29.3 (EPT); APM vol. 2, 15.25 (nested paging uses the host format).
 */
#pragma once

#include "arch/memory.h"
#include "lib/bits.h"
#include "lib/nospec.h"
#include "lib/types.h"
#include "mm/buddy.h"
#include "mm/layout.h"

#include <hedron/abi.h>

enum ptab_format {
	PTAB_HOST, /* x86-64, also AMD's nested paging */
	PTAB_EPT,
};

#define PTAB_LEVELS 4 /* level 0 has the 4 KiB leaves, level 3 is the root */
#define PTAB_LEVEL_BITS 9
#define PTAB_ENTRIES 512
/* How many entries of the root can be reached here. Indices are masked, so that speculation, too, stays out of the
 * kernel's half of host tables. */
#define PTAB_ROOT_ENTRIES 256
#define PTAB_ORDER_MAX 31 /* of a block: what a CRD can hold */

/* Bits of a leaf. DELEG and TYPE are ours: the CPU ignores 11:9 and 58:52. */
#define PTE_P (1ull << 0)
#define PTE_W (1ull << 1)
#define PTE_U (1ull << 2)
#define PTE_A (1ull << 5)
#define PTE_D (1ull << 6)
#define PTE_PS (1ull << 7)
#define PTE_DELEG (1ull << 9) /* may be delegated; absent in UTCBs and kernel pages */
#define PTE_TYPE (7ull << 52)
#define PTE_NX (1ull << 63)
#define PTE_ADDR 0x000ffffffffff000ull

/* The memory type as the MTRRs have it, kept for nested tables. In host tables the CPU ignores it: their PAT bits ask
 * for WB, with which the MTRRs decide. */
#define PTE_TYPE_SHIFT 52

#define EPT_R (1ull << 0)
#define EPT_W (1ull << 1)
#define EPT_X (1ull << 2)
#define EPT_TYPE_SHIFT 3

struct account;

struct ptab {
	u64 *root;               /* heap page, or NULL as long as nothing was mapped */
	struct account *account; /* pays for the tables */
	u8 format;               /* enum ptab_format */
	u8 leaf_max;             /* highest level a leaf may have: 1 = 2 MiB, 2 = 1 GiB */
	u16 root_end;            /* entries of the root from this one on have never been used */
};

/*
 * What a series of changes leaves to be done: if `stale`, flush the TLBs; then ptab_gather_free().
 * Stale means that a translation that was present has gone or changed, or that a table was taken out.
 */
struct ptab_gather {
	u64 *tables; /* taken out, linked through struct page.owner */
	u64 stale;   /* non-zero: flush */
};

/* The table that an entry names. Such an entry has no bits above its address. */
static always_inline u64 *ptab_child(u64 entry)
{
	return (u64 *)heap_virt(paddr(entry & ~(u64)PAGE_MASK));
}

/* A leaf in the host format, encoded for a table of this format. */
static always_inline u64 ptab_encode(unsigned format, u64 leaf)
{
	if (format == PTAB_HOST)
		return leaf;
	u64 same = leaf & (PTE_ADDR | PTE_PS | PTE_P | PTE_W); /* the bits of EPT_R and EPT_W */
	u64 type = (leaf & PTE_TYPE) >> (PTE_TYPE_SHIFT - EPT_TYPE_SHIFT);
	return same | type | (leaf & PTE_NX ? 0 : EPT_X);
}

_Static_assert(PTE_P == EPT_R && PTE_W == EPT_W, "bits that both formats have in common");

/* A leaf without the rights in `deny`: PTE_W for writing, PTE_NX for execution. */
static always_inline u64 ptab_weaken(u64 leaf, u64 deny)
{
	return (leaf & ~(deny & PTE_W)) | (deny & PTE_NX);
}

/* Whether an entry of a level above 0 names a table: it is not 0, and bit 7, the sign of its low byte, is clear. */
static always_inline bool ptab_is_table(u64 entry)
{
	return (int8_t)entry > 0;
}

static always_inline u64 ptab_index(u64 page, unsigned level)
{
	return page >> level * PTAB_LEVEL_BITS & (PTAB_ENTRIES - 1);
}

/*
 * Walks from e, the root's entry for a page, to the entry of `level`, or to the leaf or hole above that ends the
 * walk; *found is the level of the result. Unrolled, as it is most of what mapping a page costs; with a constant
 * level *found is a constant at each end. Callers choose the root's entry, because those that have the page number
 * from user land need an index that holds for speculation.
 */
static always_inline u64 *ptab_walk(u64 *e, u64 page, unsigned level, unsigned *found)
{
	*found = 3;
	if (level < 3 && ptab_is_table(*e)) {
		e = &ptab_child(*e)[ptab_index(page, *found = 2)];
		if (level < 2 && ptab_is_table(*e)) {
			e = &ptab_child(*e)[ptab_index(page, *found = 1)];
			if (level < 1 && ptab_is_table(*e))
				e = &ptab_child(*e)[ptab_index(page, *found = 0)];
		}
	}
	return e;
}

/*
 * The entry of `level` (0 or 1, a constant) for a page; NULL if there is no table that would hold it. This is the
 * walk of ptab_walk() written again, because through that a revocation of one page takes an instruction more.
 */
static always_inline u64 *ptab_leaf(const struct ptab *pt, u64 page, unsigned level)
{
	u64 entry = pt->root[nospec_wrap(page >> 27, PTAB_ROOT_ENTRIES)];
	if (unlikely(!ptab_is_table(entry)))
		return NULL;
	entry = ptab_child(entry)[page >> 18 & (PTAB_ENTRIES - 1)];
	if (unlikely(!ptab_is_table(entry)))
		return NULL;
	u64 *e = &ptab_child(entry)[page >> 9 & (PTAB_ENTRIES - 1)];
	if (level)
		return e;
	if (unlikely(!ptab_is_table(*e)))
		return NULL;
	return &ptab_child(*e)[page & (PTAB_ENTRIES - 1)];
}

/* The leaf that maps a page of a host table; if that is a superpage, the leaf of 4 KiB that would do the same for
 * this page. 0: nothing maps it. */
static always_inline u64 ptab_page(const struct ptab *pt, u64 page)
{
	unsigned level;
	u64 *root_entry = &pt->root[nospec_wrap(page >> 27, PTAB_ROOT_ENTRIES)];
	u64 entry = *ptab_walk(root_entry, page, 0, &level);
	if (likely(!level))
		return entry;
	return entry ? (entry & ~PTE_PS) | (page & bits_low(level * PTAB_LEVEL_BITS)) << PAGE_BITS : 0;
}

/* The leaf that a delegation without the rights in `deny` makes of `leaf`; 0 if that may not be delegated. */
static always_inline u64 ptab_pass(u64 leaf, u64 deny)
{
	u64 weaker = ptab_weaken(leaf, deny);
	return leaf & PTE_DELEG ? weaker : 0;
}

/* Starts without a root; ptab_map() and ptab_copy() make one. Tables are pages of page_take(), for `account`. */
void ptab_init(struct ptab *pt, enum ptab_format format, unsigned leaf_max, struct account *account);

/* Takes out what hangs below some of the root's entries, which no CPU may use any more, for so many units, each about
 * ten instructions. Returns those that are left; 0 or less: there may be more. The root stays. */
int ptab_gather_root(struct ptab *pt, struct ptab_gather *g, int units) must_check;

/* The entry (of the table's own format) that maps `page`, or 0; *order says how large the leaf or the hole is. */
u64 ptab_lookup(const struct ptab *pt, u64 page, unsigned *order);

/*
 * Maps the block at `page` to the equally aligned block at leaf's address, in place of whatever was there, with the
 * largest leaves possible. `leaf` has no PTE_PS. OOM: a beginning of the block may be mapped.
 */
enum status ptab_map(struct ptab *pt, u64 page, unsigned order, u64 leaf, struct ptab_gather *g) must_check;

/* Empties the block. OOM (a superpage could not be split): nothing has changed. */
enum status ptab_unmap(struct ptab *pt, u64 page, unsigned order, struct ptab_gather *g) must_check;

/* Empties the superpage that maps the page, for when there is no memory to split it. Returns its order. */
unsigned ptab_unmap_superpage(struct ptab *pt, u64 page, struct ptab_gather *g);

/*
 * Makes the block at `page` of `pt` a copy of the block at `src_page` of `src` (a host table), page by page: what is
 * not there, or lacks PTE_DELEG, is unmapped here. `deny` are rights that are not passed on: PTE_W for writing,
 * PTE_NX for execution. The tables may be the same one. OOM: as in ptab_map().
 */
enum status ptab_copy(struct ptab *pt, u64 page, const struct ptab *src, u64 src_page, unsigned order, u64 deny,
		      struct ptab_gather *g) must_check;

/* Frees tables that were taken out, with those below them, after the flush, for so many units. Returns those that are
 * left; 0 or less: see `tables`. */
int ptab_gather_free(struct ptab_gather *g, int units);
/* What is to be freed at once. */
#define PTAB_GATHER_PIECE 200
/* Whether that is one table of leaves. */
static always_inline bool ptab_gather_is_one_leaf(const struct ptab_gather *g)
{
	const struct page *p = buddy_page(g->tables);
	return !p->owner && !p->index;
}
/* Adds what is left in g to another one, which is not to be flushed. */
void ptab_gather_move(struct ptab_gather *g, struct ptab_gather *to);
