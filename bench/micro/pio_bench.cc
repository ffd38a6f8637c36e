/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports: giving and taking back, by one CPU and by several for PDs of their own, and taking one port from many. */
#include "kernel.h"

#include <vector>

#define PAIRS 4

static struct pd givers[PAIRS], takers[PAIRS];

/* A PD that lives: what is interrupted goes on with it. */
static void make(struct pd &pd)
{
	pd.obj.refs = 1;
	space_pio_init(&pd.pio);
}

static void begin(benchmark::State &state)
{
	if (state.thread_index() == 0) {
		host_reset(64 * MiB);
		host_set_cpus((unsigned)state.threads());
		must(space_pio_boot(&pd_kernel));
		for (unsigned i = 0; i < PAIRS; i++) {
			make(givers[i]);
			make(takers[i]);
			must(space_pio_delegate(&pd_kernel, &givers[i], 0, 16, PIO_HOST));
			must(space_pio_delegate(&givers[i], &takers[i], 0, 0, PIO_HOST));
		}
	}
	host_set_cpu((unsigned)state.thread_index());
}

/* Each thread has a giver and a taker of its own. */
static void give_and_take(benchmark::State &state)
{
	begin(state);
	struct pd *giver = &givers[state.thread_index()], *taker = &takers[state.thread_index()];
	for (auto _ : state) {
		must(space_pio_delegate(giver, taker, 0x3f8, 3, PIO_HOST));
		space_pio_revoke(giver, 0x3f8, 3, false);
		host_revoke_rest();
	}
}
BENCHMARK(give_and_take)->Threads(1)->Threads(2)->Threads(4);

/* A port out of the middle of a range that has been handed on and on; then the pieces are taken and given again. */
static void cut_a_chain(benchmark::State &state)
{
	std::vector<struct pd> chain((size_t)state.range(0));
	begin(state);
	for (auto &pd : chain)
		make(pd);
	for (auto _ : state) {
		struct pd *from = &givers[0];
		for (auto &pd : chain) {
			must(space_pio_delegate(from, &pd, 0x1000, 8, PIO_HOST));
			from = &pd;
		}
		space_pio_revoke(&givers[0], 0x1055, 0, false);
		host_revoke_rest();
		space_pio_revoke(&givers[0], 0x1000, 8, false);
		host_revoke_rest();
	}
	state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(cut_a_chain)->ArgName("pds")->Arg(1)->Arg(16)->Arg(128);

static void lookup(benchmark::State &state)
{
	begin(state);
	for (auto _ : state)
		benchmark::DoNotOptimize(space_pio_lookup(&givers[0], 0x3f8));
}
BENCHMARK(lookup);
