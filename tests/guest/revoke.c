/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Revocation and the life of objects.
 *
 * Revoking takes permissions from everything below a capability, in whatever PD it has arrived, and with *self* from
 * the capability itself; a capability without permissions disappears, and an object without capabilities and without
 * other objects that refer to it is destroyed. It is the only way to delete anything, so it has to be exact (siblings
 * and parents keep theirs), complete (children of children, in PDs that nobody thought of) and immediate: the next
 * use of a revoked capability must fail, also if it is in the middle of being used.
 *
 * Destruction has consequences for those who wait: on a semaphore, for a reply, with a scheduling context. None of
 * them may be forgotten, since nobody else would ever wake them.
 */
#include "guest.h"

#include "rt/entry.h"
#include "rt/hip.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/start.h"
#include "rt/thread.h"

static sel_t child(sel_t of, unsigned perm)
{
	sel_t sel = sel_new();

	ASSERT_OK(delegate_obj(of, RT_SEL_PD, sel, perm));
	return sel;
}

static void take(sel_t sel, unsigned order, unsigned perm, unsigned flags)
{
	EXPECT_OK(hc_revoke(rt_obj(sel, order, perm), flags, 0));
}

/* s - a - b - c, and s - d - e. */
struct tree {
	sel_t s, a, b, c, d, e;
};

static struct tree make_tree(void)
{
	struct tree t = {.s = sm_make(0)};

	t.a = child(t.s, PERM_ALL);
	t.b = child(t.a, PERM_ALL);
	t.c = child(t.b, PERM_ALL);
	t.d = child(t.s, PERM_ALL);
	t.e = child(t.d, PERM_ALL);
	return t;
}

static void expect_tree(const struct tree *t, unsigned s, unsigned a, unsigned b, unsigned c, unsigned d, unsigned e,
			int line)
{
	const sel_t sels[] = {t->s, t->a, t->b, t->c, t->d, t->e};
	const unsigned want[] = {s, a, b, c, d, e};

	for (unsigned i = 0; i < 6; i++)
		if (sel_perm(sels[i]) != want[i])
			test_fail(__FILE__, line, "node %c: permissions %u, expected %u", "sabcde"[i],
				  sel_perm(sels[i]), want[i]);
}
#define EXPECT_TREE(s, a, b, c, d, e) expect_tree(&t, s, a, b, c, d, e, __LINE__)

static void below(void)
{
	struct tree t = make_tree();

	EXPECT_TREE(3, 3, 3, 3, 3, 3);
	take(t.s, 0, PERM_ALL, 0);
	EXPECT_TREE(3, 0, 0, 0, 0, 0);
	EXPECT_OK(hc_sm_up(t.s));
	EXPECT_ST(hc_sm_up(t.c), BAD_CAP);
}

static void with_self(void)
{
	struct tree t = make_tree();

	take(t.s, 0, PERM_ALL, REVOKE_SELF);
	EXPECT_TREE(0, 0, 0, 0, 0, 0);
}

static void in_the_middle(void)
{
	struct tree t = make_tree();

	take(t.b, 0, PERM_ALL, REVOKE_SELF);
	EXPECT_TREE(3, 3, 0, 0, 3, 3);
	take(t.a, 0, PERM_ALL, 0);
	EXPECT_TREE(3, 3, 0, 0, 3, 3);
	take(t.d, 0, PERM_ALL, 0);
	EXPECT_TREE(3, 3, 0, 0, 3, 0);
	take(t.s, 0, PERM_ALL, 0);
	EXPECT_TREE(3, 0, 0, 0, 0, 0);
}

static void some_permissions(void)
{
	struct tree t = make_tree();

	take(t.a, 0, PERM_SM_UP, 0);
	EXPECT_TREE(3, 3, PERM_SM_DOWN, PERM_SM_DOWN, 3, 3);
	EXPECT_ST(hc_sm_up(t.c), BAD_CAP);
	EXPECT_OK(hc_sm_up(t.a));
	EXPECT_OK(hc_sm_down(t.c));
	take(t.b, 0, PERM_SM_DOWN, 0);
	EXPECT_TREE(3, 3, PERM_SM_DOWN, 0, 3, 3);
	take(t.s, 0, PERM_SM_UP, REVOKE_SELF);
	EXPECT_TREE(PERM_SM_DOWN, PERM_SM_DOWN, PERM_SM_DOWN, 0, PERM_SM_DOWN, PERM_SM_DOWN);
	take(t.s, 0, 0, REVOKE_SELF); /* no permissions: nothing */
	EXPECT_TREE(PERM_SM_DOWN, PERM_SM_DOWN, PERM_SM_DOWN, 0, PERM_SM_DOWN, PERM_SM_DOWN);
	take(t.s, 0, 28, REVOKE_SELF); /* permissions that do not exist */
	EXPECT_TREE(PERM_SM_DOWN, PERM_SM_DOWN, PERM_SM_DOWN, 0, PERM_SM_DOWN, PERM_SM_DOWN);
}

