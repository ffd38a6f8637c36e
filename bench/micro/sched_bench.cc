/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ready queue: nothing may depend on how many SCs are ready, or on their priorities. */
#include "kernel.h"

#include <vector>

static struct sched queue;

static unsigned prio_of(size_t i)
{
	return (unsigned)(1 + i % HEDRON_PRIO_MAX);
}

static std::vector<struct list> fill(int64_t count)
{
	std::vector<struct list> links((size_t)count);
	sched_init(&queue);
	for (size_t i = 0; i < links.size(); i++)
		sched_enqueue_tail(&queue, &links[i], prio_of(i));
	return links;
}

/* The first of the highest priority goes behind its equals. */
static void rotate(benchmark::State &state)
{
	auto links = fill(state.range(0));
	for (auto _ : state) {
		unsigned prio = sched_top(&queue);
		struct list *first = queue.queue[prio].next;
		sched_dequeue(&queue, first, prio);
		sched_enqueue_tail(&queue, first, prio);
	}
}
BENCHMARK(rotate)->ArgName("ready")->Arg(1)->Arg(128)->Arg(16384);

static void enqueue_dequeue(benchmark::State &state)
{
	auto links = fill(state.range(0));
	struct list one;
	for (auto _ : state) {
		sched_enqueue_head(&queue, &one, 64);
		benchmark::ClobberMemory();
		sched_dequeue(&queue, &one, 64);
	}
}
BENCHMARK(enqueue_dequeue)->ArgName("ready")->Arg(0)->Arg(128)->Arg(16384);

static void top(benchmark::State &state)
{
	auto links = fill(state.range(0));
	for (auto _ : state) {
		benchmark::DoNotOptimize(sched_top(&queue));
		benchmark::ClobberMemory();
	}
}
BENCHMARK(top)->ArgName("ready")->Arg(0)->Arg(1)->Arg(128);
