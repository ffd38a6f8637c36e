/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Semaphores.
 *
 * A semaphore is a counter and a queue. All sleeping and waking of user land is built on it, so the queue must be
 * first in, first out whatever the priorities; an up must reach exactly one waiter and must not be lost if there is
 * none; and the woken EC must run at once if it is more important than the one that woke it, and must not if it is
 * not. `zero` takes the whole count, for those who want to know that something happened, not how often. The counter
 * must not wrap.
 *
 * The threads of these tests write digits into `order`; main() has the lowest priority and reads it when all of them
 * wait.
 */
#include "guest.h"

#include "rt/message.h"
#include "rt/object.h"
#include "rt/start.h"

static volatile unsigned long order;
static sel_t sm;

static void note(unsigned long digit)
{
	order = order * 10 + digit;
}

static void down_once(void *digit)
{
	EXPECT_OK(hc_sm_down(sm));
	note((unsigned long)digit);
}

static void waiter(unsigned long digit, unsigned prio)
{
	struct rt_ec ec;

	thread_make(&ec, prio, down_once, (void *)digit);
}

/* How many downs there are without waiting; a thread takes them, so that main() need not block. */
static volatile unsigned long taken;

static void take_all(RT_UNUSED void *unused)
{
	for (;;) {
		if (hc_sm_down(sm) != SUCCESS)
			return;
		taken++;
	}
}

static unsigned long count(void)
{
	struct rt_ec ec;

	taken = 0;
	thread_make(&ec, 100, take_all, NULL);
	ASSERT_OK(rt_revoke(ec.sc));
	ASSERT_OK(rt_revoke(ec.sel));
	return taken;
}

static void initial_counts(void)
{
	for (unsigned long n = 0; n < 20; n++) {
		sm = sm_make(n);
		EXPECT_EQ(count(), n);
	}
}

static void ups_are_kept(void)
{
	sm = sm_make(3);
	for (unsigned i = 0; i < 10; i++)
		EXPECT_OK(hc_sm_up(sm));
	EXPECT_EQ(count(), 13);
	EXPECT_EQ(count(), 0);
}

static void zero_takes_all(void)
{
	sm = sm_make(7);
	EXPECT_OK(hc_sm_zero(sm));
	EXPECT_EQ(count(), 0);
	EXPECT_OK(hc_sm_up(sm));
	EXPECT_OK(hc_sm_up(sm));
	EXPECT_OK(hc_sm_zero(sm));
	EXPECT_OK(hc_sm_up(sm));
	EXPECT_EQ(count(), 1);
}

static void first_in_first_out(void)
{
	sm = sm_make(0);
	order = 0;
	waiter(1, 5);
	waiter(2, 9);
	waiter(3, 3);
	waiter(4, 9);
	waiter(5, 2);
	EXPECT_EQ(order, 0);
	for (unsigned long i = 1, want = 0; i <= 5; i++) {
		want = want * 10 + i;
		EXPECT_OK(hc_sm_up(sm));
		EXPECT_EQ(order, want);
	}
	EXPECT_OK(hc_sm_up(sm)); /* none lost, none invented */
	EXPECT_EQ(count(), 1);
}

/* A waiter in `zero` counts as one, too: it takes what there is when it is woken. */
static void zero_once(void *digit)
{
	EXPECT_OK(hc_sm_zero(sm));
	note((unsigned long)digit);
}

static void waiting_for_zero(void)
{
	struct rt_ec ec;

	sm = sm_make(0);
	order = 0;
	thread_make(&ec, 5, zero_once, (void *)1);
	waiter(2, 5);
	EXPECT_OK(hc_sm_up(sm));
	EXPECT_EQ(order, 1);
	EXPECT_OK(hc_sm_up(sm));
	EXPECT_EQ(order, 12);
	EXPECT_EQ(count(), 0);
}

/* The count at its end: it stays there, or the up is refused; it never starts again from 0. */
static void counter_does_not_wrap(void)
{
	enum status st;

	sm = sm_make(~0ul);
	st = hc_sm_up(sm);
	EXPECT(st == SUCCESS || st == BAD_PAR || st == OOM);
	EXPECT_OK(hc_sm_down(sm));
	EXPECT_OK(hc_sm_down(sm));
	EXPECT_OK(hc_sm_up(sm));
	EXPECT_OK(hc_sm_zero(sm));
	EXPECT_EQ(count(), 0);
	sm = sm_make(~0ul >> 1);
	EXPECT_OK(hc_sm_up(sm));
	EXPECT_OK(hc_sm_down(sm));
	EXPECT_OK(hc_sm_zero(sm));
	EXPECT_EQ(count(), 0);
	sm = sm_make(0xffffffff);
	EXPECT_OK(hc_sm_up(sm));
	EXPECT_OK(hc_sm_down(sm));
	EXPECT_OK(hc_sm_down(sm));
}

/* Ping and pong between two threads of equal priority, and a third that is more important. */
static sel_t ping, pong;
static volatile unsigned long rounds;

static void pinger(void *n)
{
	for (unsigned long i = 0; i < (unsigned long)n; i++) {
		hc_sm_up(ping);
		hc_sm_down(pong);
		rounds++;
	}
}

static void ponger(void *n)
{
	for (unsigned long i = 0; i < (unsigned long)n; i++) {
		hc_sm_down(ping);
		hc_sm_up(pong);
	}
}

