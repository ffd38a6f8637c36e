/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls and replies.
 *
 * A call copies the caller's message to the callee's UTCB, donates the caller's time and starts the callee at the
 * portal's entry; the reply copies back and the caller goes on. The copying must be exact: the items word as it is,
 * as many words as it says and no more than there are, neither windows nor the user's own word. The rest is about who
 * waits for whom. A portal's EC may be idle, busy, dead or busy with the caller itself; callers may be told to wait
 * or not; any member of a chain of calls may die, revoke things or turn out to be waited for by itself. In each case
 * everybody concerned has to learn exactly one status, and nobody may be left behind.
 *
 * main() has the lowest priority, so that threads made by a test run until they block before main() goes on: each
 * test is a fixed sequence. ipc_help.c has busy portals and helping, ipc_item.c typed items.
 */
#include "ipc.h"

#include "rt/entry.h"
#include "rt/hip.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/start.h"
#include "rt/thread.h"

#define PATTERN 0x1111111111111111ul

static struct utcb seen; /* the callee's UTCB when it was called */
static uint64_t answer_items;

static void echo(struct utcb *u, RT_UNUSED void *unused)
{
	seen = *u;
	for (unsigned i = 0; i < UTCB_WORDS_MAX; i++)
		u->words[i] = ~u->words[i];
	u->items = answer_items;
}

static void fill(struct utcb *u, uint64_t seed)
{
	for (unsigned i = 0; i < UTCB_WORDS_MAX; i++)
		u->words[i] = seed + i * PATTERN;
}

/* Any number of words: the first ones arrive, those behind stay what they were, in both directions. */
static void words(void)
{
	static const unsigned counts[] = {0,  1,  2,  3,  4,  5,   7,   8,   9,   15, 16,
					  17, 31, 63, 64, 65, 200, 255, 256, 507, 508};
	struct utcb *u = rt_utcb();
	struct server s;

	server_make(&s, echo, NULL);
	for (unsigned i = 0; i < RT_ARRAY(counts); i++)
		for (unsigned j = 0; j < RT_ARRAY(counts); j += 3) {
			unsigned n = counts[i], back = counts[j];

			fill(s.ec.utcb, 0xaaaa);
			fill(u, 0x5555);
			u->items = n;
			answer_items = back;
			ASSERT_OK(hc_call(s.pt));
			EXPECT_EQ(seen.items, n);
			EXPECT_EQ(u->items, back);
			for (unsigned w = 0; w < UTCB_WORDS_MAX; w++) {
				uint64_t arrived = (w < n ? 0x5555 : 0xaaaa) + w * PATTERN;

				if (seen.words[w] != arrived ||
				    u->words[w] != (w < back ? ~arrived : 0x5555 + w * PATTERN))
					test_fail(__FILE__, __LINE__, "%u words, %u back: word %u", n, back, w);
			}
		}
}

/* The items word is copied whole; counts beyond the maximum copy what there is. */
static void items_word(void)
{
	static const uint64_t values[] = {
		0, 508, 509, 0xffff, 0xdeadbeef00000001, 0xffffffff00000000, 0xffffffff0000ffff};
	struct utcb *u = rt_utcb();
	struct server s;

	server_make(&s, echo, NULL);
	for (unsigned i = 0; i < RT_ARRAY(values); i++) {
		unsigned n = values[i] & 0xffff;

		fill(u, i);
		u->items = values[i];
		answer_items = values[RT_ARRAY(values) - 1 - i];
		ASSERT_OK(hc_call(s.pt));
		EXPECT_EQ(seen.items, values[i]);
		EXPECT_EQ(u->items, answer_items);
		for (unsigned w = 0; w < UTCB_WORDS_MAX && w < n; w++)
			ASSERT_EQ(seen.words[w], i + w * PATTERN);
	}
}

static void header_stays(void)
{
	struct utcb *u = rt_utcb();
	struct server s;

	server_make(&s, echo, NULL);
	u->xlt = 1, u->del = 2, u->tls = 3;
	s.ec.utcb->xlt = 4, s.ec.utcb->del = 5, s.ec.utcb->tls = 6;
	answer_items = u->items = UTCB_WORDS_MAX;
	ASSERT_OK(hc_call(s.pt));
	EXPECT(u->xlt == 1 && u->del == 2 && u->tls == 3);
	EXPECT(seen.xlt == 4 && seen.del == 5 && seen.tls == 6);
	EXPECT(s.ec.utcb->xlt == 4 && s.ec.utcb->del == 5 && s.ec.utcb->tls == 6);
}

