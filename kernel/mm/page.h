/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The allocator of pages: each CPU keeps a few single pages in front of the buddy allocator, so that CPUs that create
 * and destroy objects do not contend for its lock. Batches move between both. Some of the pages are known to be zero.
 *
 * Pages that are kept are free: they are counted as such, and a CPU that finds the buddy allocator empty takes those
 * of others, of as many as it needs. Only for that other CPUs take a CPU's lock.
 *
 * Locking: the lock of a search for memory, then a CPU's lock, then the buddy allocator's. CPUs that a search has
 * been to keep nothing until it is over, hence an allocation fails only if there is no memory.
 */
#pragma once

#include "mm/account.h"
#include "mm/buddy.h"

/* buddy_init() and empty lists. Until there are per-CPU areas only buddy.h may be used. */
void page_init(paddr_t base, u64 size);
/* The empty lists alone, where the heap has several pieces. */
void page_init_lists(void);
/* Boot: only CPUs below `num` are going to use it. */
void page_set_cpus(unsigned num);

/* One page, or NULL. Its contents are undefined. */
void *page_alloc(void) must_check;
void *page_alloc_zeroed(void) must_check;
void page_free(void *page);
/* Frees a page that the caller knows to be all zero. */
void page_free_zeroed(void *page);

/* The same for a page that an account pays for; NULL also if it cannot. Memory that users make the kernel need comes
 * from here. */
void *page_take(struct account *a) must_check;
void *page_take_zeroed(struct account *a) must_check;
void page_return(void *page);
void page_return_zeroed(void *page);

/* 2^order pages, naturally aligned, or NULL. */
void *page_alloc_block(unsigned order) must_check;
void page_free_block(void *block, unsigned order);
/* The same, paid for: as page_take() and page_return(). */
void *page_take_block(struct account *a, unsigned order) must_check;
void page_return_block(void *block, unsigned order);

/* Pages that are free, wherever they are kept. */
u64 page_free_count(void);

/* Called without locks when an allocation fails, before it is tried once more: gives back what is only cached. False:
 * that was nothing. */
extern bool (*page_reclaim)(void);
