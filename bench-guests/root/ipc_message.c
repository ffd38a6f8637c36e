/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls and replies. The server is a local EC on the same CPU, in the same PD or in one of its own. */
#include "ipc.h"

enum {
	PT = SEL_MESSAGE, /* and the selectors behind it, in a chain */
	CHAIN_MAX = 8,
	PT_CHECK = PT + CHAIN_MAX,
	SOURCE = PT + 0x10,
	TARGET = PT + 0x20,
	ITEMS_MAX = 4,
	WINDOW_ORDER = 3,
};

static struct rt_ec server[CHAIN_MAX];
static sel_t server_pd;
static long amount; /* the parameter: words, items or depth */
static uint8_t *source_pages;
static uint64_t target_pages;

static const char *serve(unsigned n, sel_t pd, void (*entry)(void))
{
	server[n].pd = pd;
	return ipc_serve(&server[n], (sel_t)PT + n, entry);
}

static void stop(void)
{
	for (unsigned n = 0; n < CHAIN_MAX; n++)
		ipc_unserve(&server[n], (sel_t)PT + n);
	if (server_pd)
		bench_status(rt_revoke(server_pd));
	server_pd = 0;
	rt_msg(bench_utcb(), 0, 0);
}

static uint64_t window_null(void)
{
	enum status st;
	uint64_t t = BENCH(st = hc_1(HC_ARG1(63, 0, 0)));

	bench_expect(st, BAD_HYP);
	return t;
}

static uint64_t window_call(void)
{
	enum status st;
	uint64_t t = BENCH(st = hc_call(PT));

	bench_status(st);
	return t;
}

/* Untyped words. */

static void fill_words(void)
{
	struct utcb *u = bench_utcb();

	rt_msg(u, (unsigned)amount, 0);
	for (long i = 0; i < amount; i++)
		u->words[i] = 0x1234567800000000ul + (uint64_t)i;
}

static const char *setup_same(long words)
{
	amount = words;
	fill_words();
	return serve(0, RT_SEL_PD, rt_portal_echo);
}

static const char *setup_cross(long words)
{
	amount = words;
	fill_words();
	BENCH_NEED(rt_pd(&server_pd));
	return serve(0, server_pd, rt_portal_echo);
}

static void increment(struct utcb *u, void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < rt_msg_words(u); i++)
		u->words[i]++;
}

/* Another portal of the same EC changes each word, which shows that both directions copy. */
static const char *valid_words(void)
{
	struct utcb *u = bench_utcb();

	fill_words();
	bench_status(rt_pt_at(PT_CHECK, &server[0], 0, increment, NULL));
	bench_status(hc_call(PT_CHECK));
	bench_status(rt_revoke(PT_CHECK));
	if (rt_msg_words(u) != amount)
		return "the reply has another number of words";
	for (long i = 0; i < amount; i++)
		if (u->words[i] != 0x1234567800000001ul + (uint64_t)i)
			return "a word was not copied both ways";
	return NULL;
}

/* Typed items in the call; the reply is empty. Each window takes back what was delegated. */

static const char *serve_window(crd_t window)
{
	const char *why = serve(0, RT_SEL_PD, ipc_entry_empty);

	if (!why)
		server[0].utcb->del = window;
	return why;
}

static void fill_objects(void)
{
	rt_msg(bench_utcb(), 0, (unsigned)amount);
	for (unsigned i = 0; i < amount; i++)
		rt_item(bench_utcb(), i, rt_obj((sel_t)SOURCE + i, 0, PERM_ALL), ITEM_DELEGATE | i << 12);
}

static const char *setup_objects(long items)
{
	amount = items;
	for (unsigned i = 0; i < ITEMS_MAX; i++)
		BENCH_NEED(hc_create_sm((sel_t)SOURCE + i, RT_SEL_PD, 0));
	return serve_window(rt_obj(TARGET, WINDOW_ORDER, PERM_ALL));
}

static void take_back_objects(void)
{
	bench_status(hc_revoke(rt_obj(SOURCE, 2, PERM_ALL), 0, 0));
}

static uint64_t window_objects(void)
{
	uint64_t t;

	fill_objects();
	t = window_call();
	take_back_objects();
	return t;
}

