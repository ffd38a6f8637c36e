/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Delegation and revocation of memory, as the hypercalls do it but for the way into the kernel. */
#include "kernel.h"

static struct pd a, b;

static void reset()
{
	static bool claimed;
	host_reset(64 * MiB);
	if (!claimed) {
		space_mem_claim(paddr(0x6600000), 0x200000);
		space_mem_claim(paddr(HOST_HEAP_PHYS), 64 * MiB);
		claimed = true;
	}
	must(space_mem_init(&a.mem, &a.account, static_cast<u64 *>(page_take_zeroed(&a.account))));
	must(space_mem_init(&b.mem, &b.account, static_cast<u64 *>(page_take_zeroed(&b.account))));
	/* What a PD that is in use has: tables. */
	must(space_mem_delegate(&pd_kernel, &a, 0x300, 0x5000, 0, 7 | ITEM_GUEST));
	must(space_mem_delegate(&pd_kernel, &b, 0x300, 0x5000, 0, 7 | ITEM_GUEST));
}

/* From physical memory, over the same mapping again and again. */
static void delegate_physical(benchmark::State &state)
{
	reset();
	unsigned order = (unsigned)state.range(0);
	for (auto _ : state)
		must(space_mem_delegate(&pd_kernel, &a, 0x40000, 0x80000, order, 7));
	state.SetItemsProcessed(state.iterations() << order);
}
BENCHMARK(delegate_physical)->ArgName("order")->Arg(0)->Arg(4)->Arg(8)->Arg(9)->Arg(18);

/* Single pages from one PD to another and away again. */
static void delegate_revoke(benchmark::State &state)
{
	reset();
	unsigned order = (unsigned)state.range(0), flags = state.range(1) ? ITEM_GUEST : 0;
	for (u64 page = 0; page < 512; page++)
		must(space_mem_delegate(&pd_kernel, &a, 0x40000 + page, 0x200 + page, 0, 7));
	for (auto _ : state) {
		must(space_mem_delegate(&a, &b, 0x200, 0x400, order, 7 | flags));
		space_mem_revoke(&b, 0x400, order);
	}
	state.SetItemsProcessed(state.iterations() << order);
}
BENCHMARK(delegate_revoke)->ArgNames({"order", "guest"})->ArgsProduct({{0, 4, 8, 9}, {0, 1}});

static void delegate_revoke_superpage(benchmark::State &state)
{
	reset();
	must(space_mem_delegate(&pd_kernel, &a, 0x40000, 0x200, 9, 7));
	for (auto _ : state) {
		must(space_mem_delegate(&a, &b, 0x200, 0x400, 9, 7));
		space_mem_revoke(&b, 0x400, 9);
	}
}
BENCHMARK(delegate_revoke_superpage);

static void revoke_everything_of_nothing(benchmark::State &state)
{
	reset();
	for (auto _ : state)
		space_mem_revoke(&a, 1ull << 31, 31);
}
BENCHMARK(revoke_everything_of_nothing);

/* UTCB or kernel page. */
static void kernel_page(benchmark::State &state)
{
	reset();
	void *page = page_alloc_zeroed();
	for (auto _ : state) {
		must(space_mem_map_kernel_page(&a, 0x5001000, page, SPACE_MEM_PRIVATE));
		space_mem_unmap_kernel_page(&a, 0x5001000, page);
	}
}
BENCHMARK(kernel_page);
