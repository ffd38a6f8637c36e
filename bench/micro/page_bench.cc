/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages of CPUs: what having some at hand is worth, alone and when other CPUs want pages, too. */
#include "kernel.h"

#include <vector>

/* Each thread is a CPU. */
static void begin(benchmark::State &state)
{
	if (state.thread_index() == 0) {
		host_reset(256 * MiB);
		host_set_cpus((unsigned)state.threads());
	}
	host_set_cpu((unsigned)state.thread_index());
}

static void pair(benchmark::State &state)
{
	begin(state);
	for (auto _ : state)
		page_free(page_alloc());
}
BENCHMARK(pair)->Threads(1)->Threads(2)->Threads(4);

/* The same without lists of their own. */
static void pair_in_common(benchmark::State &state)
{
	begin(state);
	for (auto _ : state)
		buddy_free(buddy_alloc(0), 0);
}
BENCHMARK(pair_in_common)->Threads(1)->Threads(2)->Threads(4);

static void zeroed_again(benchmark::State &state)
{
	begin(state);
	for (auto _ : state)
		page_free(page_alloc_zeroed());
}
BENCHMARK(zeroed_again);

static void zeroed_still(benchmark::State &state)
{
	begin(state);
	for (auto _ : state)
		page_free_zeroed(page_alloc_zeroed());
}
BENCHMARK(zeroed_still);

/* More at a time than a CPU keeps: batches go to and fro. */
static void burst(benchmark::State &state)
{
	std::vector<void *> pages((size_t)state.range(0));
	begin(state);
	for (auto _ : state) {
		for (auto &p : pages)
			p = page_alloc();
		for (auto p : pages)
			page_free(p);
	}
	state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(burst)->ArgName("pages")->RangeMultiplier(8)->Range(8, 4096)->Threads(1)->Threads(2);

/* The last pages are at another CPU, and a failure finds that out. */
static void none_left(benchmark::State &state)
{
	begin(state);
	while (page_alloc())
		;
	for (auto _ : state)
		kassert(!page_alloc());
}
BENCHMARK(none_left);
