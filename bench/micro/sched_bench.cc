/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ready queue: nothing may depend on how many SCs are ready, or on their priorities. */
#include "kernel.h"

#include <vector>

static struct sched queue;

static std::vector<struct sc> fill(int64_t count)
{
	std::vector<struct sc> scs((size_t)count);
	sched_init(&queue);
	for (size_t i = 0; i < scs.size(); i++) {
		scs[i].prio = (u8)(1 + i % HEDRON_PRIO_MAX);
		list_init(&scs[i].link);
		sched_enqueue_tail(&queue, &scs[i]);
	}
	return scs;
}

static void pop_enqueue(benchmark::State &state)
{
	auto scs = fill(state.range(0));
	for (auto _ : state)
		sched_enqueue_tail(&queue, sched_pop(&queue));
}
BENCHMARK(pop_enqueue)->ArgName("ready")->Arg(1)->Arg(128)->Arg(16384);

static void enqueue_dequeue(benchmark::State &state)
{
	auto scs = fill(state.range(0));
	struct sc one = {};
	one.prio = 64;
	for (auto _ : state) {
		sched_enqueue_head(&queue, &one);
		sched_dequeue(&queue, &one);
	}
}
BENCHMARK(enqueue_dequeue)->ArgName("ready")->Arg(0)->Arg(128)->Arg(16384);

static void top(benchmark::State &state)
{
	auto scs = fill(state.range(0));
	for (auto _ : state) {
		benchmark::DoNotOptimize(sched_top(&queue));
		benchmark::ClobberMemory();
	}
}
BENCHMARK(top)->ArgName("ready")->Arg(0)->Arg(1)->Arg(128);