/* Children of a node that disappears by losing its last permission disappear with it. */
static void last_permission(void)
{
	sel_t s = sm_make(0), up = child(s, PERM_SM_UP), further = child(up, PERM_SM_UP);

	take(up, 0, PERM_SM_UP, REVOKE_SELF);
	EXPECT(sel_empty(up));
	EXPECT(sel_empty(further));
	EXPECT_EQ(sel_perm(s), 3);
}

/* A range: everything in it, nothing beside it; the base is rounded down. */
static void ranges(void)
{
	sel_t block = sel_block(5);

	for (unsigned i = 0; i < 32; i++)
		if (i % 3)
			ASSERT_OK(hc_create_sm(block + i, RT_SEL_PD, 0));
	take(block + 11, 2, PERM_ALL, REVOKE_SELF); /* 8..11 */
	for (unsigned i = 0; i < 32; i++)
		EXPECT_EQ(sel_empty(block + i), !(i % 3) || (i >= 8 && i < 12));
	take(block + 16, 4, PERM_SM_UP, REVOKE_SELF);
	for (unsigned i = 0; i < 32; i++)
		if (!sel_empty(block + i))
			EXPECT_EQ(sel_perm(block + i), i >= 16 ? PERM_SM_DOWN : 3);
	take(block, 5, PERM_ALL, REVOKE_SELF);
	for (unsigned i = 0; i < 32; i++)
		EXPECT(sel_empty(block + i));
}

/* The own space from far above: a window of all selectors would take the PD's own, so half of it. */
static void huge_range(void)
{
	ASSERT_OK(hc_create_sm(0x2345678, RT_SEL_PD, 0));
	take(0x2000000, 25, PERM_ALL, REVOKE_SELF);
	EXPECT(sel_empty(0x2345678));
	EXPECT(!sel_empty(RT_SEL_PD));
}

static void across_pds(void)
{
	struct agent a, b;
	sel_t s = sm_make(0);

	agent_make(&a);
	agent_make(&b);
	ASSERT_OK(delegate_obj(s, a.pd, 100, PERM_ALL));
	ASSERT_OK(hc_delegate(a.pd, b.pd, rt_obj(100, 0, PERM_ALL), ITEM_DELEGATE, rt_obj(200, 0, PERM_ALL), NULL));
	EXPECT_EQ(agent_lookup(&b, rt_obj(200, 0, 0)), rt_obj(200, 0, 3));
	/* The middle one revokes. */
	struct hc_regs r = {HC_ARG1(HC_REVOKE, 0, 0), rt_obj(100, 0, PERM_SM_UP), 0, 0, 0};

	EXPECT_OK(agent_hc(&a, &r));
	EXPECT_EQ(agent_lookup(&b, rt_obj(200, 0, 0)), rt_obj(200, 0, PERM_SM_DOWN));
	EXPECT_EQ(agent_lookup(&a, rt_obj(100, 0, 0)), rt_obj(100, 0, 3));
	/* Main, remotely. */
	EXPECT_OK(hc_revoke(rt_obj(0, 8, PERM_ALL), REVOKE_REMOTE, a.pd));
	EXPECT_EQ(agent_lookup(&b, rt_obj(200, 0, 0)), 0);
	EXPECT_EQ(agent_lookup(&a, rt_obj(100, 0, 0)), rt_obj(100, 0, 3));
	EXPECT_OK(hc_revoke(rt_obj(100, 0, PERM_ALL), REVOKE_REMOTE | REVOKE_SELF, a.pd));
	EXPECT_EQ(agent_lookup(&a, rt_obj(100, 0, 0)), 0);
	EXPECT_EQ(sel_perm(s), 3);
	take(s, 0, PERM_ALL, REVOKE_SELF);
}

