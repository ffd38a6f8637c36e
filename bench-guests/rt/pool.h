/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RAM and address space, handed out and never returned. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct utcb;

/* Where rt_va() and rt_utcb_page() begin. */
#define RT_VA 0x100000000000ul
#define RT_UTCB 0x200000000000ul

/*
 * RAM that nobody else uses: zeroed, readable and writable, page aligned, physically contiguous. rt_pages() panics
 * when there is not enough; rt_pages_aligned(), whose alignment is a power of two, returns null.
 */
void *rt_pages(size_t pages);
void *rt_pages_aligned(size_t pages, size_t align_pages);
uint64_t rt_phys(const void *pool_memory); /* physical address of such memory */

uintptr_t rt_va(size_t pages, size_t align_pages); /* address space only; nothing is mapped there */
struct utcb *rt_utcb_page(void);                   /* an address for an EC's UTCB */

/* For the start of the program: finds the RAM. */
void rt_pool_init(void);
