/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls and replies. The server is a local EC on the same CPU, in the same PD or in one of its own. */
#include "ipc.h"

#include "rt/bench/bench.h"
#include "rt/entry.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/portal.h"

enum {
	PT = SEL_MESSAGE, /* and the selectors behind it, in a chain */
	CHAIN_MAX = 8,
	PT_CHECK = PT + CHAIN_MAX,
};

static struct rt_ec server[CHAIN_MAX];
static long amount; /* the parameter */

static void stop(void)
{
	for (unsigned n = 0; n < CHAIN_MAX; n++)
		ipc_unserve(&server[n], (sel_t)PT + n);
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
	return ipc_serve(&server[0], PT, rt_portal_echo);
}

static const char *setup_cross(long words)
{
	amount = words;
	fill_words();
	BENCH_NEED(rt_pd(&server[0].pd));
	return ipc_serve(&server[0], PT, rt_portal_echo);
}

static void increment(struct utcb *u, RT_UNUSED void *arg)
{
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

/* Calls within calls: each server is in a PD of its own and has the portal of the next there. */

static const char *setup_chain(long depth)
{
	amount = depth;
	rt_msg(bench_utcb(), 0, 0);
	for (sel_t n = 0; n < (sel_t)depth; n++) {
		bool last = n + 1 == (sel_t)depth;
		const char *why;

		BENCH_NEED(rt_pd(&server[n].pd));
		why = ipc_serve(&server[n], PT + n, last ? rt_portal_echo : ipc_entry_forward);
		if (why)
			return why;
		BENCH_NEED(hc_pt_ctrl(PT + n, last ? 0 : HC_ARG1(HC_CALL, 0, PT + n + 1)));
		if (n)
			BENCH_NEED(rt_delegate(PT + n, server[n - 1].pd, PT + n, PERM_ALL));
	}
	return NULL;
}

/* An empty message leaves the words of the one before in the UTCB. */
static void tell_last(struct utcb *u, RT_UNUSED void *unused)
{
	rt_msg(u, 1, 0);
}

/* A word sent along the chain is found at its end. */
static const char *valid_chain(void)
{
	struct utcb *u = bench_utcb();

	u->words[0] = 0xc0ffee;
	rt_msg(u, 1, 0);
	bench_status(hc_call(PT));
	bench_status(rt_pt_at(PT_CHECK, &server[amount - 1], 0, tell_last, NULL));
	u->words[0] = 0;
	rt_msg(u, 0, 0);
	bench_status(hc_call(PT_CHECK));
	bench_status(rt_revoke(PT_CHECK));
	return rt_msg_words(u) == 1 && u->words[0] == 0xc0ffee ? NULL : "the message did not reach the end";
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
	{.name = "call_chain",
	 .param = "depth",
	 BENCH_VALUES(1, 2, 3, 4, 5, 6, 7, 8),
	 .setup = setup_chain,
	 .window = window_call,
	 .valid = valid_chain,
	 .teardown = stop},
	{},
};