/* Many children of one capability, and a long chain. */
static void many_children(void)
{
	enum { COUNT = 2000 };
	sel_t s = sm_make(0), last = s, first = GUEST_SEL + 0x1000, chain = GUEST_SEL + 0x2000;

	for (unsigned i = 0; i < COUNT; i++) {
		ASSERT_OK(delegate_obj(s, RT_SEL_PD, first + i, PERM_ALL));
		ASSERT_OK(delegate_obj(last, RT_SEL_PD, chain + i, PERM_ALL));
		last = chain + i;
	}
	take(chain + COUNT / 2, 0, PERM_ALL, 0);
	EXPECT(!sel_empty(chain + COUNT / 2));
	EXPECT(sel_empty(chain + COUNT / 2 + 1));
	EXPECT(sel_empty(chain + COUNT - 1));
	take(s, 0, PERM_ALL, 0);
	for (unsigned i = 0; i < COUNT; i++)
		EXPECT(sel_empty(first + i) && sel_empty(chain + i));
	EXPECT_OK(hc_sm_up(s));
}

/* Waiters of a semaphore that is destroyed: woken, all of them, with BAD_CAP. */
static volatile unsigned long waiting, woken, woken_well;

static void wait_on(void *sm)
{
	enum status st;

	waiting++;
	st = hc_sm_down((sel_t)sm);
	woken++;
	woken_well += st == BAD_CAP;
}

static void semaphore_with_waiters(void)
{
	sel_t sm = sm_make(0), other = child(sm, PERM_ALL);
	struct rt_ec ec[5];

	waiting = woken = woken_well = 0;
	for (unsigned i = 0; i < 5; i++)
		thread_make(&ec[i], 2 + i, wait_on, (void *)(i & 1 ? other : sm));
	ASSERT_EQ(waiting, 5);
	ASSERT_OK(rt_revoke(other)); /* the object lives on: the waiters stay */
	EXPECT_EQ(woken, 0);
	EXPECT_OK(hc_sm_up(sm));
	EXPECT_EQ(woken, 1);
	EXPECT_EQ(woken_well, 0);
	ASSERT_OK(rt_revoke(sm));
	EXPECT_EQ(woken, 5);
	EXPECT_EQ(woken_well, 4);
}

static volatile unsigned long served;

static void serve(struct utcb *u, RT_UNUSED void *unused)
{
	served++;
	rt_msg(u, 0, 0);
}

static void portals(void)
{
	struct server s;
	sel_t copy, second;

	served = 0;
	server_make(&s, serve, NULL);
	copy = child(s.pt, PERM_PT_CALL);
	second = server_pt(&s, serve, NULL);
	EXPECT_OK(hc_call(copy));
	ASSERT_OK(rt_revoke(s.pt));
	EXPECT_ST(hc_call(s.pt), BAD_CAP);
	EXPECT_ST(hc_call(copy), BAD_CAP);
	EXPECT_OK(hc_call(second));
	EXPECT_EQ(served, 2);
	take(second, 0, PERM_PT_CALL, REVOKE_SELF);
	EXPECT_ST(hc_call(second), BAD_CAP);
	EXPECT_EQ(sel_perm(second), PERM_PT_CTRL);
	EXPECT_OK(hc_pt_ctrl(second, 0));
}

/* A portal keeps its EC alive and running, but the UTCB goes with the EC's last capability. */
static void ec_without_capability(void)
{
	struct server s = {.ec = {.cpu = rt_cpu, .events = guest_events, .sel = sel_new()}};
	sel_t copy;

	ASSERT_OK(rt_ec_local(&s.ec));
	s.pt = sel_new();
	ASSERT_OK(hc_create_pt(s.pt, RT_SEL_PD, s.ec.sel, 0, (unsigned long)rt_portal_echo));
	copy = child(s.ec.sel, PERM_EC_CTRL);
	EXPECT_OK(hc_call(s.pt));
	ASSERT_OK(rt_revoke(s.ec.sel));
	EXPECT(sel_empty(copy));
	EXPECT(!can_read((unsigned long)s.ec.utcb));
	EXPECT_OK(hc_call(s.pt));
	rt_utcb()->words[0] = 0x1234;
	rt_msg(rt_utcb(), 1, 0);
	EXPECT_OK(hc_call(s.pt)); /* messages still go through its UTCB */
	EXPECT_EQ(rt_utcb()->words[0], 0x1234);
	ASSERT_OK(rt_revoke(s.pt));
	EXPECT_ST(hc_call(s.pt), BAD_CAP);
}

