/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Delegating and revoking I/O ports: another PD has every second port of a range, so each is a piece of its own. They
 * are delegated to the own PD, so that the result can be looked at. */
#include "ipc.h"

#include "rt/bench/bench.h"
#include "rt/message.h"

enum { BASE = 0x4000, PD = SEL_PORT };

static long pieces;
static crd_t range;

static const char *setup(long count)
{
	pieces = count;
	range = rt_pio(BASE, count == 1 ? 0 : (unsigned)__builtin_ctzl((unsigned long)count) + 1);
	BENCH_NEED(hc_create_pd(PD, RT_SEL_PD, 0, 0));
	for (long i = 0; i < count; i++) {
		crd_t port = rt_pio((uint16_t)(BASE + 2 * i), 0);

		BENCH_NEED(hc_delegate(RT_SEL_PD, PD, port, ITEM_DELEGATE | ITEM_HYPERVISOR, port, NULL));
	}
	return NULL;
}

static void teardown(void)
{
	bench_status(hc_revoke(rt_obj(PD, 0, PERM_ALL), REVOKE_SELF, 0));
}

HC_ALWAYS enum status give(void)
{
	return hc_delegate(PD, RT_SEL_PD, range, ITEM_DELEGATE, range, NULL);
}

HC_ALWAYS enum status take(void)
{
	return hc_revoke(range, REVOKE_SELF, 0);
}

static uint64_t window_delegate(void)
{
	enum status st;
	uint64_t t = BENCH(st = give());

	bench_status(st);
	bench_status(take());
	return t;
}

static uint64_t window_revoke(void)
{
	enum status st;

	bench_status(give());
	uint64_t t = BENCH(st = take());
	bench_status(st);
	return t;
}

static bool all_ports(bool there)
{
	for (long i = 0; i < 2 * pieces - 1; i++) {
		crd_t found, port = rt_pio((uint16_t)(BASE + i), 0);

		bench_status(hc_lookup(port, &found));
		if (found != (there && !(i & 1) ? port : 0))
			return false;
	}
	return true;
}

static const char *valid(void)
{
	bool came, left;

	bench_status(give());
	came = all_ports(true);
	bench_status(take());
	left = all_ports(false);
	return !came ? "a port was not delegated" : !left ? "a port was not revoked" : NULL;
}

const struct bench_case ipc_port_cases[] = {
	{.name = "delegate_pio",
	 .param = "pieces",
	 BENCH_VALUES(1, 64, 8192),
	 .setup = setup,
	 .window = window_delegate,
	 .valid = valid,
	 .teardown = teardown},
	{.name = "revoke_pio",
	 .param = "pieces",
	 BENCH_VALUES(1, 64, 8192),
	 .setup = setup,
	 .window = window_revoke,
	 .valid = valid,
	 .teardown = teardown},
	{},
};