static void ping_pong(void)
{
	struct rt_ec a, b;

	for (unsigned prio = 5; prio < 8; prio++) {
		ping = sm_make(0);
		pong = sm_make(0);
		rounds = 0;
		thread_make(&b, prio, ponger, (void *)1000);
		thread_make(&a, 6, pinger, (void *)1000);
		EXPECT_EQ(rounds, 1000);
	}
}

/* main() itself blocks and is woken. */
static void wake_slowly(RT_UNUSED void *unused)
{
	note(1);
	hc_yield();
	note(2);
	hc_sm_up(sm);
	note(3);
}

static void blocking_main(void)
{
	struct rt_ec ec;

	sm = sm_make(0);
	order = 0;
	thread_make(&ec, RT_PRIO, wake_slowly, NULL);
	EXPECT_EQ(order, 0);
	EXPECT_OK(hc_sm_down(sm));
	EXPECT_EQ(order, 123); /* equals do not preempt: the up does not end its turn */
}

/* The same semaphore under several names, with different permissions. */
static void several_names(void)
{
	sel_t up = sel_new(), down = sel_new();

	sm = sm_make(0);
	ASSERT_OK(delegate_obj(sm, RT_SEL_PD, up, PERM_SM_UP));
	ASSERT_OK(delegate_obj(sm, RT_SEL_PD, down, PERM_SM_DOWN));
	EXPECT_OK(hc_sm_up(up));
	EXPECT_OK(hc_sm_down(down));
	EXPECT_ST(hc_sm_up(down), BAD_CAP);
	EXPECT_ST(hc_sm_down(up), BAD_CAP);
	EXPECT_EQ(count(), 0);
}

/* A waiter that is destroyed leaves the queue; the next up reaches the one behind it. */
static void waiter_is_destroyed(void)
{
	struct rt_ec first, second;

	sm = sm_make(0);
	order = 0;
	thread_make(&first, 5, down_once, (void *)1);
	thread_make(&second, 5, down_once, (void *)2);
	waiter(3, 5);
	ASSERT_OK(rt_revoke(first.sc));
	ASSERT_OK(rt_revoke(first.sel));
	EXPECT_OK(hc_sm_up(sm));
	EXPECT_EQ(order, 2);
	EXPECT_OK(hc_sm_up(sm));
	EXPECT_EQ(order, 23);
}

/* A waiter without a scheduling context takes its turn, but runs only when it gets one again. */
static void waiter_loses_its_time(void)
{
	struct rt_ec first;

	sm = sm_make(0);
	order = 0;
	thread_make(&first, 5, down_once, (void *)1);
	waiter(2, 5);
	ASSERT_OK(rt_revoke(first.sc));
	EXPECT_OK(hc_sm_up(sm));
	EXPECT_EQ(order, 0);
	EXPECT_OK(hc_sm_up(sm));
	EXPECT_EQ(order, 2);
	ASSERT_OK(hc_create_sc(sel_new(), RT_SEL_PD, first.sel, 5, 1000));
	EXPECT_EQ(order, 21);
}

/* A portal's EC waits on its caller's time. */
static void down_in_handler(struct utcb *u, RT_UNUSED void *unused)
{
	note(1);
	u->words[0] = hc_sm_down(sm);
	note(2);
	rt_msg(u, 1, 0);
}

static struct server server;
static volatile unsigned long answered;

static void call_server(RT_UNUSED void *unused)
{
	answered = hc_call(server.pt) == SUCCESS;
}

static void in_a_call(void)
{
	struct rt_ec ec;

	sm = sm_make(0);
	order = answered = 0;
	server_make(&server, down_in_handler, NULL);
	thread_make(&ec, 5, call_server, NULL);
	EXPECT_EQ(order, 1);
	EXPECT_OK(hc_sm_up(sm));
	EXPECT_EQ(order, 12);
	EXPECT_EQ(answered, 1);
}

/* Hundreds of waiters, in order. */
static volatile unsigned long next_waiter, out_of_order;

static void in_turn(void *index)
{
	hc_sm_down(sm);
	out_of_order += next_waiter != (unsigned long)index;
	next_waiter++;
}

static void many_waiters(void)
{
	enum { COUNT = 300 };
	struct rt_ec ec;

	sm = sm_make(0);
	next_waiter = out_of_order = 0;
	for (unsigned long i = 0; i < COUNT; i++)
		thread_make(&ec, 2 + i % 7, in_turn, (void *)i);
	for (unsigned i = 0; i < COUNT; i++)
		EXPECT_OK(hc_sm_up(sm));
	EXPECT_EQ(next_waiter, COUNT);
	EXPECT_EQ(out_of_order, 0);
}

static const struct test tests[] = {
	TEST(initial_counts),      TEST(ups_are_kept),          TEST(zero_takes_all),
	TEST(first_in_first_out),  TEST(waiting_for_zero),      TEST(counter_does_not_wrap),
	TEST(ping_pong),           TEST(blocking_main),         TEST(several_names),
	TEST(waiter_is_destroyed), TEST(waiter_loses_its_time), TEST(in_a_call),
	TEST(many_waiters),
};

bool main(void)
{
	return guest_run("sm", tests, RT_ARRAY(tests));
}
