/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Semaphores, and giving up the CPU. The partner is a thread on the same CPU. */
#include "ipc.h"

#include "rt/bench/bench.h"
#include "rt/bench/partner.h"
#include "rt/hip.h"
#include "rt/object.h"

enum { SM = SEL_SCHED };

static volatile unsigned long turns;
static volatile bool leave;

static const char *start_partner(unsigned prio, void (*fn)(void *))
{
	leave = false;
	turns = 0;
	return partner_start(rt_cpu, prio, fn);
}

/* Semaphores nobody waits for: each window leaves the count as it was. */

static const char *setup_sm(RT_UNUSED long unused)
{
	BENCH_NEED(hc_create_sm(SM, RT_SEL_PD, 0));
	return NULL;
}

static void teardown_sm(void)
{
	bench_status(rt_revoke(SM));
}

static uint64_t window_up(void)
{
	enum status st;
	uint64_t t = BENCH(st = hc_sm_up(SM));

	bench_status(st);
	bench_status(hc_sm_down(SM));
	return t;
}

static uint64_t window_down(void)
{
	enum status st;
	uint64_t t;

	bench_status(hc_sm_up(SM));
	t = BENCH(st = hc_sm_down(SM));
	bench_status(st);
	return t;
}

/* An up that wakes somebody more important, who runs until its next down. */

static void waiter(RT_UNUSED void *unused)
{
	while (hc_sm_down(SM) == SUCCESS)
		turns++;
}

static const char *setup_wake(long unused)
{
	const char *why = setup_sm(unused);

	return why ? why : start_partner(BENCH_PRIO + 1, waiter);
}

/* The waiter leaves by itself when the semaphore goes. */
static void teardown_wake(void)
{
	teardown_sm();
	partner_end();
}

static uint64_t window_wake(void)
{
	unsigned long before = turns;
	enum status st;
	uint64_t t = BENCH(st = hc_sm_up(SM));

	bench_status(st);
	if (turns != before + 1)
		bench_fail("the woken EC did not run at once");
	return t;
}

/* Yielding. Kernels up to 13.2 may leave the hypercall's number where the status belongs. */

static void expect_yielded(enum status st)
{
	if (st != (enum status)HC_EC_CTRL)
		bench_status(st);
}

static uint64_t window_yield(void)
{
	enum status st;
	uint64_t t = BENCH(st = hc_yield());

	expect_yielded(st);
	return t;
}

static void yielder(RT_UNUSED void *unused)
{
	do {
		turns++;
		hc_yield();
	} while (!leave);
}

static const char *setup_switch(RT_UNUSED long unused)
{
	return start_partner(BENCH_PRIO, yielder);
}

static uint64_t window_switch(void)
{
	unsigned long before = turns;
	uint64_t t = window_yield();

	if (turns != before + 1)
		bench_fail("the other EC did not have its turn");
	return t;
}

static void teardown_switch(void)
{
	leave = true;
	hc_yield();
	partner_end();
}

const struct bench_case ipc_sched_cases[] = {
	{.name = "sm_up", .setup = setup_sm, .window = window_up, .teardown = teardown_sm},
	{.name = "sm_down", .setup = setup_sm, .window = window_down, .teardown = teardown_sm},
	{.name = "sm_up_wake", .setup = setup_wake, .window = window_wake, .teardown = teardown_wake},
	{.name = "yield_alone", .window = window_yield},
	{.name = "yield_switch", .setup = setup_switch, .window = window_switch, .teardown = teardown_switch},
	{},
};
