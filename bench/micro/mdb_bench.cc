/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mapping tree in the shapes that capabilities take: one root with many children, and a chain. */
#include "kernel.h"

#include <vector>

enum { FAN, CHAIN };

static struct mdb_node *grow(std::vector<struct mdb_node> &nodes, int64_t shape)
{
	mdb_insert_root(&nodes[0]);
	for (size_t i = 1; i < nodes.size(); i++)
		mdb_insert_child(shape == FAN ? &nodes[0] : &nodes[i - 1], &nodes[i]);
	return &nodes[0];
}

static struct mdb_node *last_of(struct mdb_node *top)
{
	static struct spinlock lock;
	static bool suspended;
	struct mdb_walk walk = {&lock, &suspended, MDB_WALK_NODES};
	return mdb_last(top, &walk);
}

static void insert_remove(benchmark::State &state)
{
	std::vector<struct mdb_node> nodes((size_t)state.range(0));
	struct mdb_node n, *root = grow(nodes, FAN);
	for (auto _ : state) {
		mdb_insert_child(root, &n);
		benchmark::ClobberMemory();
		mdb_remove(&n);
	}
}
BENCHMARK(insert_remove)->ArgName("nodes")->Arg(1)->Arg(4096);

static void last_of_subtree(benchmark::State &state)
{
	std::vector<struct mdb_node> nodes((size_t)state.range(0));
	struct mdb_node *root = grow(nodes, state.range(1));
	for (auto _ : state)
		benchmark::DoNotOptimize(last_of(root));
	state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(last_of_subtree)->ArgNames({"nodes", "chain"})->ArgsProduct({{1, 64, 4096}, {FAN, CHAIN}});

/* A tree, made and taken down from its end, as revocation does. */
static void grow_and_fell(benchmark::State &state)
{
	std::vector<struct mdb_node> nodes((size_t)state.range(0));
	for (auto _ : state) {
		struct mdb_node *root = grow(nodes, state.range(1)), *back;
		for (struct mdb_node *n = last_of(root); n != root; n = back) {
			back = mdb_back(n);
			mdb_remove(n);
		}
	}
	state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(grow_and_fell)->ArgNames({"nodes", "chain"})->ArgsProduct({{64, 4096}, {FAN, CHAIN}});
