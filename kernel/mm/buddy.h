/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page allocator over the kernel heap: power-of-two blocks of pages, merged on free. Single pages are merged lazily:
 * the last freed ones wait, still warm, to be allocated again. Locking: one lock inside; slab's per-CPU lists keep it
 * off the hot paths.
 */
#pragma once

#include "lib/list.h"
#include "lib/types.h"

#define BUDDY_ORDERS 19 /* blocks of 2^0 .. 2^18 pages (1 GiB) */

/* One per heap page. While a block is allocated, its first page's link, owner, index and count are its owner's to
 * use. */
struct page {
	struct list link; /* buddy: free list of the order; slab: slabs with free objects */
	void *owner;      /* slab: its cache; slot page: its PD; ptab: next table to free */
	u64 index;        /* slab: free objects; slot page: first selector; ptab: level */
	u16 count;        /* slab: objects in use */
	u8 order;         /* of the block that starts here */
	u8 state;         /* buddy's own */
};

/* Takes over [base, base + size), page aligned, mapped at heap_virt(). Uses its first pages for struct page. */
void buddy_init(paddr_t base, u64 size);

/* 2^order pages, naturally aligned, or NULL. Contents are undefined. */
void *buddy_alloc(unsigned order) must_check;
/* One zeroed page, or NULL. */
void *buddy_alloc_zeroed(void) must_check;
void buddy_free(void *block, unsigned order);

struct page *buddy_page(const void *va);
void *buddy_page_virt(const struct page *p);
u64 buddy_free_pages(void);

/* Called without locks when an allocation fails, before it is tried once more: gives back what is only cached. */
extern void (*buddy_reclaim)(void);
