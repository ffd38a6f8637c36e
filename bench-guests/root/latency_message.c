/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attacks by messages: many typed items, items that are large, and translations that climb long chains of
 * delegations, up to where they give up. Server and client are threads of one PD, so whatever is delegated arrives at
 * another place of it.
 */
#include "latency.h"

#include "latency_memory.h"
#include "rt/event.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/probe.h"
#include "rt/thread.h"

enum { TREE, COPY }; /* areas */
#define ROOT latency_area(TREE)

enum { ITEMS = 254, ITEM_ORDER = 7, TREE_ORDER = 15, MEMORY_TABLES = 256 };
enum { PAGE_FAULT = 14 };

_Static_assert(ITEMS << ITEM_ORDER <= 1 << TREE_ORDER, "each item is another part of the tree");
_Static_assert(ITEMS <= MEMORY_TABLES, "each item is another table");

static struct rt_ec server;
static sel_t portal;
static unsigned answered; /* items of an answer */

/* ---- Items of calls, and of answers ---- */

static void put_objects(struct utcb *u, unsigned items)
{
	rt_msg(u, 0, items);
	for (unsigned i = 0; i < items; i++)
		rt_item(u, i, rt_obj(ROOT + ((sel_t)i << ITEM_ORDER), ITEM_ORDER, PERM_ALL),
			(latency_area(COPY) + ((sel_t)i << ITEM_ORDER)) << 12 | ITEM_DELEGATE);
}

static void put_memory(struct utcb *u, unsigned items)
{
	rt_msg(u, 0, items);
	for (unsigned i = 0; i < items; i++)
		rt_item(u, i, rt_mem(latency_memory_table(0, i), LATENCY_TABLE_ORDER, RT_MEM_RW),
			latency_memory_table(1, i) | ITEM_DELEGATE);
}

static void answer(struct utcb *u, RT_UNUSED void *unused)
{
	put_objects(u, answered);
}

static const char *setup(unsigned long size)
{
	const char *why = latency_memory_setup(size);

	if (portal || why)
		return why;
	server.cpu = latency_cpu();
	BENCH_NEED(rt_ec_local(&server));
	BENCH_NEED(rt_pt(&portal, &server, 0, answer, NULL));
	return NULL;
}

static void windows(struct utcb *u, crd_t del, crd_t xlt)
{
	u->del = del;
	u->xlt = xlt;
}

static void build_tree(RT_UNUSED unsigned long items)
{
	bench_status(hc_create_sm(ROOT, RT_SEL_PD, 0));
	for (unsigned i = 0; i < TREE_ORDER; i++)
		bench_status(hc_delegate(RT_SEL_PD, RT_SEL_PD, rt_obj(ROOT, i, PERM_ALL), ITEM_DELEGATE,
					 rt_obj(ROOT + (1ul << i), i, PERM_ALL), NULL));
}

static void clean_areas(RT_UNUSED unsigned long items)
{
	latency_revoke_area(TREE);
	latency_revoke_area(COPY);
}

static void attack_call(unsigned long items)
{
	answered = 0;
	put_objects(latency_utcb(), (unsigned)items);
	windows(server.utcb, rt_obj(latency_area(COPY), TREE_ORDER, PERM_ALL), 0);
	bench_status(hc_call(portal));
}

static void attack_answer(unsigned long items)
{
	answered = (unsigned)items;
	rt_msg(latency_utcb(), 0, 0);
	windows(latency_utcb(), rt_obj(latency_area(COPY), TREE_ORDER, PERM_ALL), 0);
	bench_status(hc_call(portal));
	windows(latency_utcb(), 0, 0);
}

static const char *check_items(unsigned long items)
{
	sel_t last = latency_area(COPY) + ((sel_t)items << ITEM_ORDER) - 1;

	return latency_perm(last) ? NULL : "an item was not delegated";
}

/* One item that is a range. */
static void attack_call_large(unsigned long capabilities)
{
	struct utcb *u = latency_utcb();

	answered = 0;
	rt_msg(u, 0, 1);
	rt_item(u, 0, rt_obj(ROOT, latency_order(capabilities), PERM_ALL), ITEM_DELEGATE);
	windows(server.utcb, rt_obj(latency_area(COPY), latency_order(capabilities), PERM_ALL), 0);
	bench_status(hc_call(portal));
}

static const char *check_call_large(unsigned long capabilities)
{
	return check_items(capabilities >> ITEM_ORDER);
}

