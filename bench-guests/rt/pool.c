/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory: the pool is the largest piece of RAM below 4 GiB that the HIP gives to nobody; it is mapped as it is used.
 * Locking: none, only one EC allocates.
 */
#include "internal.h"

#define POOL_LOW 0x100000ul /* firmware lives below */
#define POOL_HIGH 0x100000000ul
#define POOL_CHUNK 0x200000ul /* mapped at a time: a superpage */
#define ORDER_MAX 18          /* 1 GiB per hypercall */

static struct {
	uint64_t next, mapped, end; /* physical; [next, mapped) is mapped, [mapped, end) not yet */
} pool;

static uintptr_t va_next = RT_VA, utcb_next = RT_UTCB;
static sel_t sel_next = 64;

enum status rt_ports(uint16_t base, unsigned order)
{
	return hc_delegate(RT_SEL_PD, RT_SEL_PD, rt_pio(base, order), ITEM_DELEGATE | ITEM_HYPERVISOR,
			   rt_pio(base, order), NULL);
}

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

/* The lowest descriptor other than RAM that overlaps [from, to), or null. */
static const struct hip_mem *obstacle(uint64_t from, uint64_t to)
{
	const struct hip_mem *first = NULL;

	for (unsigned i = 0; i < rt_mem_count(); i++) {
		const struct hip_mem *m = &rt_hip->mem[i];

		if (m->type != HIP_MEM_RAM && m->addr < to && m->addr + m->size > from &&
		    (!first || m->addr < first->addr))
			first = m;
	}
	return first;
}

static void consider(uint64_t from, uint64_t to)
{
	from = rt_align(from, POOL_CHUNK);
	if (from < to && to - from > pool.end - pool.next) {
		pool.next = pool.mapped = from;
		pool.end = to & -RT_PAGE;
	}
}

static void consider_ram(uint64_t from, uint64_t to)
{
	while (from < to) {
		const struct hip_mem *m = obstacle(from, to);

		if (!m) {
			consider(from, to);
			return;
		}
		if (m->addr > from)
			consider(from, m->addr);
		from = m->addr + m->size;
	}
}

void rt_pool_init(void)
{
	for (unsigned i = 0; i < rt_mem_count(); i++) {
		const struct hip_mem *m = &rt_hip->mem[i];

		if (m->type == HIP_MEM_RAM)
			consider_ram(m->addr > POOL_LOW ? m->addr : POOL_LOW, rt_min(m->addr + m->size, POOL_HIGH));
	}
	if (pool.next == pool.end)
		rt_panic("no free RAM in the HIP's memory map");
}

static bool pool_map(uint64_t end)
{
	uint64_t size = rt_min(rt_align(end, POOL_CHUNK), pool.end) - pool.mapped;

	if (end <= pool.mapped)
		return true;
	if (!rt_map(pool.mapped, size, RT_MEM_RW))
		return false;
	pool.mapped += size;
	return true;
}

void *rt_pages_aligned(size_t pages, size_t align_pages)
{
	uint64_t pa = rt_align(pool.next, align_pages * RT_PAGE);

	if (pa > pool.end || pages > (pool.end - pa) / RT_PAGE || !pool_map(pa + pages * RT_PAGE))
		return NULL;
	pool.next = pa + pages * RT_PAGE;
	return memset((void *)(RT_PHYS + pa), 0, pages * RT_PAGE);
}

void *rt_pages(size_t pages)
{
	void *p = rt_pages_aligned(pages, 1);

	if (!p)
		rt_panic("out of memory: %zu pages", pages);
	return p;
}

uint64_t rt_phys(const void *pool_memory)
{
	return (uint64_t)pool_memory - RT_PHYS;
}

uintptr_t rt_va(size_t pages, size_t align_pages)
{
	uintptr_t va = rt_align(va_next, align_pages * RT_PAGE);

	va_next = va + pages * RT_PAGE;
	return va;
}

struct utcb *rt_utcb_page(void)
{
	utcb_next += RT_PAGE;
	return (struct utcb *)(utcb_next - RT_PAGE);
}

sel_t rt_sels(unsigned order)
{
	sel_t sel = rt_align(sel_next, 1ul << order);

	if (sel + (1ul << order) > RT_SEL_PROGRAM)
		rt_panic("out of selectors");
	sel_next = sel + (1ul << order);
	return sel;
}

sel_t rt_sel(void)
{
	return rt_sels(0);
}