/* UTCBs that user code does not see, on one or both sides. */
static void hidden_utcbs(void)
{
	struct rt_ec ec = {.cpu = rt_cpu, .events = guest_events, .sel = sel_new(), .no_utcb = true};
	struct utcb *u = rt_utcb();
	sel_t pt = sel_new();

	ASSERT_OK(rt_ec_local(&ec));
	ASSERT_OK(hc_create_pt(pt, RT_SEL_PD, ec.sel, 0, (unsigned long)rt_portal_echo));
	fill(u, 77);
	u->items = 100;
	ASSERT_OK(hc_call(pt));
	for (unsigned w = 0; w < UTCB_WORDS_MAX; w++)
		ASSERT_EQ(u->words[w], 77 + w * PATTERN);
	u->items = 0; /* the reply is what the hidden UTCB holds: the words of the last message, if asked for */
	ASSERT_OK(hc_call(pt));
	EXPECT_EQ(u->items, 0);
}

/* Portal ids: 0 at first, then what pt_ctrl said, per portal. */
static unsigned long id_seen;

__attribute__((used)) static void note_id(unsigned long id)
{
	id_seen = id;
}

extern void id_entry(void);
__asm__(".pushsection .text\n"
	"id_entry:\n"
	"	call note_id\n"
	"	mov $1, %edi\n"
	"	syscall\n"
	".popsection\n");

static void portal_ids(void)
{
	struct rt_ec ec = {.cpu = rt_cpu, .events = guest_events, .sel = sel_new()};
	sel_t a = sel_new(), b = sel_new();

	ASSERT_OK(rt_ec_local(&ec));
	ASSERT_OK(hc_create_pt(a, RT_SEL_PD, ec.sel, 0, (unsigned long)id_entry));
	ASSERT_OK(hc_create_pt(b, RT_SEL_PD, ec.sel, 0, (unsigned long)id_entry));
	id_seen = 1;
	ASSERT_OK(hc_call(a));
	EXPECT_EQ(id_seen, 0);
	ASSERT_OK(hc_pt_ctrl(a, 0xfedcba9876543210));
	ASSERT_OK(hc_pt_ctrl(b, 5));
	ASSERT_OK(hc_call(a));
	EXPECT_EQ(id_seen, 0xfedcba9876543210);
	ASSERT_OK(hc_call(b));
	EXPECT_EQ(id_seen, 5);
}

/* Chains: each server calls the next. */
enum { CHAIN = 100 };
static struct server chain[CHAIN];

static void call_next(struct utcb *u, void *index)
{
	unsigned long i = (unsigned long)index;

	u->words[0]++;
	if (i + 1 < CHAIN) { /* passes the message on in its own UTCB */
		rt_msg(u, 1, 0);
		if (hc_call(chain[i + 1].pt) != SUCCESS)
			u->words[0] = ~0ul;
	}
	rt_msg(u, 1, 0);
}

static void long_chain(void)
{
	for (unsigned long i = 0; i < CHAIN; i++)
		server_make(&chain[i], call_next, (void *)i);
	for (unsigned i = 0; i < 3; i++) {
		rt_utcb()->words[0] = 1000;
		rt_msg(rt_utcb(), 1, 0);
		ASSERT_OK(hc_call(chain[0].pt));
		EXPECT_EQ(rt_utcb()->words[0], 1000 + CHAIN);
	}
}

/*
 * A call that comes back to its own caller kills that EC; its caller gets ABORT, and the others go on.
 */
static sel_t loop_target;
static enum status loop_status[4];

static void call_target(struct utcb *u, void *slot)
{
	loop_status[(unsigned long)slot] = hc_call(loop_target);
	rt_msg(u, 0, 0);
}

static void call_other(struct utcb *u, void *pt)
{
	loop_status[0] = hc_call(*(sel_t *)pt);
	rt_msg(u, 0, 0);
}

