/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose kernel memory it is: what PDs use and may use (MEMORY_CTRL). A PD with an allowance runs out of memory alone,
 * whatever it makes, receives or has others make in it; and all of it comes back.
 */
#include "guest.h"

#include "rt/hip.h"
#include "rt/map.h"
#include "rt/memory_ctrl.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/pool.h"
#include "rt/start.h"

#define KiB 1024ul
#define ALLOWANCE (256 * KiB)
#define SM_BYTES 64
#define MANY 0x100000 /* selectors of very many objects: less than GUEST_NOTHING */
#define MANY_ORDER 16
#define LEVELS 32
#define SLOTS_PER_PAGE 128
#define AGENT_SM 100 /* selectors in an agent's PD */
#define AGENT_PT 101
#define TYPED_MAX 254

static struct hc_memory look(sel_t pd)
{
	struct hc_memory m;

	ASSERT_OK(hc_memory_look(pd, &m));
	return m;
}

/* A PD that may have so much more than it has now. */
static sel_t limited(unsigned long bytes)
{
	sel_t pd = sel_new();

	ASSERT_OK(hc_create_pd(pd, RT_SEL_PD, 0, 0));
	ASSERT_OK(hc_memory_move(pd, RT_SEL_PD, bytes));
	return pd;
}

/* Memory of what was deleted is free after a grace period. */
static bool used_is(sel_t pd, unsigned long bytes)
{
	for (unsigned i = 0; i < 20000 && look(pd).used != bytes; i++)
		hc_yield();
	return look(pd).used == bytes;
}
static bool left_is(sel_t pd, unsigned long bytes)
{
	for (unsigned i = 0; i < 20000 && look(pd).left != bytes; i++)
		hc_yield();
	return look(pd).left == bytes;
}

/* The root's own pages of slots are there and stay, for what the test creates at [MANY, MANY + n). */
static bool keeps_a_page(unsigned long i)
{
	return i % SLOTS_PER_PAGE == 0;
}
static void keep_pages(unsigned long n)
{
	for (unsigned long i = 0; i < n; i += SLOTS_PER_PAGE)
		ASSERT_OK(hc_create_sm(MANY + i, RT_SEL_PD, 0));
}

static unsigned long fill(sel_t parent)
{
	unsigned long n = 0;
	enum status st;

	while ((st = hc_create_sm(MANY + n, parent, 0)) == SUCCESS)
		n++;
	EXPECT_EQ(st, OOM);
	return n;
}

static void empty(void)
{
	EXPECT_OK(hc_revoke(rt_obj(MANY, MANY_ORDER, PERM_ALL), REVOKE_SELF, 0));
}

static void announced(void)
{
	EXPECT(rt_hip->api_flg & HIP_EXT_MEMORY);
}

static void arguments(void)
{
	sel_t pd = limited(ALLOWANCE), weak = sel_new(), sm = sm_make(0);
	struct hc_memory before = look(pd), after;

	ASSERT_OK(delegate_obj(pd, RT_SEL_PD, weak, 0x1e)); /* all but the permission to create */
	if (sel_empty(weak))
		weak = GUEST_NOTHING;
	for (unsigned op = 2; op < 16; op++)
		EXPECT_ST(hc_3(HC_ARG1(HC_MEMORY_CTRL, op, pd), RT_SEL_PD, 0), BAD_PAR);
	EXPECT_ST(hc_memory_look(GUEST_NOTHING, &after), BAD_CAP);
	EXPECT_ST(hc_memory_look(weak, &after), BAD_CAP);
	EXPECT_ST(hc_memory_look(sm, &after), BAD_CAP);
	EXPECT_ST(hc_memory_look(HEDRON_SEL_NUM, &after), BAD_CAP);
	EXPECT_ST(hc_memory_move(GUEST_NOTHING, RT_SEL_PD, 0), BAD_CAP);
	EXPECT_ST(hc_memory_move(pd, GUEST_NOTHING, 0), BAD_CAP);
	EXPECT_ST(hc_memory_move(weak, RT_SEL_PD, 0), BAD_CAP);
	EXPECT_ST(hc_memory_move(pd, weak, 0), BAD_CAP);
	EXPECT_ST(hc_memory_move(pd, sm, 0), BAD_CAP);
	EXPECT_ST(hc_memory_move(pd, pd, 0), BAD_PAR);
	EXPECT_ST(hc_memory_move(pd, RT_SEL_PD, ~0ul), OOM);
	EXPECT_ST(hc_memory_move(pd, RT_SEL_PD, 1ul << 63), OOM);
	EXPECT_ST(hc_memory_move(pd, RT_SEL_PD, look(RT_SEL_PD).left + 1), OOM);
	EXPECT_ST(hc_memory_move(RT_SEL_PD, pd, before.left + 1), OOM);
	after = look(pd);
	EXPECT_EQ(after.used, before.used);
	EXPECT_EQ(after.allowance, before.allowance);
	EXPECT_EQ(after.left, before.left);
}

