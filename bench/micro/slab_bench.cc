/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Slabs: the inlined hot path, batches, and objects that are freed on another CPU than they came from. */
#include "kernel.h"

#include <vector>

static struct slab_cache cache;

static void reset(unsigned size)
{
	host_reset(64 * MiB);
	slab_init(&cache, "bench", size, 64);
}

static void pair(benchmark::State &state)
{
	reset(128);
	slab_free(&cache, slab_alloc(&cache));
	for (auto _ : state) {
		void *p = slab_alloc(&cache);
		benchmark::ClobberMemory();
		slab_free(&cache, p);
	}
}
BENCHMARK(pair);

static void burst(benchmark::State &state)
{
	std::vector<void *> objects((size_t)state.range(0));
	reset((unsigned)state.range(1));
	for (auto _ : state) {
		for (auto &p : objects)
			p = slab_alloc(&cache);
		for (auto p : objects)
			slab_free(&cache, p);
	}
	state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(burst)->ArgNames({"objects", "size"})->ArgsProduct({{16, 128, 1024}, {64, 448, 4096}});

static void freed_elsewhere(benchmark::State &state)
{
	std::vector<void *> objects(256);
	reset(128);
	for (auto _ : state) {
		host_set_cpu(0);
		for (auto &p : objects)
			p = slab_alloc(&cache);
		host_set_cpu(1);
		for (auto p : objects)
			slab_free(&cache, p);
	}
	host_set_cpu(0);
	state.SetItemsProcessed(state.iterations() * (int64_t)objects.size());
}
BENCHMARK(freed_elsewhere);
