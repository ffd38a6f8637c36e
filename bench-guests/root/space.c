/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The suite "space": delegation and revocation while more CPUs run the PD. Only taking memory away has to bother
 * them. What is counted is the work of all CPUs until the hypercall returns (docs/bench-protocol.md, "Several CPUs").
 */
#include "rt/bench/bench_grant.h"
#include "rt/bench/bench_pages.h"
#include "rt/bench/workers.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/probe.h"
#include "rt/start.h"

enum { CAP = RT_SEL_PROGRAM, CHILD };

static struct bench_pages memory;
static struct bench_grant grant;

/* ---- The others: workers 1 to `others` run in the PD, or have done so and sleep ---- */

static unsigned others, started;
static volatile unsigned long running, run;

static uint64_t spin(RT_UNUSED unsigned self)
{
	__atomic_add_fetch(&running, 1, __ATOMIC_ACQ_REL);
	while (run)
		rt_pause();
	return 0;
}

static void others_run(void)
{
	running = 0;
	run = 1;
	while (started < others)
		workers_start(++started, spin);
	workers_until(&running, started);
}

static void others_stop(void)
{
	run = 0;
	while (started)
		workers_wait(started--);
}

/* ---- What is delegated and revoked ---- */

static const char *prepare(long cpus, unsigned order)
{
	const char *why = workers_need((unsigned)cpus);

	others = why ? 0 : (unsigned)cpus - 1;
	why = why ? why : bench_pages(&memory);
	grant.source = rt_mem(memory.swapped, order, RT_MEM_RW);
	grant.target = grant.revoked = rt_mem(memory.target, order, RT_MEM_RW);
	grant.meta = ITEM_DELEGATE;
	return why;
}

static const char *begin(long cpus, unsigned order)
{
	const char *why = prepare(cpus, order);

	if (!why)
		others_run();
	return why;
}

static const char *setup_1(long cpus)
{
	return begin(cpus, 0);
}
static const char *setup_16(long cpus)
{
	return begin(cpus, 4);
}
static const char *setup_512(long cpus)
{
	return begin(cpus, 9);
}

static uint64_t window_delegate(void)
{
	return bench_time_delegate(&grant, REVOKE_SELF);
}

static uint64_t window_revoke(void)
{
	bench_status(bench_delegate(&grant));
	return bench_time_revoke(&grant, REVOKE_SELF);
}

/* ---- Is it seen, and no longer seen, on all CPUs? ---- */

static uint64_t can_read(RT_UNUSED unsigned self)
{
	return rt_can_read((const void *)memory.target);
}

static bool seen_by_others(bool want)
{
	for (unsigned n = 1; n <= others; n++)
		if (workers_do(n, can_read) != want)
			return false;
	return true;
}

static const char *valid(void)
{
	bool came, left;

	others_stop();
	bench_status(bench_delegate(&grant));
	came = seen_by_others(true);
	bench_status(hc_revoke(grant.revoked, REVOKE_SELF, 0));
	left = seen_by_others(false);
	others_run();
	return !came ? "a CPU does not see what was delegated" : !left ? "a CPU still sees what was revoked" : NULL;
}

/* ---- The others have run the PD, with what is revoked in their TLBs, and sleep ---- */

static uint64_t window_asleep(void)
{
	uint64_t t;

	bench_status(bench_delegate(&grant));
	if (!seen_by_others(true))
		bench_fail("a CPU does not see what was delegated");
	t = bench_time_revoke(&grant, REVOKE_SELF);
	if (!seen_by_others(false))
		bench_fail("a CPU still sees what was revoked");
	return t;
}

static const char *setup_asleep(long cpus)
{
	return prepare(cpus, 0);
}

/* ---- A capability: no CPU keeps a copy of it ---- */

static const char *setup_cap(long cpus)
{
	const char *why = prepare(cpus, 0);

	if (why)
		return why;
	BENCH_NEED(hc_create_sm(CAP, RT_SEL_PD, 0));
	grant.source = rt_obj(CAP, 0, PERM_ALL);
	grant.target = grant.revoked = rt_obj(CHILD, 0, PERM_ALL);
	others_run();
	return NULL;
}

static void teardown_cap(void)
{
	others_stop();
	bench_status(rt_revoke(CAP));
}

#define CPUS .param = "cpus", BENCH_VALUES(1, 2, 4, 8)

static const struct bench_case cases[] = {
	{.name = "delegate_1",
	 CPUS,
	 .setup = setup_1,
	 .window = window_delegate,
	 .valid = valid,
	 .teardown = others_stop},
	{.name = "revoke_1",
	 CPUS,
	 .setup = setup_1,
	 .window = window_revoke,
	 .valid = valid,
	 .teardown = others_stop},
	{.name = "revoke_16",
	 CPUS,
	 .setup = setup_16,
	 .window = window_revoke,
	 .valid = valid,
	 .teardown = others_stop},
	{.name = "revoke_512",
	 CPUS,
	 .setup = setup_512,
	 .window = window_revoke,
	 .valid = valid,
	 .teardown = others_stop},
	{.name = "revoke_1_asleep", CPUS, .setup = setup_asleep, .window = window_asleep},
	{.name = "delegate_cap", CPUS, .setup = setup_cap, .window = window_delegate, .teardown = teardown_cap},
	{.name = "revoke_cap", CPUS, .setup = setup_cap, .window = window_revoke, .teardown = teardown_cap},
	{},
};

bool main(void)
{
	static const struct bench_case *const tables[] = {cases, NULL};

	workers_init();
	return bench_run("space", tables);
}