/* The registers of a refused hypercall stay. */
static void refusals_change_nothing(void)
{
	struct hc_regs r = {HC_ARG1(HC_MEMORY_CTRL, MEMORY_CTRL_LOOK, GUEST_NOTHING), 1, 2, 3, 4};

	EXPECT_ST(hc_raw(&r), BAD_CAP);
	EXPECT_EQ(r.rsi, 1);
	EXPECT_EQ(r.rdx, 2);
	EXPECT_EQ(r.rax, 3);
	EXPECT_EQ(r.r8, 4);
}

/* Each kind of object is paid for by the PD that it is made in, and the memory comes back. */
static void kinds_of_objects(void)
{
	sel_t pd = limited(ALLOWANCE), obj = sel_new(), local = sel_new(), global = sel_new();
	unsigned long empty = look(pd).used, with;

	ASSERT_OK(hc_create_sm(obj, pd, 0));
	EXPECT_EQ(look(pd).used, empty + SM_BYTES);
	EXPECT_OK(rt_revoke(obj));
	EXPECT(used_is(pd, empty));
	ASSERT_OK(hc_create_kp(obj, pd));
	EXPECT(look(pd).used > empty + RT_PAGE);
	EXPECT_OK(rt_revoke(obj));
	EXPECT(used_is(pd, empty));
	ASSERT_OK(hc_create_ec(local, pd, rt_cpu, 0, 0, GUEST_NOTHING, 0));
	EXPECT(look(pd).used > empty + RT_PAGE + 512); /* the UTCB and extended state */
	with = look(pd).used;
	ASSERT_OK(hc_create_pt(obj, pd, local, 0, 0));
	EXPECT(look(pd).used > with && look(pd).used < with + RT_PAGE);
	EXPECT_OK(rt_revoke(obj));
	EXPECT_OK(rt_revoke(local));
	EXPECT(used_is(pd, empty));
	/* An object's payer is the PD that it was made in, not that of the EC that it belongs to. */
	ASSERT_OK(hc_create_ec(global, RT_SEL_PD, rt_cpu, 0, 0, GUEST_NOTHING, CREATE_EC_GLOBAL));
	ASSERT_OK(hc_create_sc(obj, pd, global, 1, 1));
	EXPECT(look(pd).used > empty && look(pd).used < empty + RT_PAGE);
	EXPECT_OK(rt_revoke(obj));
	EXPECT(used_is(pd, empty));
}

/* Tables are paid for by the PD whose space they are, whoever delegates. */
static void tables(void)
{
	sel_t pd = limited(ALLOWANCE), sm = sm_make(0);
	unsigned long page = (unsigned long)rt_pages(1), before = look(pd).used;

	ASSERT_OK(delegate_obj(sm, pd, 0x300000, PERM_ALL));
	EXPECT_EQ(look(pd).used, before + 3 * RT_PAGE);
	before = look(pd).used;
	ASSERT_OK(delegate_obj(sm, pd, 0x300001, PERM_ALL));
	EXPECT_EQ(look(pd).used, before);
	ASSERT_OK(hc_delegate(RT_SEL_PD, pd, rt_mem(page, 0, PERM_MEM_R), ITEM_DELEGATE,
			      rt_mem(0x500000000000, 0, PERM_MEM_R), NULL));
	EXPECT_EQ(look(pd).used, before + 3 * RT_PAGE);
	before = look(pd).used;
	ASSERT_OK(
		hc_delegate(RT_SEL_PD, pd, rt_pio(0x80, 0), ITEM_DELEGATE | ITEM_HYPERVISOR, rt_pio(0x80, 0), NULL));
	EXPECT(look(pd).used >= before + 3 * RT_PAGE);
}