static void utcb_stays_for_other_capability(void)
{
	struct rt_ec ec = {.cpu = rt_cpu, .events = guest_events, .sel = sel_new()};
	struct agent a;

	agent_make(&a);
	ASSERT_OK(rt_ec_local(&ec));
	ASSERT_OK(delegate_obj(ec.sel, a.pd, 300, PERM_EC_CTRL));
	take(ec.sel, 0, PERM_EC_SC | PERM_EC_PT, REVOKE_SELF);
	EXPECT(can_write((unsigned long)ec.utcb));
	ASSERT_OK(rt_revoke(ec.sel));
	EXPECT(!can_read((unsigned long)ec.utcb));
}

/* A handler that revokes its own portal and EC goes on until its reply. */
static struct server suicidal;
static enum status in_handler[2];

static void revoke_myself(struct utcb *u, void *what)
{
	if ((unsigned long)what & 1)
		in_handler[0] = rt_revoke(suicidal.pt);
	if ((unsigned long)what & 2)
		in_handler[1] = rt_revoke(suicidal.ec.sel);
	if (!((unsigned long)what & 2))
		rt_msg(u, 0, 0);
}

static void portal_in_use(void)
{
	server_make(&suicidal, revoke_myself, (void *)1);
	EXPECT_OK(hc_call(suicidal.pt));
	EXPECT_OK(in_handler[0]);
	EXPECT_ST(hc_call(suicidal.pt), BAD_CAP);
}

/* With all references gone the EC is destroyed in the middle of its call, and the caller hears of it. */
static void ec_in_use(void)
{
	server_make(&suicidal, revoke_myself, (void *)3);
	EXPECT_ST(hc_call(suicidal.pt), ABORT);
}

/* The callee in the middle of a chain is destroyed by somebody else: see suite `ipc`. Here: the SC of a thread. */
static volatile unsigned long turns;
static sel_t turn_sm;

static void count_turns(RT_UNUSED void *unused)
{
	for (;;) {
		hc_sm_down(turn_sm);
		turns++;
	}
}

static void scheduling_context(void)
{
	struct rt_ec ec;

	turns = 0;
	turn_sm = sm_make(0);
	thread_make(&ec, 3, count_turns, NULL);
	EXPECT_OK(hc_sm_up(turn_sm));
	EXPECT_EQ(turns, 1);
	ASSERT_OK(rt_revoke(ec.sc));
	EXPECT_OK(hc_sm_up(turn_sm));
	EXPECT_EQ(turns, 1); /* nothing runs it any more */
	ASSERT_OK(rt_sc(&ec.sc, ec.sel, 3));
	EXPECT_EQ(turns, 2); /* the new one finds it where the up had put it */
}

/* A thread that takes its own SC away never comes back, and does no harm. */
static void revoke_own_sc(void *ec)
{
	turns = 1;
	EXPECT_OK(rt_revoke(((struct rt_ec *)ec)->sc));
	turns = 2;
}

static void own_scheduling_context(void)
{
	struct rt_ec ec;

	thread_make(&ec, 3, revoke_own_sc, &ec);
	EXPECT_EQ(turns, 1);
	EXPECT(sel_empty(ec.sc));
	ASSERT_OK(rt_revoke(ec.sel));
}

/* EC and SC together, from within: first the EC's capability, then the SC. */
static void revoke_own_ec(void *p)
{
	const struct rt_ec *ec = p;

	turns = 1;
	EXPECT_OK(rt_revoke(ec->sel));
	turns = 2;
	EXPECT_OK(rt_revoke(ec->sc));
	turns = 3;
}

static void own_execution_context(void)
{
	struct rt_ec ec;

	thread_make(&ec, 3, revoke_own_ec, &ec);
	EXPECT(turns == 2 || turns == 3); /* the SC refers to it; then nothing does */
	EXPECT(sel_empty(ec.sc));
	EXPECT(!can_read((unsigned long)ec.utcb));
}

