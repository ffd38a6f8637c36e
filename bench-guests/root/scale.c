/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The suite "scale": call and reply on several CPUs at once, each with a client and a server of its own. They share
 * nothing, so what a call costs the slowest of them must not depend on how many there are: that is, the throughput
 * grows linearly.
 */
#include "rt/bench/bench.h"
#include "rt/bench/workers.h"
#include "rt/entry.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/start.h"
#include "rt/thread.h"

enum { PT }; /* of each CPU's selectors */
enum { CALLS = 64 };

static struct rt_ec servers[HEDRON_CPU_MAX];
static unsigned count;

static const char *serve(unsigned n, bool cross)
{
	servers[n].cpu = workers_cpu(n);
	if (cross)
		BENCH_NEED(rt_pd(&servers[n].pd));
	BENCH_NEED(rt_ec_local(&servers[n]));
	BENCH_NEED(hc_create_pt(workers_sel(n, PT), RT_SEL_PD, servers[n].sel, 0, (uint64_t)rt_portal_echo));
	rt_msg(workers_utcb(n), 0, 0);
	return NULL;
}

static const char *setup(long cpus, bool cross)
{
	const char *why = workers_need((unsigned)cpus);

	for (count = 0; !why && count < (unsigned)cpus; count++)
		why = serve(count, cross);
	return why;
}

static const char *setup_same(long cpus)
{
	return setup(cpus, false);
}
static const char *setup_cross(long cpus)
{
	return setup(cpus, true);
}

static void teardown(void)
{
	while (count--) {
		struct rt_ec *ec = &servers[count];

		bench_status(rt_revoke(workers_sel(count, PT)));
		if (ec->sel)
			bench_status(rt_revoke(ec->sel));
		if (ec->pd && ec->pd != RT_SEL_PD)
			bench_status(rt_revoke(ec->pd));
		ec->pd = 0;
	}
}

static uint64_t calls(unsigned self)
{
	sel_t pt = workers_sel(self, PT);
	enum status st = SUCCESS;
	uint64_t t;

	workers_meet();
	t = BENCH(for (unsigned i = 0; i < CALLS && st == SUCCESS; i++) st = hc_call(pt));
	bench_status(st);
	return t;
}

static uint64_t window(void)
{
	return workers_do_all(count, calls);
}

#define CPUS .param = "cpus", BENCH_VALUES(1, 2, 3, 4, 5, 6, 7, 8)

static const struct bench_case cases[] = {
	{.name = "call_reply_same",
	 CPUS,
	 .batch = CALLS,
	 .setup = setup_same,
	 .window = window,
	 .teardown = teardown},
	{.name = "call_reply_cross",
	 CPUS,
	 .batch = CALLS,
	 .setup = setup_cross,
	 .window = window,
	 .teardown = teardown},
	{},
};

bool main(void)
{
	static const struct bench_case *const tables[] = {cases, NULL};

	workers_init();
	return bench_run("scale", tables);
}
