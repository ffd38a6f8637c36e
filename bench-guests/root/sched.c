/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The suite "sched": from an event to the thread it lets run, on one CPU, beside many SCs that are ready. Nothing may
 * grow with their number.
 */
#include "rt/bench/bench.h"
#include "rt/bench/partner.h"
#include "rt/hip.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/sel.h"
#include "rt/start.h"

enum { SM = RT_SEL_PROGRAM, EC, SC, MANY = RT_SEL_PROGRAM + 0x10000, MANY_ORDER = 11 };
enum { BYSTANDERS = BENCH_PRIO - 2, BELOW = BENCH_PRIO - 1, ABOVE = BENCH_PRIO + 1 };

static volatile unsigned long turns; /* of the partner */
static volatile uint64_t ran;        /* when it got the CPU, as bench_start() has it */

static const char *make_sm(void)
{
	turns = 0;
	BENCH_NEED(hc_create_sm(SM, RT_SEL_PD, 0));
	return NULL;
}

static void clear(void)
{
	bench_status(hc_revoke(rt_obj(MANY, MANY_ORDER, PERM_ALL), REVOKE_SELF, 0));
}

static void teardown(void)
{
	bench_status(rt_revoke(SM));
	partner_end();
	clear();
}

static void expect_turn(unsigned long before)
{
	if (turns != before + 1)
		bench_fail("the other thread did not have its turn");
}

/* The thread that is woken outranks the waker: measured until it runs. */

static void waiter(RT_UNUSED void *unused)
{
	while (hc_sm_down(SM) == SUCCESS) {
		ran = bench_ticks(0);
		turns++;
	}
}

static const char *setup_wake(long ready)
{
	const char *why = make_sm();

	why = why ? why : partner_ready(MANY, ready, BELOW);
	return why ? why : partner_start(rt_cpu, ABOVE, waiter);
}

static uint64_t window_wake(void)
{
	unsigned long before = turns;
	uint64_t start = bench_start();
	enum status st = hc_sm_up(SM);

	bench_status(st);
	expect_turn(before);
	return ran - start;
}

/* The thread that is woken has to wait for its turn behind others: measured is what that costs the waker. */

static const char *setup_queue(long ready)
{
	const char *why = make_sm();

	why = why ? why : partner_start(rt_cpu, BENCH_PRIO, waiter);
	if (why)
		return why;
	hc_yield(); /* now it waits */
	return partner_ring(MANY, ready, BENCH_PRIO);
}

static uint64_t window_queue(void)
{
	unsigned long before = turns;
	enum status st;
	uint64_t t = BENCH(st = hc_sm_up(SM));

	bench_status(st);
	if (turns != before)
		bench_fail("a thread of the same priority did not let the waker go on");
	while (turns == before)
		hc_yield();
	return t;
}

/* A yield gives the CPU to the next of the same priority: measured until that one runs. */

static const char *setup_switch(long ready)
{
	const char *why = partner_ring(MANY, ready, BENCH_PRIO);

	hc_yield(); /* all of them have come as far as to yield themselves */
	return why;
}

static uint64_t window_switch(void)
{
	uint64_t start;

	partner_ring_ran = 0;
	start = bench_start();
	hc_yield();
	if (!partner_ring_ran)
		bench_fail("no other thread had its turn");
	return partner_ring_ran - start;
}

/* A thread falls asleep: measured until the next in rank runs. */

static void waker(RT_UNUSED void *unused)
{
	while (hc_sm_up(SM) == SUCCESS) {
		ran = bench_ticks(0);
		turns++;
	}
}

static const char *setup_sleep(long ready)
{
	const char *why = make_sm();

	why = why ? why : partner_ready(MANY, ready, BYSTANDERS);
	why = why ? why : partner_start(rt_cpu, BELOW, waker);
	if (!why)
		bench_status(hc_sm_down(SM)); /* now it comes out of its first up when it runs again */
	return why;
}

static uint64_t window_sleep(void)
{
	unsigned long before = turns;
	uint64_t start = bench_start();
	enum status st = hc_sm_down(SM);

	bench_status(st);
	expect_turn(before);
	return ran - start;
}

/* An SC is created and deleted beside the others. */

static const char *setup_create(long ready)
{
	BENCH_NEED(hc_create_ec(EC, RT_SEL_PD, rt_cpu, 0, 0, 0, CREATE_EC_GLOBAL));
	return partner_ready(MANY, ready, BELOW);
}

static void teardown_create(void)
{
	bench_status(rt_revoke(EC));
	clear();
}

static uint64_t window_create(void)
{
	enum status made, gone;
	uint64_t t = BENCH(made = hc_create_sc(SC, RT_SEL_PD, EC, BELOW, RT_QUANTUM);
			   gone = hc_revoke(rt_obj(SC, 0, PERM_ALL), REVOKE_SELF, 0));

	bench_status(made);
	bench_status(gone);
	return t;
}

static const struct bench_case cases[] = {
	{.name = "wake_run",
	 .param = "ready",
	 BENCH_VALUES(0, 1, 10, 100, 1000),
	 .setup = setup_wake,
	 .window = window_wake,
	 .teardown = teardown},
	{.name = "wake_queue",
	 .param = "ready",
	 BENCH_VALUES(1, 10, 100, 1000),
	 .setup = setup_queue,
	 .window = window_queue,
	 .teardown = teardown},
	{.name = "switch",
	 .param = "ready",
	 BENCH_VALUES(1, 10, 100, 1000),
	 .setup = setup_switch,
	 .window = window_switch,
	 .teardown = clear},
	{.name = "sleep_run",
	 .param = "ready",
	 BENCH_VALUES(0, 1, 10, 100, 1000),
	 .setup = setup_sleep,
	 .window = window_sleep,
	 .teardown = teardown},
	{.name = "create_delete_sc",
	 .param = "ready",
	 BENCH_VALUES(0, 1, 10, 100, 1000),
	 .setup = setup_create,
	 .window = window_create,
	 .teardown = teardown_create},
	{},
};

bool main(void)
{
	static const struct bench_case *const tables[] = {cases, NULL};

	return bench_run("sched", tables);
}
