/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pool is the largest piece of RAM below 4 GiB that the HIP gives to nobody; it is mapped as it is used.
 * Locking: none, only one EC allocates.
 */
#include "rt/pool.h"

#include "rt/hip.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/panic.h"
#include "rt/string.h"

#define POOL_LOW 0x100000ul /* firmware lives below */
#define POOL_HIGH 0x100000000ul
#define POOL_CHUNK 0x200000ul /* mapped at a time: a superpage */

static struct {
	uint64_t next, mapped, end; /* physical; [next, mapped) is mapped, [mapped, end) not yet */
} pool;

static uintptr_t va_next = RT_VA, utcb_next = RT_UTCB;

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
