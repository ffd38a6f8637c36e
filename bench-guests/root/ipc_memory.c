/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mapping memory. For single pages the source is a range of the own PD where no superpage fits anywhere. From the
 * hypervisor PD come a single page and the large page, both as they are.
 */
#include "ipc.h"

#include "rt/bench/bench_grant.h"
#include "rt/bench/bench_pages.h"
#include "rt/message.h"
#include "rt/pool.h"
#include "rt/probe.h"

#define LARGE_ORDER BENCH_PAGES_ORDER
#define LARGE_PAGES (1ul << LARGE_ORDER)

static struct bench_pages memory;

static struct {
	uint64_t seen_at; /* first byte of the source in the own address space */
	size_t pages;
	struct bench_grant grant;
} op;

static const char *setup_pages(long pages)
{
	unsigned order = (unsigned)__builtin_ctzl((unsigned long)pages);
	const char *why = bench_pages(&memory);

	op.pages = (size_t)pages;
	op.seen_at = memory.swapped;
	op.grant.source = rt_mem(memory.swapped, order, RT_MEM_RW);
	op.grant.target = op.grant.revoked = rt_mem(memory.target, order, RT_MEM_RW);
	op.grant.meta = ITEM_DELEGATE;
	return why;
}

static const char *setup_hypervisor(long order)
{
	const char *why = bench_pages(&memory);

	op.pages = 1ul << order;
	op.seen_at = (uint64_t)memory.whole;
	op.grant.source = rt_mem(rt_phys(memory.whole), (unsigned)order, RT_MEM_RW);
	op.grant.target = op.grant.revoked = rt_mem(memory.target, (unsigned)order, RT_MEM_RW);
	op.grant.meta = ITEM_DELEGATE | ITEM_HYPERVISOR;
	return why;
}

static const char *setup_hypervisor_pages(long pages)
{
	return setup_hypervisor(__builtin_ctzl((unsigned long)pages));
}

static uint64_t window_delegate(void)
{
	return bench_time_delegate(&op.grant, REVOKE_SELF);
}

static uint64_t window_revoke(void)
{
	bench_status(bench_delegate(&op.grant));
	return bench_time_revoke(&op.grant, REVOKE_SELF);
}

/* Is each page seen at the target as at the source? */
static bool same_memory(void)
{
	for (uint64_t i = 0; i < op.pages; i++) {
		volatile uint64_t *to = (volatile uint64_t *)(memory.target + i * RT_PAGE);

		*(volatile uint64_t *)(op.seen_at + i * RT_PAGE) = i ^ 0x5a5a;
		if (!rt_can_read(to) || *to != (i ^ 0x5a5a))
			return false;
	}
	return true;
}

static bool nothing_mapped(void)
{
	for (uint64_t i = 0; i < op.pages; i++)
		if (rt_can_read((const void *)(memory.target + i * RT_PAGE)))
			return false;
	return true;
}

static const char *valid(void)
{
	bool came, left;

	bench_status(bench_delegate(&op.grant));
	came = same_memory();
	bench_status(hc_revoke(op.grant.revoked, REVOKE_SELF, 0));
	left = nothing_mapped();
	return !came ? "a page was not delegated" : !left ? "a page was not revoked" : NULL;
}

const struct bench_case ipc_memory_cases[] = {
	{.name = "delegate_mem",
	 .param = "pages",
	 BENCH_VALUES(1, 16, LARGE_PAGES),
	 .setup = setup_pages,
	 .window = window_delegate,
	 .valid = valid},
	{.name = "delegate_mem_hv",
	 .param = "pages",
	 BENCH_VALUES(1),
	 .setup = setup_hypervisor_pages,
	 .window = window_delegate,
	 .valid = valid},
	{.name = "revoke_mem",
	 .param = "pages",
	 BENCH_VALUES(1, 16, LARGE_PAGES),
	 .setup = setup_pages,
	 .window = window_revoke,
	 .valid = valid},
	{.name = "delegate_mem_large",
	 .param = "order",
	 BENCH_VALUES(LARGE_ORDER),
	 .setup = setup_hypervisor,
	 .window = window_delegate,
	 .valid = valid},
	{.name = "revoke_mem_large",
	 .param = "order",
	 BENCH_VALUES(LARGE_ORDER),
	 .setup = setup_hypervisor,
	 .window = window_revoke,
	 .valid = valid},
	{},
};