static void call_itself(void)
{
	struct server s;

	server_make(&s, call_target, (void *)1);
	loop_target = s.pt;
	loop_status[1] = BUSY;
	EXPECT_ST(hc_call(s.pt), ABORT);
	EXPECT_EQ(loop_status[1], BUSY); /* it never got an answer */
	EXPECT_ST(hc_call(s.pt), TIMEOUT);
}

static void call_in_a_circle(void)
{
	struct server a, b, c;

	server_make(&c, call_target, (void *)2);
	server_make(&b, call_other, &c.pt);
	server_make(&a, call_other, &b.pt);
	loop_target = b.pt;
	loop_status[0] = BUSY;
	/* a - b - c - b: c is killed, b learns of it and answers. */
	EXPECT_OK(hc_call(a.pt));
	EXPECT_OK(loop_status[0]); /* a's call */
	EXPECT_ST(hc_call(c.pt), TIMEOUT);
	EXPECT_OK(hc_call(b.pt));
	EXPECT_EQ(loop_status[0], TIMEOUT); /* b's call to the dead c */
}

/* Non-blocking calls do not wait, so they cannot wait in a circle. */
static void call_without_waiting(struct utcb *u, RT_UNUSED void *unused)
{
	loop_status[3] = hc_call_nonblock(loop_target);
	rt_msg(u, 0, 0);
}

static void nonblocking_circle(void)
{
	struct server s;

	server_make(&s, call_without_waiting, NULL);
	loop_target = s.pt;
	EXPECT_OK(hc_call(s.pt));
	EXPECT_EQ(loop_status[3], TIMEOUT);
}

/* The death of a callee, direct and through others. */
static void die(RT_UNUSED struct utcb *u, RT_UNUSED void *unused)
{
	__asm__ volatile("ud2");
}

static void death_of_a_callee(void)
{
	struct server victim, middle;

	server_make_in(&victim, RT_SEL_PD, GUEST_NOTHING, die, NULL);
	server_make(&middle, call_other, &victim.pt);
	EXPECT_OK(hc_call(middle.pt));
	EXPECT_EQ(loop_status[0], ABORT);
	EXPECT_OK(hc_call(middle.pt));
	EXPECT_EQ(loop_status[0], TIMEOUT);
	EXPECT_ST(hc_call_nonblock(victim.pt), TIMEOUT);
}

/* Destruction of an EC in the middle of a chain, from its end. */
static struct server doomed;

static void destroy_doomed(struct utcb *u, RT_UNUSED void *unused)
{
	EXPECT_OK(rt_revoke(doomed.pt));
	EXPECT_OK(rt_revoke(doomed.ec.sel));
	rt_msg(u, 0, 0);
}

static volatile unsigned long after_doom;

static void middle(struct utcb *u, void *pt)
{
	hc_call(*(sel_t *)pt);
	after_doom++;
	rt_msg(u, 0, 0);
}

static void destruction_in_the_middle(void)
{
	struct server outer, last;

	server_make(&last, destroy_doomed, NULL);
	server_make(&doomed, middle, &last.pt);
	server_make(&outer, call_other, &doomed.pt);
	after_doom = 0;
	EXPECT_OK(hc_call(outer.pt));
	EXPECT_EQ(loop_status[0], ABORT); /* outer's call */
	EXPECT_EQ(after_doom, 0);
	EXPECT_ST(hc_call(doomed.pt), BAD_CAP);
	EXPECT_OK(hc_call(last.pt)); /* it is free again */
}

/* Replies. A global EC, or one that nobody waits for, is parked for good with its SC. */
static volatile unsigned long replied;

static void reply_from_thread(RT_UNUSED void *unused)
{
	replied = 1;
	hc_reply();
	replied = 2;
}

static void reply_by_a_thread(void)
{
	struct rt_ec ec;

	replied = 0;
	thread_make(&ec, 5, reply_from_thread, NULL);
	EXPECT_EQ(replied, 1);
	ASSERT_OK(hc_create_sc(sel_new(), RT_SEL_PD, ec.sel, 6, 1000));
	hc_yield();
	EXPECT_EQ(replied, 1);
}