static void allowance_is_the_limit(void)
{
	sel_t pd = limited(ALLOWANCE), other = sel_new();
	unsigned long empty_used = look(pd).used;

	EXPECT_EQ(look(pd).allowance, empty_used + ALLOWANCE);
	EXPECT_EQ(look(pd).left, ALLOWANCE);
	EXPECT_EQ(fill(pd), ALLOWANCE / SM_BYTES);
	EXPECT_EQ(look(pd).left, 0);
	EXPECT_ST(hc_create_pd(other, pd, 0, 0), OOM);
	EXPECT_ST(hc_create_kp(other, pd), OOM);
	EXPECT_ST(hc_create_ec(other, pd, rt_cpu, 0, 0, GUEST_NOTHING, 0), OOM);
	EXPECT(sel_empty(other));
	EXPECT_OK(hc_create_kp(other, RT_SEL_PD)); /* that is nobody else's affair */
	EXPECT_OK(hc_memory_move(pd, RT_SEL_PD, SM_BYTES));
	EXPECT_OK(hc_create_sm(sel_new(), pd, 0));
	EXPECT_ST(hc_create_sm(sel_new(), pd, 0), OOM);
	empty();
	EXPECT(used_is(pd, empty_used + SM_BYTES));
}

/* A PD without an allowance takes from its creator's, and gives back what the creator needs. */
static void drawing_on_the_creator(void)
{
	sel_t boss = limited(ALLOWANCE), child = sel_new(), grandchild = sel_new();
	unsigned long n, left = look(boss).left;

	ASSERT_OK(hc_create_pd(child, boss, 0, 0));
	ASSERT_OK(hc_create_pd(grandchild, child, 0, 0));
	EXPECT_EQ(look(child).allowance, 0);
	EXPECT(look(boss).left < left);
	n = fill(grandchild);
	EXPECT(n > 1000 && n < ALLOWANCE / SM_BYTES);
	EXPECT(look(grandchild).used >= n * SM_BYTES && look(grandchild).left == 0);
	EXPECT_ST(hc_create_sm(sel_new(), boss, 0), OOM);
	EXPECT_ST(hc_create_sm(sel_new(), child, 0), OOM);
	empty();
	EXPECT_EQ(fill(boss), n); /* also what the grandchild has had */
	empty();
	EXPECT_OK(rt_revoke(grandchild));
	EXPECT_OK(rt_revoke(child));
	EXPECT(left_is(boss, left));
}

static void transfers(void)
{
	sel_t a = limited(ALLOWANCE), b = limited(ALLOWANCE), inner = sel_new();
	unsigned long root = look(RT_SEL_PD).left, used_a = look(a).used, used_b = look(b).used;

	EXPECT_OK(hc_memory_move(b, a, ALLOWANCE)); /* brother to brother */
	EXPECT_EQ(look(a).left, 0);
	EXPECT_EQ(look(a).allowance, used_a);
	EXPECT_EQ(look(b).allowance, used_b + 2 * ALLOWANCE);
	EXPECT_EQ(look(b).left, 2 * ALLOWANCE);
	EXPECT_EQ(look(RT_SEL_PD).left, root);
	EXPECT_OK(hc_memory_move(RT_SEL_PD, b, 2 * ALLOWANCE)); /* and back */
	EXPECT_EQ(look(b).left, 0);
	EXPECT_EQ(look(RT_SEL_PD).left, root + 2 * ALLOWANCE);
	EXPECT_OK(hc_memory_move(a, RT_SEL_PD, ALLOWANCE));
	ASSERT_OK(hc_create_pd(inner, a, 0, 0));
	EXPECT_OK(hc_memory_move(inner, a, ALLOWANCE / 4));
	EXPECT_EQ(look(inner).left, ALLOWANCE / 4);
	EXPECT_OK(hc_memory_move(b, inner, ALLOWANCE / 4)); /* to an uncle */
	EXPECT_EQ(look(b).left, ALLOWANCE / 4);
	EXPECT_EQ(look(inner).left, 0);
	EXPECT_OK(hc_memory_move(inner, b, ALLOWANCE / 4));
	EXPECT_OK(rt_revoke(inner));
	EXPECT(left_is(a, ALLOWANCE));
	EXPECT_OK(rt_revoke(a));
	EXPECT_OK(rt_revoke(b));
	EXPECT(left_is(RT_SEL_PD, root + 2 * ALLOWANCE + used_a + used_b));
}

