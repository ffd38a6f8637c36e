/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Busy portals: waiting, helping, being told to come back. */
#include "ipc.h"

#include "rt/hip.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/thread.h"

/*
 * One server that blocks in a semaphore in the middle of a call, and threads that call it. `order` collects one digit
 * per event.
 */
static struct server busy;
static sel_t gate;
static volatile unsigned long order;

static void note(unsigned long digit)
{
	order = order * 10 + digit;
}

static void wait_at_gate(struct utcb *u, RT_UNUSED void *unused)
{
	note(u->words[0]);
	hc_sm_down(gate);
	rt_msg(u, 1, 0);
}

static struct caller {
	struct rt_ec ec;
	unsigned long digit;
	volatile unsigned long done;
	enum status status;
} callers[8];

static void call_busy(void *p)
{
	struct caller *c = p;

	c->ec.utcb->words[0] = c->digit;
	rt_msg(c->ec.utcb, 1, 0);
	c->status = hc_call(busy.pt);
	c->done++;
}

static void start(unsigned long digit, unsigned prio)
{
	struct caller *c = &callers[digit];

	*c = (struct caller){.digit = digit, .status = BUSY};
	c->ec = (struct rt_ec){.cpu = rt_cpu, .events = guest_events, .sel = sel_new(), .sc = sel_new()};
	ASSERT_OK(rt_thread(&c->ec, prio, call_busy, c));
}

static void prepare(void)
{
	order = 0;
	gate = sm_make(0);
	server_make(&busy, wait_at_gate, NULL);
}

static void told_to_come_back(void)
{
	prepare();
	start(1, 5);
	EXPECT_EQ(order, 1);
	EXPECT_ST(hc_call_nonblock(busy.pt), TIMEOUT);
	EXPECT_ST(hc_call_nonblock(busy.pt), TIMEOUT);
	EXPECT_EQ(callers[1].done, 0);
	EXPECT_OK(hc_sm_up(gate));
	EXPECT_EQ(callers[1].done, 1);
	EXPECT_OK(callers[1].status);
	EXPECT_OK(hc_sm_up(gate)); /* so that the next one need not wait */
	EXPECT_OK(hc_call_nonblock(busy.pt));
}

/* Waiters are served by priority, each exactly once. */
static void waiters_by_priority(void)
{
	prepare();
	start(1, 5);
	start(2, 3);
	start(3, 7);
	start(4, 4);
	EXPECT_EQ(order, 1);
	for (unsigned i = 0; i < 4; i++)
		EXPECT_OK(hc_sm_up(gate));
	EXPECT_EQ(order, 1342);
	for (unsigned i = 1; i <= 4; i++) {
		EXPECT_EQ(callers[i].done, 1);
		EXPECT_OK(callers[i].status);
	}
}

/* The server is ready but preempted; a helper of higher priority lends its time and gets through at once. */

static void spin(struct utcb *u, RT_UNUSED void *unused)
{
	note(5);
	hc_sm_up(gate); /* wakes the helper, which is more important */
	note(6);
	rt_msg(u, 0, 0);
}

static void helper(RT_UNUSED void *unused)
{
	hc_sm_down(gate);
	note(1);
	callers[1].status = hc_call(busy.pt);
	note(2);
}

static void helping(void)
{
	struct rt_ec ec;

	order = 0;
	gate = sm_make(0);
	server_make(&busy, spin, NULL);
	thread_make(&ec, 9, helper, NULL);
	EXPECT_OK(hc_call(busy.pt)); /* main, priority 1 */
	/* 5: in the server; 1: the helper is woken and finds it busy; 6: on the helper's time; then the helper's own
	 * call. */
	EXPECT_EQ(order, 516562);
	EXPECT_OK(callers[1].status);
}

/* Nobody in between: while it is helped, the server outranks threads of middling priority. */
static void middling(RT_UNUSED void *unused)
{
	note(3);
}

static void spawn_and_wake(struct utcb *u, RT_UNUSED void *unused)
{
	static struct rt_ec ec;

	note(5);
	hc_sm_up(gate);
	thread_make(&ec, 4, middling, NULL);
	note(6);
	rt_msg(u, 0, 0);
}

