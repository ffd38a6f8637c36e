/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scheduling on one CPU.
 *
 * The rules are few: the highest priority runs; equals take turns, but only when one blocks, yields or is preempted,
 * since there is no timer; a wake-up of somebody more important preempts at once, and whoever was preempted keeps its
 * place. Each rule is visible in the order in which threads write digits. Time is accounted to the scheduling context
 * that was used, also if it was lent to a server.
 *
 * Threads of these tests have priorities above main()'s, and thus run when they are created or woken, until all of
 * them wait; equals are created at priority 5 while one of priority 9 holds them back.
 */
#include "guest.h"

#include "rt/cpu.h"
#include "rt/hip.h"
#include "rt/message.h"
#include "rt/start.h"
#include "rt/thread.h"

static volatile unsigned long order;

static void note(unsigned long digit)
{
	order = order * 10 + digit;
}

/* Creates and wakes from above, so that the threads below start together. */
static void (*director_script)(void);

static void direct(RT_UNUSED void *unused)
{
	director_script();
}

static void run_script(void (*script)(void))
{
	struct rt_ec ec;

	director_script = script;
	thread_make(&ec, 120, direct, NULL);
}

/* ASSERT_OK() is main()'s; a director reports and goes on. */
static struct rt_ec pool[10];

static void make(unsigned i, unsigned prio, void (*fn)(void *), unsigned long digit)
{
	pool[i] = (struct rt_ec){.cpu = rt_cpu, .events = guest_events, .sel = sel_new(), .sc = sel_new()};
	EXPECT_OK(rt_thread(&pool[i], prio, fn, (void *)digit));
}

static void note_once(void *digit)
{
	note((unsigned long)digit);
}

static void note_and_yield(void *digit)
{
	for (unsigned i = 0; i < 3; i++) {
		note((unsigned long)digit);
		EXPECT_OK(hc_yield());
	}
}

static void higher_first_script(void)
{
	make(0, 5, note_once, 5);
	make(1, 8, note_once, 8);
	make(2, 2, note_once, 2);
	make(3, 7, note_once, 7);
	make(4, 119, note_once, 9);
	note(1);
}

static void higher_first(void)
{
	order = 0;
	run_script(higher_first_script);
	EXPECT_EQ(order, 198752);
}

static void all_priorities(void)
{
	struct rt_ec ec;

	for (unsigned prio = 2; prio < 128; prio++) {
		order = 0;
		thread_make(&ec, prio, note_once, (void *)1ul);
		ASSERT_EQ(order, 1); /* more important than main(): before the call returned */
	}
}

/* An equal goes to the tail: main() goes on until it yields. */
static void equal_waits(void)
{
	struct rt_ec ec;

	order = 0;
	thread_make(&ec, RT_PRIO, note_once, (void *)2ul);
	note(1);
	hc_yield();
	hc_yield();
	EXPECT_EQ(order, 12);
}

static void equals_script(void)
{
	for (unsigned i = 1; i < 5; i++)
		make(i, 5, note_once, i);
}

static void equals_in_order(void)
{
	order = 0;
	run_script(equals_script);
	EXPECT_EQ(order, 1234);
}

static void round_robin_script(void)
{
	for (unsigned i = 1; i < 4; i++)
		make(i, 5, note_and_yield, i);
	make(4, 4, note_once, 4);
}

static void round_robin(void)
{
	order = 0;
	run_script(round_robin_script);
	EXPECT_EQ(order, 1231231234);
}

/* Yielding does not let less important ones through. */
static void yield_script(void)
{
	make(1, 5, note_and_yield, 1);
	make(2, 3, note_and_yield, 2);
}

static void yield_alone(void)
{
	order = 0;
	run_script(yield_script);
	EXPECT_EQ(order, 111222);
}

/* A preempted thread keeps its place before its equals. */
static sel_t wake;

static void wake_another(void *digit)
{
	note((unsigned long)digit);
	hc_sm_up(wake);
	note((unsigned long)digit);
}

static void wait_and_note(void *digit)
{
	hc_sm_down(wake);
	note((unsigned long)digit);
}

static void preempted_script(void)
{
	make(1, 9, wait_and_note, 9);
	make(2, 5, wake_another, 1);
	make(3, 5, note_once, 2);
}

static void preempted_keeps_its_place(void)
{
	order = 0;
	wake = sm_make(0);
	run_script(preempted_script);
	EXPECT_EQ(order, 1912);
}

/* Waking an equal or a less important one does not preempt. */
static void no_preemption_script(void)
{
	make(1, 5, wait_and_note, 3);
	make(2, 5, wake_another, 1);
	make(3, 5, note_once, 2);
}

static void equals_do_not_preempt(void)
{
	order = 0;
	wake = sm_make(0);
	run_script(no_preemption_script);
	/* 3 waits first, then 1 wakes it behind 2. */
	EXPECT_EQ(order, 1123);
}

/* One EC with several scheduling contexts: it runs with the most important one. */
static void several_scs(void)
{
	struct rt_ec ec = {.cpu = rt_cpu, .events = guest_events, .sel = sel_new()};

	order = 0;
	ASSERT_OK(rt_ec_global(&ec, note_and_yield, (void *)1ul));
	ASSERT_OK(hc_create_sc(sel_new(), RT_SEL_PD, ec.sel, RT_PRIO, 1000));
	EXPECT_EQ(order, 0);
	ASSERT_OK(hc_create_sc(sel_new(), RT_SEL_PD, ec.sel, 7, 1000));
	EXPECT_EQ(order, 111);
	ASSERT_OK(hc_create_sc(sel_new(), RT_SEL_PD, ec.sel, 8, 1000));
	hc_yield();
	EXPECT_EQ(order, 111);
}

