/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything at once: the watched CPU attacks in all ways, one after the other, the boot CPU does things of that kind
 * with the same objects' kinds and the same allocators, and an important thread on each of them wakes the other one
 * as soon as it runs. The longest of all these waits is one case, and how they are distributed another.
 */
#include "latency_memory.h"
#include "latency_wake.h"
#include "rt/bench/workers.h"
#include "rt/hip.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/thread.h"

enum { WAITS = 4096, APART = 32 }; /* of which so many are one value */

static volatile unsigned long stop, passes; /* through all attacks */

/* ---- On the watched CPU: each case in its small size, but those that need the other CPU or all memory ---- */

static void attack(const struct latency_case *c)
{
	unsigned long size = c->sizes[0];

	if (c->beside || c->alone)
		return;
	if (c->build)
		c->build(size);
	c->attack(size);
	if (c->clean)
		c->clean(size);
}

static uint64_t attack_in_all_ways(RT_UNUSED unsigned self)
{
	while (!workers_load(&stop)) {
		for (const struct latency_case *const *table = latency_tables; *table; table++)
			for (const struct latency_case *c = *table; c->name; c++)
				attack(c);
		__atomic_add_fetch(&passes, 1, __ATOMIC_RELEASE);
	}
	return 0;
}

static const char *setup_cases(void)
{
	const char *why = NULL;

	for (const struct latency_case *const *table = latency_tables; *table; table++)
		for (const struct latency_case *c = *table; c->name && !why; c++)
			why = c->setup ? c->setup(c->sizes[0]) : NULL;
	return why;
}

static void teardown_cases(void)
{
	for (const struct latency_case *const *table = latency_tables; *table; table++)
		for (const struct latency_case *c = *table; c->name; c++)
			if (c->teardown)
				c->teardown();
}

/* ---- On the boot CPU: capabilities, a PD and memory come and go ---- */

enum { TREE = LATENCY_AREAS - 4, COPY, PD };
enum { ORDER = 10, TABLES_ORDER = 2 };

static struct rt_ec beside_ec;
static sel_t beside_go, beside_done;

static void objects_come_and_go(void)
{
	sel_t root = latency_area(TREE), pd = latency_area(PD);

	bench_status(hc_create_sm(root, RT_SEL_PD, 0));
	for (unsigned i = 0; i < ORDER; i++)
		bench_status(hc_delegate(RT_SEL_PD, RT_SEL_PD, rt_obj(root, i, PERM_ALL), ITEM_DELEGATE,
					 rt_obj(root + (1ul << i), i, PERM_ALL), NULL));
	bench_status(hc_create_pd(pd, RT_SEL_PD, rt_obj(root, ORDER, PERM_ALL), 0));
	bench_status(hc_delegate(RT_SEL_PD, RT_SEL_PD, rt_obj(root, ORDER, PERM_ALL), ITEM_DELEGATE,
				 rt_obj(latency_area(COPY), ORDER, PERM_ALL), NULL));
	for (unsigned n = TREE; n <= PD; n++)
		latency_revoke_area(n);
}

static void memory_comes_and_goes(void)
{
	enum { FROM = 2, TO };
	unsigned order = LATENCY_TABLE_ORDER + TABLES_ORDER;

	latency_memory_build(FROM, 1ul << TABLES_ORDER);
	bench_status(hc_delegate(RT_SEL_PD, RT_SEL_PD, rt_mem(latency_memory_table(FROM, 0), order, RT_MEM_RW),
				 ITEM_DELEGATE, rt_mem(latency_memory_table(TO, 0), order, RT_MEM_RW), NULL));
	latency_memory_take(FROM);
	latency_memory_take(TO);
}

static void beside(RT_UNUSED void *unused)
{
	while (hc_sm_down(beside_go) == SUCCESS) {
		while (!workers_load(&stop)) {
			objects_come_and_go();
			memory_comes_and_goes();
		}
		bench_status(hc_sm_up(beside_done));
	}
}

static const char *setup_beside(void)
{
	if (beside_ec.sel) {
		bench_status(hc_sm_up(beside_go));
		return NULL;
	}
	BENCH_NEED(rt_sm(&beside_go, 1));
	BENCH_NEED(rt_sm(&beside_done, 0));
	beside_ec.cpu = rt_cpu;
	BENCH_NEED(rt_thread(&beside_ec, BENCH_PRIO - 1, beside, NULL));
	return NULL;
}

/* ---- The case ---- */

static bool attacked;

static const char *setup(RT_UNUSED long unused)
{
	const char *why = latency_wake_need();

	stop = passes = 0;
	attacked = false;
	if (!why)
		why = setup_cases();
	if (!why)
		why = setup_beside();
	if (why)
		return why;
	attacked = true;
	workers_start(LATENCY_WATCHED, attack_in_all_ways);
	return NULL;
}

/* One pass through all attacks, in the first window. */
static uint64_t window_longest(void)
{
	static uint64_t longest;

	if (!workers_load(&passes))
		longest = 0;
	while (!workers_load(&passes)) {
		uint64_t took = latency_wake_asleep();

		longest = took > longest ? took : longest;
	}
	return longest;
}

static uint64_t window_waits(void)
{
	uint64_t took = 0;

	for (unsigned i = 0; i < APART; i++)
		took = latency_wake_asleep();
	return took;
}

static void teardown(void)
{
	if (!attacked)
		return;
	stop = 1;
	workers_wait(LATENCY_WATCHED);
	bench_status(hc_sm_down(beside_done));
	teardown_cases();
}

const struct bench_case latency_all_cases[] = {
	{.name = "all", .windows = 1, .setup = setup, .window = window_longest, .teardown = teardown},
	{.name = "all_waits", .windows = WAITS, .setup = setup, .window = window_waits, .teardown = teardown},
	{},
};
