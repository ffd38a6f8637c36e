/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/bench/bench_cold.h"

#include "rt/bench/bench_calibrate.h"
#include "rt/cpu.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/pool.h"
#include "rt/size.h"

#include <stddef.h>
#include <stdint.h>

#define LINE 64ul
#define SIZE_LEAST (16ul << 20) /* 4096 pages: more than any second-level TLB has entries */
#define SIZE_MOST (256ul << 20)
#define ROUNDS 2 /* some caches prefer to keep lines that were used twice, so the filler is, too */
#define CACHES_MAX 8

static struct {
	const volatile uint8_t *data;
	size_t size;
} filler;

/* SDM vol. 2, CPUID leaf 4; AMD's leaf 0x8000001d has the same form. A size is ways * partitions * line size * sets.
 */
static size_t largest_cache(uint32_t leaf)
{
	size_t most = 0;

	for (uint32_t i = 0; i < CACHES_MAX; i++) {
		struct rt_cpuid c = rt_cpuid(leaf, i);
		size_t size = ((c.ebx >> 22) + 1ul) * ((c.ebx >> 12 & 0x3ff) + 1ul) * ((c.ebx & 0xfff) + 1ul) *
			      (c.ecx + 1ul);

		if (!(c.eax & 31))
			break;
		most = size > most ? size : most;
	}
	return most;
}

static size_t wanted_size(void)
{
	size_t cache = 0;

	if (rt_cpuid(0, 0).eax >= 4)
		cache = largest_cache(4);
	if (!cache && rt_cpuid(0x80000000, 0).eax >= 0x8000001d)
		cache = largest_cache(0x8000001d);
	return rt_min(2 * cache > SIZE_LEAST ? 2 * cache : SIZE_LEAST, SIZE_MOST);
}

/*
 * Maps the filler at addresses whose lowest page number bit differs from that of its memory, so that the kernel
 * cannot use superpages.
 */
static const char *map_filler(size_t size)
{
	size_t pages = size / RT_PAGE;
	void *memory = rt_pages_aligned(pages, 1);
	uintptr_t va = rt_va(pages + 1, 1);

	if (!memory)
		return "there is not enough memory to fill the caches with";
	if (!((va ^ rt_phys(memory)) & RT_PAGE))
		va += RT_PAGE;
	if (rt_mem_delegate(RT_SEL_PD, rt_phys(memory), RT_SEL_PD, va, pages, RT_MEM_RW, ITEM_HYPERVISOR) != SUCCESS)
		return "the kernel has no memory for it";
	filler.data = (const volatile uint8_t *)va;
	filler.size = size;
	return NULL;
}

const char *bench_cold_begin(void)
{
	if (bench_counts_instructions())
		return "what is counted are instructions, be caches cold or not";
	return filler.data ? NULL : map_filler(wanted_size());
}

/* 128 KiB of NOPs: the largest first-level caches for code have 64 KiB. */
__attribute__((naked, noinline, aligned(64))) static void fill_with_code(void)
{
	__asm__ volatile(".fill 131072, 1, 0x90\n\tret");
}

void bench_cold(void)
{
	for (unsigned round = 0; round < ROUNDS; round++)
		for (size_t at = 0; at < filler.size; at += LINE)
			(void)filler.data[at];
	fill_with_code();
}