/* An SC for an EC that is already dead, or ended: SUCCESS without effect. */
static void sc_for_the_dead(void)
{
	sel_t ec = sel_new();

	ASSERT_OK(hc_create_ec(ec, RT_SEL_PD, rt_cpu, 0, 0, GUEST_NOTHING, CREATE_EC_GLOBAL));
	for (unsigned i = 0; i < 3; i++)
		EXPECT_OK(hc_create_sc(sel_new(), RT_SEL_PD, ec, 9, 1000));
}

/* Accounting. */

static unsigned long consumed(sel_t sc)
{
	unsigned long us = ~0ul;

	EXPECT_OK(hc_sc_ctrl(sc, &us));
	return us;
}

static void burn(unsigned ms)
{
	uint64_t end = rt_rdtsc() + (uint64_t)ms * rt_hip->freq_tsc;

	while (rt_rdtsc() < end)
		rt_pause();
}

static void burn_thread(void *ms)
{
	burn((unsigned)(unsigned long)ms);
}

static unsigned long microseconds_since(uint64_t tsc)
{
	return (rt_rdtsc() - tsc) * 1000 / rt_hip->freq_tsc;
}

/* How long something takes is not known where others use the processor, too: no time is paid twice, though. */
static void time_is_accounted(void)
{
	uint64_t start = rt_rdtsc();
	unsigned long before = consumed(RT_SEL_SC), after, idle, both;
	struct rt_ec ec;

	burn(5);
	after = consumed(RT_SEL_SC);
	EXPECT(after >= before + 4900 && after - before <= microseconds_since(start) + 1);
	start = rt_rdtsc();
	after = consumed(RT_SEL_SC);
	thread_make(&ec, 5, burn_thread, (void *)5ul);
	EXPECT(consumed(ec.sc) >= 4900);
	both = consumed(RT_SEL_SC) - after + consumed(ec.sc);
	EXPECT(consumed(RT_SEL_SC) >= after && both <= microseconds_since(start) + 2);
	idle = consumed(ec.sc);
	burn(2);
	EXPECT_EQ(consumed(ec.sc), idle); /* it blocks, and pays nothing */
}

static void burn_in_handler(struct utcb *u, void *ms)
{
	burn((unsigned)(unsigned long)ms);
	rt_msg(u, 0, 0);
}

static void time_is_lent(void)
{
	unsigned long before;
	struct server s;

	server_make(&s, burn_in_handler, (void *)5ul);
	before = consumed(RT_SEL_SC);
	EXPECT_OK(hc_call(s.pt));
	EXPECT(consumed(RT_SEL_SC) >= before + 4900);
}

static void new_sc_has_consumed_nothing(void)
{
	struct rt_ec ec = {.cpu = rt_cpu, .events = guest_events, .sel = sel_new()};
	sel_t sc = sel_new();

	ASSERT_OK(rt_ec_global(&ec, note_once, (void *)1ul));
	ASSERT_OK(hc_create_sc(sc, RT_SEL_PD, ec.sel, RT_PRIO, 1000));
	EXPECT_EQ(consumed(sc), 0);
}

/* A donated priority: the server runs at its caller's, so those in between wait. */
static struct server server;

static void wake_in_handler(struct utcb *u, RT_UNUSED void *unused)
{
	note(6);
	hc_sm_up(wake);
	note(7);
	rt_msg(u, 0, 0);
}

static void call_server(RT_UNUSED void *unused)
{
	hc_call(server.pt);
	note(8);
}

static void donation_script(void)
{
	make(1, 5, wait_and_note, 5);
	make(2, 9, wait_and_note, 9);
	make(3, 7, call_server, 0);
}

static void priority_is_donated(void)
{
	order = 0;
	wake = sm_make(0);
	server_make(&server, wake_in_handler, NULL);
	run_script(donation_script);
	/* The call (7) runs before the waiters get to wait, so its up is taken by 9, which comes first; 5 goes on
	 * waiting. */
	EXPECT_EQ(order, 6978);
	EXPECT_OK(hc_sm_up(wake));
	EXPECT_EQ(order, 69785);
}

/* Thousands of switches between many threads. */
static volatile unsigned long total;

static void yield_often(RT_UNUSED void *unused)
{
	for (unsigned i = 0; i < 100; i++) {
		total++;
		hc_yield();
	}
}

static void many_threads(void)
{
	enum { COUNT = 100 };
	struct rt_ec ec;

	total = 0;
	for (unsigned i = 0; i < COUNT; i++)
		thread_make(&ec, RT_PRIO, yield_often, NULL);
	for (unsigned i = 0; i < 300 && total < COUNT * 100; i++)
		hc_yield();
	EXPECT_EQ(total, COUNT * 100);
}

static const struct test tests[] = {
	TEST(higher_first),
	TEST(all_priorities),
	TEST(equal_waits),
	TEST(equals_in_order),
	TEST(round_robin),
	TEST(yield_alone),
	TEST(preempted_keeps_its_place),
	TEST(equals_do_not_preempt),
	TEST(several_scs),
	TEST(sc_for_the_dead),
	TEST(time_is_accounted),
	TEST(time_is_lent),
	TEST(new_sc_has_consumed_nothing),
	TEST(priority_is_donated),
	TEST(many_threads),
};

bool main(void)
{
	return guest_run("sched", tests, RT_ARRAY(tests));
}
