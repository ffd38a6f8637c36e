/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory mapped, given to PDs and taken back. Everything is rounded to pages of RT_PAGE bytes. */
#pragma once

#include "rt/attr.h"
#include "rt/hypercall.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Physical address p, once mapped, is seen at RT_PHYS + p: natural alignment is kept, so that the kernel can use
 * superpages.
 */
#define RT_PHYS 0x400000000000ul

/*
 * Maps the physical memory [pa, pa + size) from the hypervisor PD, rounded outwards to pages; `rights` is PERM_MEM_*.
 * Null if the kernel refuses.
 */
void *rt_map(uint64_t pa, size_t size, unsigned rights);

/*
 * Delegates `pages` pages from `src` in PD src_pd to `dst` in PD dst_pd with as few hypercalls as alignment allows.
 * `meta` is made of ITEM_*; with ITEM_HYPERVISOR (and src_pd RT_SEL_PD) `src` is a physical address. BAD_PAR: nothing
 * is there to be delegated. After a failure the first part may have been delegated.
 */
enum status rt_mem_delegate(sel_t src_pd, uint64_t src, sel_t dst_pd, uint64_t dst, size_t pages, unsigned rights,
			    unsigned long meta) RT_MUST_CHECK;

/* Takes the pages from the own PD and from all who have them from it. */
enum status rt_mem_revoke(uint64_t va, size_t pages) RT_MUST_CHECK;