static void attack_call_memory(unsigned long items)
{
	answered = 0;
	put_memory(latency_utcb(), (unsigned)items);
	windows(server.utcb, rt_mem(latency_memory_table(1, 0), LATENCY_WINDOW_ORDER, RT_MEM_RW), 0);
	bench_status(hc_call(portal));
}

static const char *check_call_memory(unsigned long items)
{
	const void *last = (const void *)(latency_memory_table(1, items) - RT_PAGE);

	return rt_can_read(last) ? NULL : "an item was not delegated";
}

static void build_memory(RT_UNUSED unsigned long items)
{
	latency_memory_build(0, MEMORY_TABLES);
}

/* ---- Translations: each item is the end of a chain, of which the receiver names the beginning ---- */

enum { TRANSLATE_MAX = 256 }; /* from so far below */

static void build_chain(unsigned long length)
{
	bench_status(hc_create_sm(ROOT, RT_SEL_PD, 0));
	for (unsigned long i = 0; i < length; i++)
		bench_status(hc_delegate(RT_SEL_PD, RT_SEL_PD, rt_obj(ROOT + i, 0, PERM_ALL), ITEM_DELEGATE,
					 rt_obj(ROOT + i + 1, 0, PERM_ALL), NULL));
}

static void attack_translate(unsigned long length)
{
	struct utcb *u = latency_utcb();

	answered = 0;
	rt_msg(u, 0, ITEMS);
	for (unsigned i = 0; i < ITEMS; i++)
		rt_item(u, i, rt_obj(ROOT + length, 0, PERM_ALL), ITEM_TRANSLATE);
	windows(server.utcb, 0, rt_obj(ROOT, 0, PERM_ALL));
	bench_status(hc_call(portal));
}

static const char *check_translate(unsigned long length)
{
	crd_t found = length <= TRANSLATE_MAX ? rt_obj(ROOT, 0, PERM_SM_ALL) : 0;
	bool right = UTCB_TYPED(server.utcb, 0)->crd == found && UTCB_TYPED(server.utcb, ITEMS - 1)->crd == found;

	return right ? NULL : "an item was not translated as it should be";
}

/* ---- The answer of a pager is an item of the largest window ---- */

static void page_in(struct utcb *u, RT_UNUSED void *unused)
{
	u->state.mtd = 0;
	rt_msg(u, 0, 1);
	rt_item(u, 0, rt_mem(latency_memory_table(0, 0), LATENCY_WINDOW_ORDER, RT_MEM_RW), ITEM_DELEGATE);
}

static const char *setup_pager(unsigned long size)
{
	const char *why = setup(size);

	if (!why)
		BENCH_NEED(rt_event(rt_events(latency_cpu()), PAGE_FAULT, &server, MTD_QUAL, page_in, NULL));
	return why;
}

static void teardown_pager(void)
{
	bench_status(rt_event_default(latency_cpu(), PAGE_FAULT));
}

static void attack_fault(RT_UNUSED unsigned long pages)
{
	(void)*(volatile uint8_t *)latency_memory_table(1, 0);
}

const struct latency_case latency_message_cases[] = {
	{.name = "call_items",
	 .sizes = {16, ITEMS},
	 .setup = setup,
	 .build = build_tree,
	 .attack = attack_call,
	 .check = check_items,
	 .clean = clean_areas},
	{.name = "answer_items",
	 .sizes = {16, ITEMS},
	 .setup = setup,
	 .build = build_tree,
	 .attack = attack_answer,
	 .check = check_items,
	 .clean = clean_areas},
	{.name = "call_range",
	 .sizes = {256, 32768},
	 .setup = setup,
	 .build = build_tree,
	 .attack = attack_call_large,
	 .check = check_call_large,
	 .clean = clean_areas},
	{.name = "call_memory",
	 .sizes = {4, ITEMS},
	 .setup = setup,
	 .build = build_memory,
	 .attack = attack_call_memory,
	 .check = check_call_memory,
	 .clean = latency_memory_clean},
	{.name = "call_translate",
	 .sizes = {16, 4096},
	 .setup = setup,
	 .build = build_chain,
	 .attack = attack_translate,
	 .check = check_translate,
	 .clean = clean_areas},
	{.name = "pager_window",
	 .sizes = {4, 256},
	 .setup = setup_pager,
	 .build = latency_memory_build_sparse,
	 .attack = attack_fault,
	 .check = latency_memory_check_window,
	 .clean = latency_memory_clean,
	 .teardown = teardown_pager},
	{},
};
