/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page table walker by itself, in both formats. */
#include "kernel.h"

#define LEAF (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D | PTE_DELEG | (u64)MEM_WB << PTE_TYPE_SHIFT)

namespace
{

struct Table {
	struct ptab pt;
	struct ptab_gather g = {};
	struct account account = {};

	explicit Table(enum ptab_format format) { ptab_init(&pt, format, 2, &account); }
	void map(u64 page, unsigned order, u64 leaf = LEAF) { must(ptab_map(&pt, page, order, leaf, &g)); }
	void unmap(u64 page, unsigned order) { must(ptab_unmap(&pt, page, order, &g)); }
	void copy(u64 page, const Table &src, u64 src_page, unsigned order)
	{
		must(ptab_copy(&pt, page, &src.pt, src_page, order, 0, &g));
	}
	void clean()
	{
		while (g.tables)
			(void)ptab_gather_free(&g, PTAB_GATHER_PIECE);
	}
};

} // namespace

static void lookup(benchmark::State &state)
{
	host_reset(64 * MiB);
	Table t(PTAB_HOST);
	t.map(0, (unsigned)state.range(0));
	unsigned order;
	for (auto _ : state)
		benchmark::DoNotOptimize(ptab_lookup(&t.pt, 0, &order));
}
BENCHMARK(lookup)->ArgName("order")->Arg(0)->Arg(9)->Arg(18);

/* A block that is mapped and unmapped; the table stays where the block is less than one. */
static void map_unmap(benchmark::State &state)
{
	host_reset(64 * MiB);
	unsigned order = (unsigned)state.range(0);
	Table t((enum ptab_format)state.range(1));
	t.map(1024, 0);
	for (auto _ : state) {
		t.map(512, order);
		t.unmap(512, order);
		t.clean();
	}
	state.SetItemsProcessed(state.iterations() << order);
}
BENCHMARK(map_unmap)->ArgNames({"order", "ept"})->ArgsProduct({{0, 4, 8, 9}, {PTAB_HOST, PTAB_EPT}});

/* 512 leaves of 4 KiB in one step: into a new table, or over what is there. */
static void copy_table(benchmark::State &state)
{
	host_reset(64 * MiB);
	Table src(PTAB_HOST), t((enum ptab_format)state.range(0));
	bool fresh = state.range(1);
	for (unsigned half = 0; half < 512; half += 256)
		src.map(512 + half, 8, LEAF | half << PAGE_BITS);
	for (auto _ : state) {
		t.copy(1024, src, 512, 9);
		if (fresh)
			t.unmap(1024, 9);
		t.clean();
	}
	state.SetItemsProcessed(state.iterations() * 512);
}
BENCHMARK(copy_table)->ArgNames({"ept", "fresh"})->ArgsProduct({{PTAB_HOST, PTAB_EPT}, {0, 1}});

static void split_and_join(benchmark::State &state)
{
	host_reset(64 * MiB);
	Table t(PTAB_HOST);
	for (auto _ : state) {
		t.map(512, 9);
		t.unmap(600, 0);
		t.clean();
	}
}
BENCHMARK(split_and_join);

/* 8 TiB with one page in it that stays, and a hole besides. */
static void unmap_empty(benchmark::State &state)
{
	host_reset(64 * MiB);
	Table t(PTAB_HOST);
	t.map(1ull << 31, 0);
	for (auto _ : state)
		t.unmap(0, 31);
}
BENCHMARK(unmap_empty);
