/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must not grow: paths measured beside many ready SCs, many capabilities, many children of one capability. */
#include "ipc.h"

#include "rt/bench/bench.h"
#include "rt/bench/partner.h"
#include "rt/entry.h"
#include "rt/message.h"
#include "rt/object.h"

enum {
	BASE = SEL_SCALE, /* `amount` of whatever there are many of */
	ORDER = 14,       /* of the range of selectors in use */
	PT = SEL_SCALE + (1 << ORDER),
	TARGET,
};

static long amount;

static void clear(void)
{
	bench_status(hc_revoke(rt_obj(BASE, ORDER, PERM_ALL), REVOKE_SELF, 0));
}

/* Ready SCs of lower priority: they wait until the measurement is over, and are gone then. */

static struct rt_ec server;

static const char *setup_ready(long ready)
{
	const char *why = partner_ready(BASE, ready, BENCH_PRIO - 1);

	if (why)
		return why;
	rt_msg(bench_utcb(), 0, 0);
	return ipc_serve(&server, PT, rt_portal_echo);
}

static void teardown_ready(void)
{
	ipc_unserve(&server, PT);
	clear();
}

static uint64_t window_call(void)
{
	enum status st;
	uint64_t t = BENCH(st = hc_call(PT));

	bench_status(st);
	return t;
}

/* Capabilities of the own PD, all derived from one semaphore; each delegation copies what is there already. */

static crd_t wanted;

static const char *setup_caps(long caps)
{
	BENCH_NEED(hc_create_sm(BASE, RT_SEL_PD, 0));
	for (unsigned long have = 1; have < (unsigned long)caps;) {
		unsigned align = (unsigned)__builtin_ctzl(have);
		unsigned missing = 63 - (unsigned)__builtin_clzl((unsigned long)caps - have);
		unsigned order = align < missing ? align : missing;

		BENCH_NEED(hc_delegate(RT_SEL_PD, RT_SEL_PD, rt_obj(BASE, order, PERM_ALL), ITEM_DELEGATE,
				       rt_obj(BASE + have, order, PERM_ALL), NULL));
		have += 1ul << order;
	}
	wanted = rt_obj((sel_t)BASE + (sel_t)caps / 2, 0, 0);
	return NULL;
}

static uint64_t window_lookup(void)
{
	enum status st;
	crd_t found;
	uint64_t t = BENCH(st = hc_lookup(wanted, &found));

	bench_status(st);
	if (crd_kind(found) != CRD_OBJ || crd_base(found) != crd_base(wanted))
		bench_fail("the look-up found something else");
	return t;
}

/* One more child of a capability that has many. */

static const char *setup_children(long children)
{
	amount = children;
	BENCH_NEED(hc_create_sm(BASE, RT_SEL_PD, 0));
	for (sel_t i = 1; i <= (sel_t)children; i++)
		BENCH_NEED(rt_delegate(BASE, RT_SEL_PD, BASE + i, PERM_ALL));
	return NULL;
}

static uint64_t window_child(void)
{
	enum status st;
	uint64_t t = BENCH(st = hc_delegate(RT_SEL_PD, RT_SEL_PD, rt_obj(BASE, 0, PERM_ALL), ITEM_DELEGATE,
					    rt_obj(TARGET, 0, PERM_ALL), NULL));
	crd_t found;

	bench_status(st);
	bench_status(hc_lookup(rt_obj(TARGET, 0, 0), &found));
	if (crd_base(found) != TARGET)
		bench_fail("the capability was not delegated");
	bench_status(rt_revoke(TARGET));
	return t;
}

/* The children that were there before are there still. */
static const char *valid_children(void)
{
	crd_t found;

	bench_status(hc_lookup(rt_obj((sel_t)BASE + (sel_t)amount, 0, 0), &found));
	return crd_kind(found) == CRD_OBJ ? NULL : "a sibling vanished";
}

const struct bench_case ipc_scale_cases[] = {
	{.name = "call_reply_same_ready",
	 .param = "ready",
	 BENCH_VALUES(0, 10, 100, 1000),
	 .setup = setup_ready,
	 .window = window_call,
	 .teardown = teardown_ready},
	{.name = "lookup_caps",
	 .param = "caps",
	 BENCH_VALUES(1, 1000, 10000),
	 .setup = setup_caps,
	 .window = window_lookup,
	 .teardown = clear},
	{.name = "delegate_children",
	 .param = "children",
	 BENCH_VALUES(0, 100, 1000),
	 .setup = setup_children,
	 .window = window_child,
	 .valid = valid_children,
	 .teardown = clear},
	{},
};
