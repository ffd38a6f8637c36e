/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page allocator: what one allocation costs when the heap is whole, warm, or in pieces. */
#include "kernel.h"

#include <vector>

/* Pairs of one order: blocks are cut and merged each time. */
static void pair(benchmark::State &state)
{
	unsigned order = (unsigned)state.range(0);
	host_reset(64 * MiB);
	for (auto _ : state) {
		void *p = buddy_alloc(order);
		buddy_free(p, order);
	}
}
BENCHMARK(pair)->ArgName("order")->DenseRange(0, 4)->Arg(9);

/* Many pages at a time. */
static void burst(benchmark::State &state)
{
	std::vector<void *> pages((size_t)state.range(0));
	host_reset(64 * MiB);
	for (auto _ : state) {
		for (auto &p : pages)
			p = buddy_alloc(0);
		for (auto p : pages)
			buddy_free(p, 0);
	}
	state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(burst)->ArgName("pages")->RangeMultiplier(8)->Range(8, 4096);

/* Every second page of the heap is taken: pairs of larger blocks must find the few that are left. */
static void pair_in_pieces(benchmark::State &state)
{
	std::vector<void *> pages;
	host_reset(64 * MiB);
	void *reserve = buddy_alloc(4);
	while (void *p = buddy_alloc(0))
		pages.push_back(p);
	for (size_t i = 0; i < pages.size(); i += 2)
		buddy_free(pages[i], 0);
	buddy_free(reserve, 4);
	for (auto _ : state) {
		void *p = buddy_alloc(2);
		kassert(p);
		buddy_free(p, 2);
	}
}
BENCHMARK(pair_in_pieces);