/* Also what outlives the PD: it stays paid for until it goes. */
static void destroying_returns_everything(void)
{
	unsigned long n = 1000;
	sel_t holds_the_page = sm_make(0), pd, child = sel_new(), late = sel_new();

	(void)holds_the_page; /* of the selectors that follow */
	keep_pages(n);
	unsigned long root = look(RT_SEL_PD).left;
	pd = limited(ALLOWANCE);
	ASSERT_OK(hc_create_pd(child, pd, 0, 0));
	for (unsigned long i = 0; i < n; i++)
		if (!keeps_a_page(i))
			ASSERT_OK(hc_create_sm(MANY + i, i % 2 ? pd : child, 0));
	EXPECT_OK(rt_revoke(pd));
	EXPECT_OK(hc_create_sm(late, child, 0)); /* draws on whoever paid for `pd` now */
	EXPECT_OK(rt_revoke(child));
	EXPECT(look(RT_SEL_PD).left < root);
	for (unsigned long i = 0; i < n; i++)
		if (!keeps_a_page(i))
			EXPECT_OK(rt_revoke(MANY + i));
	EXPECT_OK(rt_revoke(late));
	EXPECT(left_is(RT_SEL_PD, root));
	empty();
}

static void nested_allowances(void)
{
	sel_t up = RT_SEL_PD, last;
	unsigned levels = 0;
	enum status st;

	do {
		last = sel_new();
		ASSERT_OK(hc_create_pd(last, up, 0, 0));
		st = hc_memory_move(last, up, (LEVELS + 2 - levels) * 256 * KiB);
		up = last;
	} while (st == SUCCESS && ++levels < 2 * LEVELS);
	EXPECT_EQ(st, BAD_PAR);
	EXPECT(levels >= LEVELS - 2 && levels <= LEVELS);
	EXPECT_EQ(look(last).allowance, 0);
	EXPECT_OK(hc_create_sm(sel_new(), last, 0)); /* it goes on without */
}

/* ---- Pages of slots ---- */

#define SPARSE 0x1000000ul /* selectors */
#define SPARSE_ORDER 24
#define FEW (64 * KiB)

static void make_sparse(unsigned long n, unsigned long count)
{
	for (unsigned long i = 0; i < count; i++)
		ASSERT_OK(hc_create_sm(SPARSE + (n + i) * SLOTS_PER_PAGE, RT_SEL_PD, 0));
}

/* One semaphore after the other: as many pages as the heap has not. */
static void empty_pages_go_back(void)
{
	unsigned long used = look(RT_SEL_PD).used;

	for (unsigned long n = 0; n < 20000; n++) {
		sel_t sm = SPARSE + n * SLOTS_PER_PAGE + n % SLOTS_PER_PAGE;
		ASSERT_OK(hc_create_sm(sm, RT_SEL_PD, 0));
		ASSERT_OK(hc_sm_up(sm));
		ASSERT_OK(rt_revoke(sm));
		ASSERT(hc_sm_up(sm) == BAD_CAP);
	}
	for (unsigned i = 0; i < 20000 && look(RT_SEL_PD).used > used + FEW; i++)
		hc_yield();
	EXPECT(look(RT_SEL_PD).used <= used + FEW);
}

