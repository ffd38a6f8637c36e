/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attacks by memory. Page tables are what takes long: a region is 2 MiB of address space with a table of its own,
 * whose pages are all of the same few pages of RAM.
 */
#include "latency_memory.h"

#include "latency.h"
#include "rt/bench/bench_pages.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/cpu.h"
#include "rt/probe.h"

enum { TABLE_ORDER = LATENCY_TABLE_ORDER, WINDOW_ORDER = LATENCY_WINDOW_ORDER, GIGABYTE_ORDER = 18 };

/* The runtime has nothing in the tenth window of the address space and the next ones. */
#define WINDOW(n) ((10ul + (n)) << (WINDOW_ORDER + 12))

#define PD latency_area(1)

static struct bench_pages memory;

uint64_t latency_memory_table(unsigned window, unsigned long table)
{
	return WINDOW(window) + (table << (TABLE_ORDER + 12));
}

const char *latency_memory_setup(RT_UNUSED unsigned long size)
{
	return bench_pages(&memory);
}

static void delegate(sel_t pd, uint64_t from, uint64_t to, unsigned order)
{
	bench_status(hc_delegate(RT_SEL_PD, pd, rt_mem(from, order, RT_MEM_RW), ITEM_DELEGATE,
				 rt_mem(to, order, RT_MEM_RW), NULL));
}

static void take(uint64_t from, unsigned order)
{
	bench_status(hc_revoke(rt_mem(from, order, PERM_ALL), REVOKE_SELF, 0));
}

/* ---- Full tables, one beside the other ---- */

/* Each half is a copy of the other. */
void latency_memory_build(unsigned window, unsigned long tables)
{
	delegate(RT_SEL_PD, memory.swapped, WINDOW(window), TABLE_ORDER);
	for (unsigned i = 0; i < latency_order(tables); i++)
		delegate(RT_SEL_PD, WINDOW(window), latency_memory_table(window, 1ul << i), TABLE_ORDER + i);
}

static void build_full(unsigned long tables)
{
	latency_memory_build(0, tables);
}

static void attack_delegate_full(unsigned long tables)
{
	delegate(RT_SEL_PD, WINDOW(0), WINDOW(1), TABLE_ORDER + latency_order(tables));
}

static void attack_revoke_full(unsigned long tables)
{
	take(WINDOW(0), TABLE_ORDER + latency_order(tables));
}

static bool is_mapped(uint64_t address)
{
	return rt_can_read((const void *)address);
}

static const char *check_mapped(uint64_t last)
{
	return is_mapped(WINDOW(1)) && is_mapped(last) ? NULL : "a page was not delegated";
}

static const char *check_unmapped(uint64_t last)
{
	return is_mapped(WINDOW(0)) || is_mapped(last) ? "a page is left" : NULL;
}

static const char *check_delegate_full(unsigned long tables)
{
	return check_mapped(latency_memory_table(1, tables) - RT_PAGE);
}

static const char *check_revoke_full(unsigned long tables)
{
	return check_unmapped(latency_memory_table(0, tables) - RT_PAGE);
}

void latency_memory_take(unsigned window)
{
	take(WINDOW(window), WINDOW_ORDER);
}

void latency_memory_clean(RT_UNUSED unsigned long size)
{
	latency_memory_take(0);
	latency_memory_take(1);
}

/* ---- One page in each gigabyte: it takes two tables, and the largest window finds all of them ---- */

static uint64_t sparse_page(unsigned window, unsigned long page)
{
	return WINDOW(window) + (page << (GIGABYTE_ORDER + 12));
}

void latency_memory_build_sparse(unsigned long pages)
{
	for (unsigned long i = 0; i < pages; i++)
		delegate(RT_SEL_PD, memory.swapped, sparse_page(0, i), 0);
}

const char *latency_memory_check_window(unsigned long pages)
{
	return check_mapped(sparse_page(1, pages - 1));
}

static const char *check_revoke_window(unsigned long pages)
{
	return check_unmapped(sparse_page(0, pages - 1));
}

static void attack_delegate_window(RT_UNUSED unsigned long pages)
{
	delegate(RT_SEL_PD, WINDOW(0), WINDOW(1), WINDOW_ORDER);
}

static void attack_revoke_window(RT_UNUSED unsigned long pages)
{
	take(WINDOW(0), WINDOW_ORDER);
}

/* ---- The end of a PD with memory, here or on the other CPU. What is to be freed waits until there is more ---- */

static void build_pd(unsigned long tables)
{
	build_full(tables);
	bench_status(hc_create_pd(PD, RT_SEL_PD, 0, 0));
	delegate(PD, WINDOW(0), WINDOW(0), TABLE_ORDER + latency_order(tables));
}

static void delete_one(void)
{
	bench_status(hc_create_sm(PD, RT_SEL_PD, 0));
	bench_status(rt_revoke(PD));
}

static void destroy_pd(RT_UNUSED unsigned long tables)
{
	enum { MORE = 256 };

	bench_status(rt_revoke(PD));
	for (unsigned i = 0; i < MORE; i++)
		delete_one();
}

/* All is freed before this one wakes anybody again, whose wait would have this in it. */
static void destroy_pd_beside(unsigned long tables)
{
	enum { ROUNDS = 64 };

	destroy_pd(tables);
	for (unsigned i = 0; i < ROUNDS; i++) {
		rt_pause(); /* the other CPU answers */
		delete_one();
	}
}

static void watch(RT_UNUSED unsigned long tables)
{
	latency_spin_wakes(20);
}

/* ---- A page is taken out of a large one, and the rest is delegated elsewhere ---- */

static void build_large(RT_UNUSED unsigned long size)
{
	delegate(RT_SEL_PD, (uint64_t)memory.whole, WINDOW(0), TABLE_ORDER);
}

static void attack_split(RT_UNUSED unsigned long size)
{
	take(WINDOW(0) + RT_PAGE, 0);
}

const struct latency_case latency_memory_cases[] = {
	{.name = "delegate_memory",
	 .sizes = {4, 512},
	 .setup = latency_memory_setup,
	 .build = build_full,
	 .attack = attack_delegate_full,
	 .check = check_delegate_full,
	 .clean = latency_memory_clean},
	{.name = "revoke_memory",
	 .sizes = {4, 512},
	 .setup = latency_memory_setup,
	 .build = build_full,
	 .attack = attack_revoke_full,
	 .check = check_revoke_full,
	 .clean = latency_memory_clean},
	{.name = "delegate_memory_window",
	 .sizes = {4, 1024},
	 .setup = latency_memory_setup,
	 .build = latency_memory_build_sparse,
	 .attack = attack_delegate_window,
	 .check = latency_memory_check_window,
	 .clean = latency_memory_clean},
	{.name = "revoke_memory_window",
	 .sizes = {4, 1024},
	 .setup = latency_memory_setup,
	 .build = latency_memory_build_sparse,
	 .attack = attack_revoke_window,
	 .check = check_revoke_window,
	 .clean = latency_memory_clean},
	{.name = "free_pd_here",
	 .sizes = {4, 512},
	 .setup = latency_memory_setup,
	 .build = build_pd,
	 .attack = destroy_pd,
	 .clean = latency_memory_clean},
	{.name = "free_pd_elsewhere",
	 .sizes = {4, 512},
	 .setup = latency_memory_setup,
	 .build = build_pd,
	 .attack = watch,
	 .beside = destroy_pd_beside,
	 .clean = latency_memory_clean},
	{.name = "split_large",
	 .sizes = {1},
	 .setup = latency_memory_setup,
	 .build = build_large,
	 .attack = attack_split,
	 .clean = latency_memory_clean},
	{},
};
