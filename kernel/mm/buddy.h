/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel heap as power-of-two blocks of pages, merged on free. Only for boot and for mm/page.h, which everybody
 * else uses. Locking: one lock inside; what mm/page.h keeps for each CPU makes it rare.
 */
#pragma once

#include "lib/list.h"
#include "lib/types.h"
#include "mm/layout.h"

#define BUDDY_ORDERS 19 /* blocks of 2^0 .. 2^18 pages (1 GiB) */

/* One per heap page. While a block is allocated, its first page's link, owner, index and count are its owner's to
 * use. */
struct page {
	struct list link; /* buddy: free list of the order; slab: slabs with free objects */
	void *owner;      /* slab: its cache; slot page: its PD; ptab: next table to free */
	u64 index;        /* slab: free objects; slot page: first selector; ptab: level */
	u16 count;        /* slab: objects in use */
	u8 order;         /* of the block that starts here */
	u8 state;         /* enum page_state */
};

enum page_state {
	PAGE_INSIDE, /* of a block, or not ours to give */
	PAGE_FREE,   /* start of a block on a free list */
	PAGE_KEPT,   /* a free page of a CPU (mm/page.h) */
	PAGE_TAKEN,  /* start of an allocated block */
};

/* Takes over [base, base + size), page aligned, mapped at heap_virt(). Uses its first pages for struct page. */
void buddy_init(paddr_t base, u64 size);

/* 2^order pages, naturally aligned, or NULL. Contents are undefined. */
void *buddy_alloc(unsigned order) must_check;
/* One zeroed page, or NULL. */
void *buddy_alloc_zeroed(void) must_check;
void buddy_free(void *block, unsigned order);

/* Up to `most` pages onto a stack that is linked through `owner`, or from it. They return how many. */
u32 buddy_take(struct page **stack, u32 most);
u32 buddy_give(struct page **stack, u32 most);

/* What nobody has, not even mm/page.h. */
u64 buddy_free_pages(void);

/* The heap's page frames: [first, first + count) have a struct page. Constant after buddy_init(). */
extern struct buddy_frames {
	struct page *page; /* indexed by frame number */
	u64 first, count;
} buddy_frames;

static always_inline u64 buddy_frame(const struct page *p)
{
	return (u64)(p - buddy_frames.page);
}
static always_inline struct page *buddy_page(const void *va)
{
	return &buddy_frames.page[heap_phys(va).v >> PAGE_BITS];
}
static always_inline void *buddy_page_virt(const struct page *p)
{
	return heap_virt(paddr(buddy_frame(p) << PAGE_BITS));
}
static always_inline bool buddy_is_page(const void *va)
{
	return !((u64)va & PAGE_MASK) && (heap_phys(va).v >> PAGE_BITS) - buddy_frames.first < buddy_frames.count;
}