static void no_inversion(void)
{
	struct rt_ec ec;

	order = 0;
	gate = sm_make(0);
	server_make(&busy, spawn_and_wake, NULL);
	thread_make(&ec, 9, helper, NULL);
	EXPECT_OK(hc_call(busy.pt));
	EXPECT_OK(callers[1].status);
	/* As above, then the helper's own turn in the server (56), its end (2), and only then the threads in between.
	 */
	EXPECT_EQ(order, 51656233);
}

/* A helper's call ends with ABORT or TIMEOUT when the server dies; nobody stays behind. */
static void die_at_gate(RT_UNUSED struct utcb *u, RT_UNUSED void *unused)
{
	note(5);
	hc_sm_down(gate);
	__asm__ volatile("ud2");
}

static void server_dies(void)
{
	order = 0;
	gate = sm_make(0);
	server_make_in(&busy, RT_SEL_PD, GUEST_NOTHING, die_at_gate, NULL);
	start(1, 5);
	start(2, 6);
	start(3, 4);
	EXPECT_EQ(order, 5);
	EXPECT_OK(hc_sm_up(gate));
	EXPECT(callers[1].done == 1 && callers[2].done == 1 && callers[3].done == 1);
	EXPECT_EQ(callers[1].status, ABORT);   /* its call was in progress */
	EXPECT_EQ(callers[2].status, TIMEOUT); /* retried, and found a dead one */
	EXPECT_EQ(callers[3].status, TIMEOUT);
}

static void server_is_destroyed(void)
{
	prepare();
	start(1, 5);
	start(2, 6);
	ASSERT_OK(rt_revoke(busy.pt));
	EXPECT(callers[1].done == 0);
	ASSERT_OK(rt_revoke(busy.ec.sel));
	EXPECT(callers[1].done == 1 && callers[2].done == 1);
	EXPECT_EQ(callers[1].status, ABORT);
	EXPECT_EQ(callers[2].status, BAD_CAP); /* the portal is gone when it tries again */
}

/* A caller that is destroyed while it waits: the server goes on, its reply goes nowhere. */
static void caller_is_destroyed(void)
{
	prepare();
	start(1, 5);
	start(2, 6);
	ASSERT_OK(rt_revoke(callers[1].ec.sc));
	ASSERT_OK(rt_revoke(callers[1].ec.sel));
	EXPECT_OK(hc_sm_up(gate));
	EXPECT_OK(hc_sm_up(gate));
	EXPECT_EQ(callers[2].done, 1);
	EXPECT_OK(callers[2].status);
	EXPECT_OK(hc_sm_up(gate));
	EXPECT_OK(hc_call(busy.pt));
}

/* A helper that is destroyed, with the server still busy. */
static void helper_is_destroyed(void)
{
	prepare();
	start(1, 5);
	start(2, 6);
	ASSERT_OK(rt_revoke(callers[2].ec.sc));
	ASSERT_OK(rt_revoke(callers[2].ec.sel));
	EXPECT_OK(hc_sm_up(gate));
	EXPECT_EQ(callers[1].done, 1);
	EXPECT_OK(callers[1].status);
	EXPECT_EQ(callers[2].done, 0);
	EXPECT_OK(hc_sm_up(gate));
	EXPECT_OK(hc_call(busy.pt));
}

/* The portal is revoked while somebody waits for its busy EC: BAD_CAP for the waiter, not for the one in progress. */
static void portal_is_revoked(void)
{
	sel_t second;

	prepare();
	second = server_pt(&busy, wait_at_gate, NULL);
	start(1, 5);
	start(2, 6);
	ASSERT_OK(rt_revoke(busy.pt));
	EXPECT_OK(hc_sm_up(gate));
	EXPECT_EQ(callers[1].done, 1);
	EXPECT_OK(callers[1].status);
	EXPECT_EQ(callers[2].done, 1);
	EXPECT_EQ(callers[2].status, BAD_CAP);
	EXPECT_OK(hc_sm_up(gate));
	EXPECT_OK(hc_call(second));
}

/* Waiting for each other through helping: the EC whose wait closes the circle is killed. */
static struct server left, right;

