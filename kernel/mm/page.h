/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages for everybody: each CPU has a few single pages of its own in front of the buddy allocator, so that CPUs that
 * make and delete things do not meet there. Batches move between both. Some of the pages are known to be zero.
 *
 * What is kept here is free: it is counted as such, and when the buddy allocator has nothing left, whoever needs
 * memory takes it from all CPUs. To that end each CPU's pages have a lock, which nobody else touches otherwise.
 * Locking: a CPU's lock, then the buddy allocator's. Before any of them the one of who searches: while it is held,
 * CPUs keep nothing, hence an allocation fails only if there is no memory.
 */
#pragma once

#include "mm/buddy.h"

/* buddy_init() and empty lists. Until there are per-CPU areas only buddy.h may be used. */
void page_init(paddr_t base, u64 size);

/* One page, or NULL. Its contents are undefined. */
void *page_alloc(void) must_check;
void *page_alloc_zeroed(void) must_check;
void page_free(void *page);
/* The same for a page that is all zero. */
void page_free_zeroed(void *page);

/* 2^order pages, naturally aligned, or NULL. */
void *page_alloc_block(unsigned order) must_check;
void page_free_block(void *block, unsigned order);

/* Pages that are free, wherever they are kept. */
u64 page_free_count(void);

/* Called without locks when an allocation fails, before it is tried once more: gives back what is only cached. */
extern void (*page_reclaim)(void);
