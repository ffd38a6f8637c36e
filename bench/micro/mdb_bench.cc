/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mapping tree in the shapes that capabilities take: one root with many children, and a chain. */
#include "kernel.h"

#include <vector>

enum { FAN, CHAIN };

/* Nodes of slots, whose address tells them from places. */
struct alignas(MDB_ALIGN) slot {
	struct cap_slot s;
};

static struct mdb_node *grow(std::vector<slot> &slots, int64_t shape)
{
	mdb_insert_root(&slots[0].s.node);
	for (size_t i = 1; i < slots.size(); i++)
		mdb_insert_child(&slots[shape == FAN ? 0 : i - 1].s.node, &slots[i].s.node);
	return &slots[0].s.node;
}

/* Visits all below `top`, and takes each out again when it is left, if `fell`. */
static void visit(struct mdb_node *top, bool fell)
{
	struct mdb_walk w = mdb_walk(top);

	for (bool more = true; more;)
		if (mdb_step(&w) == MDB_LEAVE)
			more = fell && w.up != top ? mdb_leave_removed(&w) : mdb_leave(&w);
}

static void insert_remove(benchmark::State &state)
{
	std::vector<slot> nodes((size_t)state.range(0));
	struct mdb_node n, *root = grow(nodes, FAN);
	for (auto _ : state) {
		mdb_insert_child(root, &n);
		benchmark::ClobberMemory();
		mdb_remove(&n);
	}
}
BENCHMARK(insert_remove)->ArgName("nodes")->Arg(1)->Arg(4096);

static void visit_subtree(benchmark::State &state)
{
	std::vector<slot> nodes((size_t)state.range(0));
	struct mdb_node *root = grow(nodes, state.range(1));
	for (auto _ : state) {
		visit(root, false);
		benchmark::ClobberMemory();
	}
	state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(visit_subtree)->ArgNames({"nodes", "chain"})->ArgsProduct({{1, 64, 4096}, {FAN, CHAIN}});

/* A tree, made and taken down again, as revocation does. */
static void grow_and_fell(benchmark::State &state)
{
	std::vector<slot> nodes((size_t)state.range(0));
	for (auto _ : state)
		visit(grow(nodes, state.range(1)), true);
	state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(grow_and_fell)->ArgNames({"nodes", "chain"})->ArgsProduct({{64, 4096}, {FAN, CHAIN}});