static void call_left(struct utcb *u, RT_UNUSED void *unused)
{
	hc_sm_down(gate);
	callers[6].status = hc_call(left.pt);
	rt_msg(u, 0, 0);
}

static void call_right(struct utcb *u, RT_UNUSED void *unused)
{
	callers[7].status = hc_call(right.pt);
	rt_msg(u, 0, 0);
}

static void call_portal(void *pt)
{
	callers[5].status = hc_call((sel_t)pt);
	callers[5].done++;
}

static void circle_of_helpers(void)
{
	struct rt_ec a, b;

	gate = sm_make(0);
	server_make(&right, call_left, NULL);
	server_make(&left, call_right, NULL);
	callers[6].status = callers[7].status = callers[5].status = BUSY;
	callers[5].done = 0;
	thread_make(&a, 5, call_portal, (void *)right.pt); /* right is busy and waits at the gate */
	thread_make(&b, 6, call_portal, (void *)left.pt);  /* left is busy and waits for right */
	EXPECT_EQ(callers[5].done, 0);
	EXPECT_OK(hc_sm_up(gate)); /* now right calls left */
	EXPECT_EQ(callers[5].done, 2);
	EXPECT_EQ(callers[6].status, BUSY);                                 /* right was killed in its call */
	EXPECT(callers[7].status == TIMEOUT || callers[7].status == ABORT); /* left's call to it */
	EXPECT_ST(hc_call(right.pt), TIMEOUT);
}

/* Many helpers at once. */
static void many_helpers(void)
{
	enum { COUNT = 60 };
	static struct caller many[COUNT];

	prepare();
	for (unsigned i = 0; i < COUNT; i++) {
		many[i] = (struct caller){.digit = 0, .status = BUSY};
		many[i].ec = (struct rt_ec){.cpu = rt_cpu, .events = guest_events, .sel = sel_new(), .sc = sel_new()};
		ASSERT_OK(rt_thread(&many[i].ec, 2 + i * 7 % 50, call_busy, &many[i]));
	}
	for (unsigned i = 0; i < COUNT; i++)
		EXPECT_OK(hc_sm_up(gate));
	for (unsigned i = 0; i < COUNT; i++)
		EXPECT(many[i].done == 1 && many[i].status == SUCCESS);
	EXPECT_OK(hc_sm_up(gate));
	EXPECT_OK(hc_call(busy.pt));
}

/* A handler of exceptions that is busy is helped, too. */
static volatile unsigned long resumed;

static void skip_ud2(struct utcb *u, RT_UNUSED void *unused)
{
	u->state.rip += 2;
	u->state.mtd = MTD_RIP_LEN;
}

static void fault_once(RT_UNUSED void *unused)
{
	__asm__ volatile("ud2" : : : "memory");
	resumed++;
}

static void busy_event_handler(void)
{
	sel_t events = sel_block(5);
	struct rt_ec ec = {.cpu = rt_cpu, .events = events, .sel = sel_new(), .sc = sel_new()};

	prepare();
	resumed = 0;
	ASSERT_OK(delegate_obj(guest_events + HEDRON_EXC_STARTUP, RT_SEL_PD, events + HEDRON_EXC_STARTUP, PERM_ALL));
	ASSERT_OK(rt_pt_at(events + 6, &busy.ec, MTD_RIP_LEN, skip_ud2, NULL));
	start(1, 5);
	ASSERT_OK(rt_thread(&ec, 8, fault_once, NULL));
	EXPECT_EQ(resumed, 0);
	EXPECT_OK(hc_sm_up(gate));
	EXPECT_EQ(callers[1].done, 1);
	EXPECT_EQ(resumed, 1);
}

const struct test ipc_help_tests[] = {
	TEST(told_to_come_back),
	TEST(waiters_by_priority),
	TEST(helping),
	TEST(no_inversion),
	TEST(server_dies),
	TEST(server_is_destroyed),
	TEST(caller_is_destroyed),
	TEST(helper_is_destroyed),
	TEST(portal_is_revoked),
	TEST(circle_of_helpers),
	TEST(many_helpers),
	TEST(busy_event_handler),
	{},
};
