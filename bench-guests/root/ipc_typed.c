/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls that delegate: the message has typed items only, the reply is empty. The server is in a PD of its own; each
 * window takes back what it got.
 */
#include "ipc.h"

#include "rt/bench/bench.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/pool.h"
#include "rt/portal.h"
#include "rt/probe.h"

enum {
	PT = SEL_TYPED, /* the one that is measured */
	PT_WINDOW,      /* opens the receive window */
	PT_CHECK,       /* looks what is behind it */
	SOURCE = PT + 0x10,
	TARGET = PT + 0x20,
	ITEMS_MAX = 4,
	ITEMS_ORDER = 2,
};

static struct rt_ec server;
static unsigned items;
static uint8_t *source_pages;
static uint64_t target_pages; /* in the server's PD */

static void open_window(struct utcb *u, RT_UNUSED void *unused)
{
	u->del = u->words[0];
	rt_msg(u, 0, 0);
}

static const char *serve(crd_t window, rt_handler *check)
{
	struct utcb *u = bench_utcb();
	const char *why;

	BENCH_NEED(rt_pd(&server.pd));
	why = ipc_serve(&server, PT, ipc_entry_empty);
	if (why)
		return why;
	BENCH_NEED(rt_pt_at(PT_WINDOW, &server, 0, open_window, NULL));
	BENCH_NEED(rt_pt_at(PT_CHECK, &server, 0, check, NULL));
	u->words[0] = window;
	rt_msg(u, 1, 0);
	BENCH_NEED(hc_call(PT_WINDOW));
	return NULL;
}

static void stop(void)
{
	bench_status(rt_revoke(PT_CHECK));
	bench_status(rt_revoke(PT_WINDOW));
	ipc_unserve(&server, PT);
	rt_msg(bench_utcb(), 0, 0);
}

static uint64_t call(void)
{
	enum status st;
	uint64_t t = BENCH(st = hc_call(PT));

	bench_status(st);
	return t;
}

/* The server's answer: how many items arrived in their places. */
static const char *check(void)
{
	struct utcb *u = bench_utcb();

	u->words[0] = items;
	rt_msg(u, 1, 0);
	bench_status(hc_call(PT_CHECK));
	return u->words[0] == items ? NULL : "an item did not arrive in its place";
}

/* Objects. */

static void fill_objects(void)
{
	rt_msg(bench_utcb(), 0, items);
	for (unsigned i = 0; i < items; i++)
		rt_item(bench_utcb(), i, rt_obj((sel_t)SOURCE + i, 0, PERM_ALL), ITEM_DELEGATE | i << 12);
}

static void take_objects(void)
{
	bench_status(hc_revoke(rt_obj(SOURCE, ITEMS_ORDER, PERM_ALL), 0, 0));
}

static void count_objects(struct utcb *u, RT_UNUSED void *unused)
{
	uint64_t n = u->words[0], found = 0;

	for (sel_t i = 0; i < n; i++) {
		crd_t crd;

		found += hc_lookup(rt_obj(TARGET + i, 0, 0), &crd) == SUCCESS && crd_base(crd) == TARGET + i;
	}
	u->words[0] = found;
}

static const char *setup_objects(long count)
{
	items = (unsigned)count;
	for (unsigned i = 0; i < ITEMS_MAX; i++)
		BENCH_NEED(hc_create_sm((sel_t)SOURCE + i, RT_SEL_PD, 0));
	return serve(rt_obj(TARGET, ITEMS_ORDER, PERM_ALL), count_objects);
}

static void stop_objects(void)
{
	stop();
	bench_status(hc_revoke(rt_obj(SOURCE, ITEMS_ORDER, PERM_ALL), REVOKE_SELF, 0));
}

static uint64_t window_objects(void)
{
	uint64_t t;

	fill_objects();
	t = call();
	take_objects();
	return t;
}

static const char *valid_objects(void)
{
	const char *wrong;

	fill_objects();
	call();
	wrong = check();
	take_objects();
	return wrong;
}

/* Pages. */

static void fill_pages(void)
{
	rt_msg(bench_utcb(), 0, items);
	for (unsigned i = 0; i < items; i++)
		rt_item(bench_utcb(), i, rt_mem((uint64_t)source_pages + i * RT_PAGE, 0, RT_MEM_RW),
			ITEM_DELEGATE | i << 12);
}

static void take_pages(void)
{
	bench_status(hc_revoke(rt_mem(target_pages, ITEMS_ORDER, PERM_ALL), REVOKE_SELF | REVOKE_REMOTE, server.pd));
}

/* Each page begins with its number plus one. */
static void count_pages(struct utcb *u, RT_UNUSED void *unused)
{
	uint64_t n = u->words[0], found = 0;

	for (uint64_t i = 0; i < n; i++) {
		const volatile uint64_t *page = (const volatile uint64_t *)(target_pages + i * RT_PAGE);

		found += rt_can_read(page) && *page == i + 1;
	}
	u->words[0] = found;
}

static const char *setup_pages(long count)
{
	items = (unsigned)count;
	if (!source_pages) {
		source_pages = rt_pages_aligned(ITEMS_MAX, 1);
		target_pages = rt_va(ITEMS_MAX, ITEMS_MAX);
	}
	if (!source_pages)
		return "no memory for pages to send";
	for (unsigned i = 0; i < ITEMS_MAX; i++)
		*(uint64_t *)(source_pages + i * RT_PAGE) = i + 1;
	return serve(rt_mem(target_pages, ITEMS_ORDER, RT_MEM_RW), count_pages);
}

static uint64_t window_pages(void)
{
	uint64_t t;

	fill_pages();
	t = call();
	take_pages();
	return t;
}

static const char *valid_pages(void)
{
	const char *wrong;

	fill_pages();
	call();
	wrong = check();
	take_pages();
	return wrong;
}

const struct bench_case ipc_typed_cases[] = {
	{.name = "call_reply_typed_obj",
	 .param = "items",
	 BENCH_VALUES(1, ITEMS_MAX),
	 .setup = setup_objects,
	 .window = window_objects,
	 .valid = valid_objects,
	 .teardown = stop_objects},
	{.name = "call_reply_typed_mem",
	 .param = "items",
	 BENCH_VALUES(1, ITEMS_MAX),
	 .setup = setup_pages,
	 .window = window_pages,
	 .valid = valid_pages,
	 .teardown = stop},
	{},
};