static const char *valid_objects(void)
{
	const char *wrong = NULL;

	fill_objects();
	bench_status(hc_call(PT));
	for (unsigned i = 0; i < amount; i++) {
		crd_t got = UTCB_TYPED(server[0].utcb, i)->crd, found;

		bench_status(hc_lookup(rt_obj((sel_t)TARGET + i, 0, 0), &found));
		if (crd_kind(got) != CRD_OBJ || crd_base(got) != (sel_t)TARGET + i ||
		    crd_base(found) != (sel_t)TARGET + i)
			wrong = "an item did not arrive in its place";
	}
	take_back_objects();
	return wrong;
}

static void stop_objects(void)
{
	stop();
	bench_status(hc_revoke(rt_obj(SOURCE, 2, PERM_ALL), REVOKE_SELF, 0));
}

static void fill_pages(void)
{
	rt_msg(bench_utcb(), 0, (unsigned)amount);
	for (unsigned i = 0; i < amount; i++)
		rt_item(bench_utcb(), i, rt_mem((uint64_t)source_pages + i * RT_PAGE, 0, RT_MEM_RW),
			ITEM_DELEGATE | i << 12);
}

static const char *setup_pages(long items)
{
	amount = items;
	if (!source_pages) {
		source_pages = rt_pages_aligned(ITEMS_MAX, 1);
		target_pages = rt_va(1ul << WINDOW_ORDER, 1ul << WINDOW_ORDER);
	}
	if (!source_pages)
		return "no memory for pages to send";
	return serve_window(rt_mem(target_pages, WINDOW_ORDER, RT_MEM_RW));
}

static void take_back_pages(void)
{
	bench_status(rt_mem_revoke(target_pages, 1ul << WINDOW_ORDER));
}

static uint64_t window_pages(void)
{
	uint64_t t;

	fill_pages();
	t = window_call();
	take_back_pages();
	return t;
}

static const char *valid_pages(void)
{
	const char *wrong = NULL;

	fill_pages();
	bench_status(hc_call(PT));
	for (uint64_t i = 0; i < (uint64_t)amount; i++) {
		volatile uint64_t *seen = (volatile uint64_t *)(target_pages + i * RT_PAGE);

		*(volatile uint64_t *)(source_pages + i * RT_PAGE) = i + 0xabcd;
		if (!rt_can_read(seen) || *seen != i + 0xabcd)
			wrong = "a page did not arrive in its place";
	}
	take_back_pages();
	return wrong;
}

/* Calls within calls. */

static const char *setup_chain(long depth)
{
	rt_msg(bench_utcb(), 0, 0);
	for (unsigned n = 0; n < depth; n++) {
		bool last = n + 1 == depth;
		const char *why = serve(n, RT_SEL_PD, last ? rt_portal_echo : ipc_entry_forward);

		if (why)
			return why;
		BENCH_NEED(hc_pt_ctrl((sel_t)PT + n, last ? 0 : HC_ARG1(HC_CALL, 0, (sel_t)PT + n + 1)));
	}
	return NULL;
}

const struct bench_case ipc_message_cases[] = {
	{.name = "null", .window = window_null},
	{.name = "call_reply_same",
	 .param = "words",
	 BENCH_VALUES(0, 1, 8, 64, 448),
	 .setup = setup_same,
	 .window = window_call,
	 .valid = valid_words,
	 .teardown = stop},
	{.name = "call_reply_cross",
	 .param = "words",
	 BENCH_VALUES(0, 1, 8, 64, 448),
	 .setup = setup_cross,
	 .window = window_call,
	 .valid = valid_words,
	 .teardown = stop},
	{.name = "call_reply_typed_obj",
	 .param = "items",
	 BENCH_VALUES(1, 4),
	 .setup = setup_objects,
	 .window = window_objects,
	 .valid = valid_objects,
	 .teardown = stop_objects},
	{.name = "call_reply_typed_mem",
	 .param = "items",
	 BENCH_VALUES(1, 4),
	 .setup = setup_pages,
	 .window = window_pages,
	 .valid = valid_pages,
	 .teardown = stop},
	{.name = "call_chain",
	 .param = "depth",
	 BENCH_VALUES(1, 2, 3, 4, 5, 6, 7, 8),
	 .setup = setup_chain,
	 .window = window_call,
	 .teardown = stop},
	{},
};
