/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/map.h"

#include "rt/message.h"

#define ORDER_MAX 18 /* of pages: 1 GiB per hypercall */

/* The largest order two addresses and a length in pages allow. */
static unsigned chunk_order(uint64_t a, uint64_t b, size_t pages)
{
	unsigned align = (unsigned)__builtin_ctzl((a | b) / RT_PAGE | 1ul << ORDER_MAX);
	unsigned size = 63 - (unsigned)__builtin_clzl(pages);

	return align < size ? align : size;
}

enum status rt_mem_delegate(sel_t src_pd, uint64_t src, sel_t dst_pd, uint64_t dst, size_t pages, unsigned rights,
			    unsigned long meta)
{
	while (pages) {
		unsigned order = chunk_order(src, dst, pages);
		struct utcb_item got;
		enum status st = hc_delegate(src_pd, dst_pd, rt_mem(src, order, rights), meta | ITEM_DELEGATE,
					     rt_mem(dst, order, rights), &got);

		if (st != SUCCESS)
			return st;
		if (crd_kind(got.crd) != CRD_MEM)
			return BAD_PAR;
		src += RT_PAGE << order;
		dst += RT_PAGE << order;
		pages -= 1ul << order;
	}
	return SUCCESS;
}

enum status rt_mem_revoke(uint64_t va, size_t pages)
{
	while (pages) {
		unsigned order = chunk_order(va, va, pages);
		enum status st = hc_revoke(rt_mem(va, order, PERM_ALL), REVOKE_SELF, 0);

		if (st != SUCCESS)
			return st;
		va += RT_PAGE << order;
		pages -= 1ul << order;
	}
	return SUCCESS;
}

void *rt_map(uint64_t pa, size_t size, unsigned rights)
{
	uint64_t from = pa & -RT_PAGE, to = rt_align(pa + size, RT_PAGE);

	if (rt_mem_delegate(RT_SEL_PD, from, RT_SEL_PD, RT_PHYS + from, (to - from) / RT_PAGE, rights,
			    ITEM_HYPERVISOR) != SUCCESS)
		return NULL;
	return (void *)(RT_PHYS + pa);
}