/* A revocation looks at the pages that it has emptied. */
static void emptied_by_a_range(void)
{
	unsigned long used = look(RT_SEL_PD).used;

	for (unsigned round = 0; round < 10; round++) {
		make_sparse(0, 1000);
		EXPECT_OK(hc_revoke(rt_obj(SPARSE, SPARSE_ORDER, PERM_ALL), REVOKE_SELF, 0));
	}
	EXPECT(look(RT_SEL_PD).used <= used + FEW);
}

/* Pages come and go at the same selectors; what is created is found at once, what is deleted is not found. */
static void found_where_a_page_was(void)
{
	for (unsigned long n = 0; n < 3000; n++) {
		sel_t sm = SPARSE + n % 7 * 0x10000 + n % 5;
		ASSERT_OK(hc_create_sm(sm, RT_SEL_PD, 0));
		ASSERT_OK(hc_sm_up(sm));
		ASSERT(sel_empty(sm + 1));
		ASSERT_OK(rt_revoke(sm));
		ASSERT(sel_empty(sm));
	}
}

/* When there is no more memory, also those that nobody has looked at. */
static void empty_pages_when_memory_is_short(void)
{
	sel_t pd = limited(2 * ALLOWANCE), sm = sm_make(0);
	unsigned long n = 0;

	while (delegate_obj(sm, pd, n * SLOTS_PER_PAGE, PERM_ALL) == SUCCESS)
		n++;
	EXPECT(n > 100);
	EXPECT_OK(hc_revoke(rt_obj(sm, 0, PERM_ALL), 0, 0));
	for (unsigned long i = 0; i < n; i++)
		ASSERT_OK(delegate_obj(sm, pd, (n + i) * SLOTS_PER_PAGE, PERM_ALL));
}

/* ---- The attack: a domain that may create nothing sends messages to itself ---- */

/* In the agent's PD: an item for each of the next pages of slots. */
static unsigned long send_to_itself(unsigned long first, unsigned long from, unsigned long to)
{
	struct utcb *u = (struct utcb *)from;

	((struct utcb *)to)->del = rt_obj(0, 26, PERM_ALL);
	for (unsigned i = 0; i < TYPED_MAX; i++)
		rt_item(u, i, rt_obj(AGENT_SM, 0, PERM_ALL), (first + i) * SLOTS_PER_PAGE << 12 | ITEM_DELEGATE);
	rt_msg(u, 0, TYPED_MAX);
	return hc_call(AGENT_PT);
}

static void listen(struct utcb *u, RT_UNUSED void *unused)
{
	rt_msg(u, 0, 0);
}

static void messages_to_itself(void)
{
	struct agent a;
	struct server self;
	sel_t pd = pd_make(), sm = sm_make(0);

	agent_make_in(&a, pd);
	server_make_in(&self, pd, 0, listen, NULL);
	ASSERT_OK(delegate_obj(sm, pd, AGENT_SM, PERM_ALL));
	ASSERT_OK(delegate_obj(self.pt, pd, AGENT_PT, PERM_ALL));
	ASSERT_OK(hc_memory_move(pd, RT_SEL_PD, ALLOWANCE));
	unsigned long root = look(RT_SEL_PD).left;

	for (unsigned i = 0; i < 30; i++)
		EXPECT_OK(agent_do(&a, send_to_itself, 1 + i * TYPED_MAX, (unsigned long)a.server.ec.utcb,
				   (unsigned long)self.ec.utcb));
	EXPECT(look(pd).left < RT_PAGE);
	EXPECT_EQ(look(RT_SEL_PD).left, root);
	EXPECT_OK(hc_create_kp(sel_new(), RT_SEL_PD));
}

static const struct test tests[] = {
	TEST(announced),
	TEST(arguments),
	TEST(refusals_change_nothing),
	TEST(kinds_of_objects),
	TEST(tables),
	TEST(allowance_is_the_limit),
	TEST(drawing_on_the_creator),
	TEST(transfers),
	TEST(destroying_returns_everything),
	TEST(nested_allowances),
	TEST(empty_pages_go_back),
	TEST(emptied_by_a_range),
	TEST(found_where_a_page_was),
	TEST(empty_pages_when_memory_is_short),
	TEST(messages_to_itself),
};

bool main(void)
{
	return guest_run("account", tests, RT_ARRAY(tests));
}
