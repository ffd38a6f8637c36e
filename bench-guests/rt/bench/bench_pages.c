/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/bench/bench_pages.h"

#include "rt/bench/bench.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/pool.h"

#define PAGES (1ul << BENCH_PAGES_ORDER)
#define HALF (PAGES / 2)

const char *bench_pages(struct bench_pages *out)
{
	static struct bench_pages made;
	uint64_t pa;

	*out = made;
	if (made.target)
		return NULL;
	made.whole = rt_pages_aligned(PAGES, PAGES);
	if (!made.whole)
		return "no 2 MiB of contiguous memory are free";
	pa = rt_phys(made.whole);
	made.swapped = rt_va(PAGES, PAGES);
	BENCH_NEED(rt_mem_delegate(RT_SEL_PD, pa, RT_SEL_PD, made.swapped + HALF * RT_PAGE, HALF, RT_MEM_RW,
				   ITEM_HYPERVISOR));
	BENCH_NEED(rt_mem_delegate(RT_SEL_PD, pa + HALF * RT_PAGE, RT_SEL_PD, made.swapped, HALF, RT_MEM_RW,
				   ITEM_HYPERVISOR));
	made.target = rt_va(PAGES, PAGES);
	*out = made;
	return NULL;
}
