/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel heap as power-of-two blocks of pages, merged on free. It is used at boot and by mm/page.h; all others
 * use mm/page.h. Locking: one lock inside, which is rarely taken, because mm/page.h keeps pages for each CPU.
 */
#pragma once

#include "lib/list.h"
#include "lib/types.h"
#include "mm/layout.h"

#define BUDDY_ORDERS 19 /* blocks of 2^0 .. 2^18 pages (1 GiB) */

struct account;

/* One for each heap page. While a block is allocated, whoever has it may use link, owner, index and count of its
 * first page; what for is said at each. */
struct page {
	union {
		struct list link;        /* buddy: free list of the order; slab: slabs with free objects;
					  * slot page: in its space */
		struct account *account; /* page_take(): who pays for it, unless `link` is used */
		struct work work;        /* slot page: on its way to be freed */
	};
	void *owner; /* slab: its cache; slot page: its PD; ptab: next table to free */
	u64 index;   /* slab: free objects; slot page: first selector; ptab: level, and progress */
	u16 count;   /* slab: objects in use; slot table: entries in use */
	u8 order;    /* of the block that starts here */
	u8 state;    /* enum page_state */
};

enum page_state {
	PAGE_INSIDE, /* inside of a block, or part of the array of struct page */
	PAGE_FREE,   /* start of a block on a free list */
	PAGE_KEPT,   /* a free page of a CPU (mm/page.h) */
	PAGE_TAKEN,  /* start of an allocated block */
};

/* Takes over [base, base + size), page aligned, mapped at heap_virt(). Uses its first pages for struct page. */
void buddy_init(paddr_t base, u64 size);

/* The same for a heap in pieces: an empty heap whose frames are among [first, first + count), then each piece.
 * `pages` is indexed by frame number. There it is zero for all these frames, those of no piece too, where nobody
 * writes. */
void buddy_init_empty(struct page *pages, u64 first, u64 count);
void buddy_add(paddr_t base, u64 size);

/* 2^order pages, naturally aligned, or NULL. Contents are undefined. */
void *buddy_alloc(unsigned order) must_check;
/* One zeroed page, or NULL. */
void *buddy_alloc_zeroed(void) must_check;
void buddy_free(void *block, unsigned order);

/* Move up to `most` free pages from here to a stack that is linked through `owner`, or back. They return how many. */
u32 buddy_take(struct page **stack, u32 most);
u32 buddy_give(struct page **stack, u32 most);

/* How many pages are free here, without those that mm/page.h keeps. */
u64 buddy_free_pages(void);

/* The heap's page frames: [first, first + count) have a struct page, which is PAGE_INSIDE where a heap in pieces has
 * none. Constant after the start. */
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