/* When a PD's last capability goes, what it holds is revoked with all derived from it; its ECs go on. */
static void pd_teardown(void)
{
	struct agent a, b;
	sel_t s = sm_make(0), back = sel_new();

	agent_make(&a);
	agent_make(&b);
	ASSERT_OK(delegate_obj(s, a.pd, 100, PERM_ALL));
	ASSERT_OK(hc_delegate(a.pd, b.pd, rt_obj(100, 0, PERM_ALL), ITEM_DELEGATE, rt_obj(200, 0, PERM_ALL), NULL));
	ASSERT_OK(hc_delegate(a.pd, RT_SEL_PD, rt_obj(100, 0, PERM_ALL), ITEM_DELEGATE, rt_obj(back, 0, PERM_ALL),
			      NULL));
	EXPECT_OK(hc_sm_up(back));
	ASSERT_OK(rt_revoke(a.pd));
	EXPECT_EQ(agent_lookup(&b, rt_obj(200, 0, 0)), 0);
	EXPECT(sel_empty(back));
	EXPECT_EQ(sel_perm(s), 3);
	EXPECT_EQ(agent_lookup(&a, rt_obj(100, 0, 0)), 0); /* its portal still answers, its space is empty */
	EXPECT_EQ(agent_lookup(&a, rt_obj(6, 0, 0)), 0);
}

/* Objects that a PD created itself, and nobody else knows, end with it. */
static void pd_teardown_destroys(void)
{
	struct agent a;
	struct rt_ec ec;
	sel_t seen = sel_new();

	agent_make(&a);
	ASSERT_OK(delegate_obj(a.pd, a.pd, 900, PERM_ALL));
	struct hc_regs r = {HC_ARG1(HC_CREATE_SM, 0, 901), 900, 0, 0, 0};

	EXPECT_OK(agent_hc(&a, &r));
	ASSERT_OK(hc_delegate(a.pd, RT_SEL_PD, rt_obj(901, 0, PERM_ALL), ITEM_DELEGATE, rt_obj(seen, 0, PERM_ALL),
			      NULL));
	waiting = woken = woken_well = 0;
	thread_make(&ec, 3, wait_on, (void *)seen);
	ASSERT_EQ(waiting, 1);
	ASSERT_OK(rt_revoke(a.pd)); /* also takes the PD's capability to itself */
	EXPECT(sel_empty(seen));
	EXPECT_EQ(woken_well, 1);
}

/* Selectors can be used again at once; a new object has nothing of the old one. */
static void reuse(void)
{
	sel_t sel = sel_new();

	for (unsigned i = 0; i < 200; i++) {
		ASSERT_OK(hc_create_sm(sel, RT_SEL_PD, i));
		EXPECT_ST(hc_call(sel), BAD_CAP);
		ASSERT_OK(rt_revoke(sel));
		EXPECT_ST(hc_sm_up(sel), BAD_CAP);
		ASSERT_OK(hc_create_pd(sel, RT_SEL_PD, 0, 0));
		EXPECT_ST(hc_sm_up(sel), BAD_CAP);
		ASSERT_OK(rt_revoke(sel));
	}
}

/* A PD's capability delegated into itself does not keep it alive for ever: teardown breaks the circle. */
static void pd_holds_itself(void)
{
	struct agent a;

	agent_make(&a);
	ASSERT_OK(delegate_obj(a.pd, a.pd, 700, PERM_ALL));
	EXPECT_EQ(crd_kind(agent_lookup(&a, rt_obj(700, 0, 0))), CRD_OBJ);
	ASSERT_OK(rt_revoke(a.pd));
	EXPECT_EQ(agent_lookup(&a, rt_obj(700, 0, 0)), 0);
}

static const struct test tests[] = {
	TEST(below),
	TEST(with_self),
	TEST(in_the_middle),
	TEST(some_permissions),
	TEST(last_permission),
	TEST(ranges),
	TEST(huge_range),
	TEST(across_pds),
	TEST(many_children),
	TEST(semaphore_with_waiters),
	TEST(portals),
	TEST(ec_without_capability),
	TEST(utcb_stays_for_other_capability),
	TEST(portal_in_use),
	TEST(ec_in_use),
	TEST(scheduling_context),
	TEST(own_scheduling_context),
	TEST(own_execution_context),
	TEST(pd_teardown),
	TEST(pd_teardown_destroys),
	TEST(reuse),
	TEST(pd_holds_itself),
};

bool main(void)
{
	return guest_run("revoke", tests, RT_ARRAY(tests));
}