/* A reply that names a semaphore: the caller goes on when it could take it down. */
__attribute__((used)) static sel_t reply_sm;
__attribute__((used)) static unsigned long reply_status; /* of a refused reply; another follows, without semaphore */
extern void sm_reply_entry(void);
__asm__(".pushsection .text\n"
	"sm_reply_entry:\n"
	"	mov reply_sm(%rip), %rdi\n"
	"	shl $12, %rdi\n"
	"	or $1, %rdi\n"
	"	syscall\n"
	"	mov %rdi, reply_status(%rip)\n"
	"	mov $1, %edi\n"
	"	syscall\n"
	".popsection\n");

static volatile unsigned long caller_went_on;
static enum status caller_status;

static void call_once(void *pt)
{
	caller_status = hc_call((sel_t)pt);
	caller_went_on++;
}

static sel_t sm_reply_portal(void)
{
	struct rt_ec ec = {.cpu = rt_cpu, .events = guest_events, .sel = sel_new()};
	sel_t pt = sel_new();

	ASSERT_OK(rt_ec_local(&ec));
	ASSERT_OK(hc_create_pt(pt, RT_SEL_PD, ec.sel, 0, (unsigned long)sm_reply_entry));
	return pt;
}

static void reply_with_semaphore(void)
{
	sel_t pt = sm_reply_portal();
	struct rt_ec ec;

	reply_sm = sm_make(1);
	caller_went_on = 0;
	caller_status = BUSY;
	thread_make(&ec, 5, call_once, (void *)pt);
	EXPECT_EQ(caller_went_on, 1); /* there was one to take */
	EXPECT_OK(caller_status);
	thread_make(&ec, 5, call_once, (void *)pt);
	EXPECT_EQ(caller_went_on, 1);
	hc_yield();
	EXPECT_EQ(caller_went_on, 1);
	EXPECT_OK(hc_sm_up(reply_sm));
	EXPECT_EQ(caller_went_on, 2);
	EXPECT_OK(caller_status);
}

/* What is no semaphore is refused, and the caller still waits for its reply. */
static void reply_with_something_else(void)
{
	const sel_t bad[] = {GUEST_NOTHING, RT_SEL_PD, HEDRON_SEL_NUM, sel_new()};
	sel_t pt = sm_reply_portal(), sm = sm_make(0);

	ASSERT_OK(delegate_obj(sm, RT_SEL_PD, bad[3], PERM_SM_UP)); /* down is what it takes */
	for (unsigned i = 0; i < RT_ARRAY(bad); i++) {
		reply_sm = bad[i];
		reply_status = SUCCESS;
		EXPECT_OK(hc_call(pt));
		EXPECT_EQ(reply_status & 0xff, BAD_CAP);
	}
}

/* Caller and callee in different PDs: portals and messages, both directions, several rounds. */
static void other_pds(void)
{
	struct agent a, b;

	agent_make(&a);
	agent_make(&b);
	for (unsigned i = 0; i < 10; i++) {
		EXPECT_EQ(agent_lookup(&a, rt_obj(6, 0, 0)), rt_obj(6, 0, 3));
		EXPECT_EQ(agent_lookup(&b, rt_obj(6, 0, 0)), rt_obj(6, 0, 3));
	}
	/* From one to the other, with main waiting. */
	ASSERT_OK(delegate_obj(b.server.pt, a.pd, 500, PERM_PT_CALL));
	struct hc_regs r = {HC_ARG1(HC_CALL, 0, 501), 0, 0, 0, 0};

	EXPECT_ST(agent_hc(&a, &r), BAD_CAP);
}

const struct test ipc_call_tests[] = {
	TEST(words),
	TEST(items_word),
	TEST(header_stays),
	TEST(hidden_utcbs),
	TEST(portal_ids),
	TEST(long_chain),
	TEST(call_itself),
	TEST(call_in_a_circle),
	TEST(nonblocking_circle),
	TEST(death_of_a_callee),
	TEST(destruction_in_the_middle),
	TEST(reply_by_a_thread),
	TEST(reply_with_semaphore),
	TEST(reply_with_something_else),
	TEST(other_pds),
	{},
};

bool main(void)
{
	static const struct test *const tables[] = {ipc_call_tests, ipc_help_tests, ipc_item_tests, NULL};

	return guest_run_tables("ipc", tables);
}
