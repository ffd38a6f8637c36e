/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capabilities of objects: look-ups, permissions, delegation, translation, and the arithmetic of windows.
 *
 * Everything a program may do is decided by its capabilities, and everything it passes on goes through two windows:
 * the range it offers and the range the receiver opened. The kernel narrows the larger to the smaller with the help
 * of a hotspot, and cuts permissions to what both sides and the source have. An error in this arithmetic is an
 * escalation of privilege, so it is tried with every relation of the two windows: smaller, larger, equal, shifted,
 * with hotspots that lie in and out of range, bases that are not aligned, selectors at and beyond the end.
 *
 * The answer describes the window, not what was found in it, so every test looks at both: at the CRD that comes back
 * and at the receiver's object space. Delegation never overwrites, and never grants what the source lacks.
 *
 * The same rules hold for the hypercall and for items in messages (suite `item`); here it is mostly the hypercall,
 * which needs no partner.
 */
#include "guest.h"

#include "rt/hip.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/pool.h"
#include "rt/start.h"

#define PD_PERM PERM_PD_CREATE

static struct utcb_item got;

/* Delegates within the own PD unless said otherwise; the result is in `got`. */
static enum status give(sel_t from_pd, sel_t to_pd, crd_t from, unsigned long meta, crd_t to)
{
	got = (struct utcb_item){~0ul, ~0ul};
	return hc_delegate(from_pd, to_pd, from, meta, to, &got);
}
#define EXPECT_GIVEN(from, meta, to) EXPECT_OK(give(RT_SEL_PD, RT_SEL_PD, from, meta, to))

static void lookup_kinds(void)
{
	sel_t pd = sel_new(), ec = sel_new(), sc = sel_new(), pt = sel_new(), sm = sm_make(0), global = sel_new();

	ASSERT_OK(hc_create_pd(pd, RT_SEL_PD, 0, 0));
	ASSERT_OK(hc_create_ec(ec, RT_SEL_PD, rt_cpu, 0, 0, GUEST_NOTHING, 0));
	ASSERT_OK(hc_create_ec(global, RT_SEL_PD, rt_cpu, 0, 0, GUEST_NOTHING, CREATE_EC_GLOBAL));
	ASSERT_OK(hc_create_sc(sc, RT_SEL_PD, global, RT_PRIO, 1));
	ASSERT_OK(hc_create_pt(pt, RT_SEL_PD, ec, 0, 0));
	EXPECT_EQ(sel_perm(pd), sel_perm(RT_SEL_PD));
	EXPECT(sel_perm(pd) & PD_PERM);
	EXPECT_EQ(sel_perm(ec), PERM_EC_CTRL | PERM_EC_SC | PERM_EC_PT);
	EXPECT_EQ(sel_perm(global), PERM_EC_CTRL | PERM_EC_SC | PERM_EC_PT);
	EXPECT_EQ(sel_perm(sc), PERM_SC_CTRL);
	EXPECT_EQ(sel_perm(pt), PERM_PT_CTRL | PERM_PT_CALL);
	EXPECT_EQ(sel_perm(sm), PERM_SM_UP | PERM_SM_DOWN);
}

/* The answer is the capability's own description, whatever else the question says. */
static void lookup_answers(void)
{
	sel_t sm = sm_make(0);
	crd_t found;

	for (unsigned order = 0; order < 32; order++) {
		ASSERT_OK(hc_lookup(rt_obj(sm, order, order), &found));
		EXPECT_EQ(found, rt_obj(sm, 0, 3));
	}
	ASSERT_OK(hc_lookup(rt_obj(GUEST_NOTHING, 0, PERM_ALL), &found));
	EXPECT_EQ(found, 0);
	ASSERT_OK(hc_lookup(rt_mem(0x400000, 0, PERM_ALL), &found));
	EXPECT_EQ(found, 0);
	ASSERT_OK(hc_lookup(0, &found));
	EXPECT_EQ(found, 0);
	ASSERT_OK(hc_lookup(sm << 12, &found));
	EXPECT_EQ(found, 0);
}

/* A selector that was looked up while empty shows what is created there later, and the other way round. */
static void lookup_is_fresh(void)
{
	for (unsigned i = 0; i < 3; i++) {
		sel_t sel = 0x3000000 + 0x1000 * i;

		EXPECT(sel_empty(sel));
		EXPECT_ST(hc_sm_up(sel), BAD_CAP);
		ASSERT_OK(hc_create_sm(sel, RT_SEL_PD, 0));
		EXPECT(!sel_empty(sel));
		EXPECT_OK(hc_sm_up(sel));
		ASSERT_OK(rt_revoke(sel));
		EXPECT(sel_empty(sel));
		EXPECT_ST(hc_sm_up(sel), BAD_CAP);
	}
}

static void permissions(void)
{
	sel_t sm = sm_make(0);

	for (unsigned from = 0; from < 32; from++)
		for (unsigned to = 0; to < 32; to++) {
			sel_t sel = sel_new();

			EXPECT_GIVEN(rt_obj(sm, 0, from), ITEM_DELEGATE, rt_obj(sel, 0, to));
			EXPECT_EQ(got.crd, from & to ? rt_obj(sel, 0, from & to) : 0);
			EXPECT_EQ(sel_perm(sel), from & to & 3);
		}
}

/* What the source lacks is not granted, though the answer, which knows the CRDs only, says so. */
static void permissions_shrink(void)
{
	sel_t sm = sm_make(0), up = sel_new(), more = sel_new(), none = sel_new();

	ASSERT_OK(delegate_obj(sm, RT_SEL_PD, up, PERM_SM_UP));
	EXPECT_GIVEN(rt_obj(up, 0, PERM_ALL), ITEM_DELEGATE, rt_obj(more, 0, PERM_ALL));
	EXPECT_EQ(got.crd, rt_obj(more, 0, PERM_ALL));
	EXPECT_EQ(sel_perm(more), PERM_SM_UP);
	EXPECT_OK(hc_sm_up(more));
	EXPECT_ST(hc_sm_down(more), BAD_CAP);
	EXPECT_GIVEN(rt_obj(up, 0, PERM_SM_DOWN), ITEM_DELEGATE, rt_obj(none, 0, PERM_SM_DOWN));
	EXPECT_EQ(got.crd, rt_obj(none, 0, PERM_SM_DOWN));
	EXPECT(sel_empty(none));
}

/* Undefined permission bits grant nothing and are not kept. */
static void undefined_permissions(void)
{
	sel_t sm = sm_make(0), to = sel_new();

	EXPECT_GIVEN(rt_obj(sm, 0, 28), ITEM_DELEGATE, rt_obj(to, 0, 28));
	EXPECT_EQ(got.crd, rt_obj(to, 0, 28));
	EXPECT(sel_empty(to));
}

/*
 * Windows. The source has semaphores in all of 16 selectors, the target is an empty block; which of the 16 arrives
 * where is told by their permissions.
 */
struct clamp {
	unsigned from, from_order, to, to_order, hotspot; /* relative to the blocks; hotspot as such */
	unsigned first, landing, order;                   /* expected: first source, where, how many */
};

static const struct clamp clamps[] = {
	{3, 0, 5, 0, 0, 3, 5, 0},     {3, 0, 5, 0, 0xfff, 3, 5, 0}, /* equal: no hotspot needed */
	{4, 2, 8, 2, 3, 4, 8, 2},     {3, 0, 0, 4, 7, 3, 7, 0},     /* the receiver's is larger */
	{3, 0, 0, 4, 0, 3, 0, 0},     {3, 0, 0, 4, 15, 3, 15, 0},
	{3, 0, 8, 3, 2, 3, 10, 0},    {3, 0, 8, 3, 10, 3, 10, 0}, /* only the hotspot's bits in the window count */
	{4, 1, 0, 4, 6, 4, 6, 1},     {4, 1, 0, 4, 7, 4, 6, 1},   /* ... and not those below the order */
	{4, 1, 0, 4, 0xff6, 4, 6, 1}, {0, 4, 6, 0, 9, 9, 6, 0},   /* the sender's is larger */
	{0, 4, 6, 1, 9, 8, 6, 1},     {0, 4, 4, 2, 0xe, 12, 4, 2},
	{8, 3, 6, 1, 2, 10, 6, 1},    {8, 3, 6, 1, 0xf5, 12, 6, 1},
	{5, 1, 7, 1, 0, 4, 6, 1},     {7, 2, 9, 2, 0, 4, 8, 2}, /* bases that are not aligned */
	{0, 4, 0, 4, 5, 0, 0, 4},
};

static sel_t source_block(void)
{
	sel_t block = sel_block(4);

	for (unsigned i = 0; i < 16; i++)
		ASSERT_OK(hc_create_sm(block + i, RT_SEL_PD, i));
	return block;
}

static void windows(void)
{
	for (unsigned i = 0; i < RT_ARRAY(clamps); i++) {
		const struct clamp *c = &clamps[i];
		sel_t from = source_block(), to = sel_block(4);
		sel_t landing = to + c->landing;

		/* Each source has permissions of its own: those of an even one lack `up`. */
		for (unsigned s = 0; s < 16; s += 2)
			ASSERT_OK(hc_revoke(rt_obj(from + s, 0, PERM_SM_UP), REVOKE_SELF, 0));
		EXPECT_GIVEN(rt_obj(from + c->from, c->from_order, PERM_ALL),
			     (unsigned long)c->hotspot << 12 | ITEM_DELEGATE,
			     rt_obj(to + c->to, c->to_order, PERM_ALL));
		if (got.crd != rt_obj(landing, c->order, PERM_ALL) || got.meta != ITEM_DELEGATE)
			test_fail(__FILE__, __LINE__, "row %u: item %lx %lx, expected %lx", i, got.crd, got.meta,
				  rt_obj(landing, c->order, PERM_ALL));
		for (unsigned t = 0; t < 16; t++) {
			bool expected = t >= c->landing && t < c->landing + (1u << c->order);
			unsigned source = c->first + t - c->landing;
			unsigned perm = !expected ? 0 : source & 1 ? 3 : PERM_SM_DOWN;

			if (sel_perm(to + t) != perm)
				test_fail(__FILE__, __LINE__, "row %u, selector %u: permissions %u, expected %u", i,
					  t, sel_perm(to + t), perm);
		}
		ASSERT_OK(hc_revoke(rt_obj(from, 4, PERM_ALL), REVOKE_SELF, 0));
	}
}

static void never_overwrites(void)
{
	sel_t from = sel_block(2), to = sel_block(2), other = sm_make(0);

	for (unsigned i = 0; i < 4; i++)
		ASSERT_OK(hc_create_sm(from + i, RT_SEL_PD, 0));
	ASSERT_OK(delegate_obj(other, RT_SEL_PD, to + 1, PERM_SM_UP));
	EXPECT_GIVEN(rt_obj(from, 2, PERM_ALL), ITEM_DELEGATE, rt_obj(to, 2, PERM_ALL));
	EXPECT_EQ(got.crd, rt_obj(to, 2, PERM_ALL));
	EXPECT_EQ(sel_perm(to), 3);
	EXPECT_EQ(sel_perm(to + 1), PERM_SM_UP); /* still the other one */
	EXPECT_EQ(sel_perm(to + 2), 3);
	ASSERT_OK(rt_revoke(other));
	EXPECT(sel_empty(to + 1));
	EXPECT(!sel_empty(to + 3));
}

/* Onto itself: occupied, so nothing happens. */
static void onto_itself(void)
{
	sel_t from = source_block();

	EXPECT_GIVEN(rt_obj(from, 4, PERM_ALL), ITEM_DELEGATE, rt_obj(from, 4, PERM_ALL));
	EXPECT_EQ(got.crd, rt_obj(from, 4, PERM_ALL));
	ASSERT_OK(hc_revoke(rt_obj(from, 4, PERM_ALL), 0, 0)); /* only what is below */
	for (unsigned i = 0; i < 16; i++)
		EXPECT_EQ(sel_perm(from + i), 3);
}

static void only_what_exists(void)
{
	sel_t from = sel_block(4), to = sel_block(4);

	ASSERT_OK(hc_create_sm(from + 3, RT_SEL_PD, 0));
	ASSERT_OK(hc_create_sm(from + 12, RT_SEL_PD, 0));
	EXPECT_GIVEN(rt_obj(from, 4, PERM_ALL), ITEM_DELEGATE, rt_obj(to, 4, PERM_ALL));
	EXPECT_EQ(got.crd, rt_obj(to, 4, PERM_ALL));
	for (unsigned i = 0; i < 16; i++)
		EXPECT_EQ(sel_empty(to + i), i != 3 && i != 12);
}

/* Kinds of item: 3 is none, unknown bits are kept, bits 8..10 are for memory and ports. */
static void metadata(void)
{
	sel_t sm = sm_make(0);

	for (unsigned long meta = 0; meta < 0x1000; meta++) {
		sel_t to = GUEST_SEL + 0x8000;
		bool delegates = (meta & 3) == ITEM_DELEGATE || (meta & 3) == ITEM_TRANSLATE_DELEGATE;
		unsigned long want = (meta & 3) == ITEM_TRANSLATE_DELEGATE ? meta | 1 : meta;

		EXPECT_GIVEN(rt_obj(sm, 0, 3), meta | 0x7777000, rt_obj(to, 0, 3));
		EXPECT_EQ(got.meta, want);
		EXPECT_EQ(sel_empty(to), !delegates || (meta & ITEM_HYPERVISOR));
		EXPECT_EQ(got.crd, delegates ? rt_obj(to, 0, 3) : 0);
		if (test_failed() || (!sel_empty(to) && !EXPECT_OK(rt_revoke(to))))
			return;
	}
}

/* An item and a window of different kinds. */
static void kinds_differ(void)
{
	sel_t sm = sm_make(0), to = sel_new();
	const crd_t crds[] = {0, rt_mem(0x400000, 0, PERM_ALL), rt_pio(0x80, 0), rt_obj(sm, 0, PERM_ALL)};
	const crd_t into[] = {0, rt_mem(RT_VA - RT_PAGE, 0, PERM_ALL), rt_pio(0x80, 0), rt_obj(to, 0, PERM_ALL)};

	for (unsigned a = 0; a < 4; a++)
		for (unsigned b = 0; b < 4; b++) {
			if (a == b && a)
				continue;
			EXPECT_GIVEN(crds[a], ITEM_DELEGATE, into[b]);
			EXPECT_EQ(got.crd, 0);
			EXPECT_EQ(got.meta, ITEM_DELEGATE);
		}
	EXPECT(sel_empty(to));
	EXPECT(!can_read(RT_VA - RT_PAGE));
}

/* Selectors beyond the end, on either side, do not exist and do not alias. */
static void beyond_the_end(void)
{
	sel_t from = source_block(), to = GUEST_SEL + 0x9000;

	EXPECT_GIVEN(rt_obj(HEDRON_SEL_NUM + from, 0, PERM_ALL), ITEM_DELEGATE, rt_obj(to, 0, PERM_ALL));
	EXPECT(sel_empty(to));
	EXPECT_GIVEN(rt_obj(from, 4, PERM_ALL), ITEM_DELEGATE, rt_obj(HEDRON_SEL_NUM + to, 4, PERM_ALL));
	EXPECT(sel_empty(to));
	EXPECT_GIVEN(rt_obj(from, 0, PERM_ALL), to << 12 | ITEM_DELEGATE, rt_obj(0, 27, PERM_ALL));
	EXPECT_EQ(got.crd, rt_obj(to, 0, PERM_ALL));
	EXPECT(!sel_empty(to)); /* a window that is larger than the space, with the hotspot in it */
	ASSERT_OK(rt_revoke(to));
	EXPECT_GIVEN(rt_obj(from, 0, PERM_ALL), (HEDRON_SEL_NUM + to) << 12 | ITEM_DELEGATE, rt_obj(0, 27, PERM_ALL));
	EXPECT(sel_empty(to));
	EXPECT_GIVEN(rt_obj(0, 31, PERM_ALL), from << 12 | ITEM_DELEGATE, rt_obj(to, 0, PERM_ALL));
	EXPECT(!sel_empty(to));
	ASSERT_OK(rt_revoke(to));
}

/* The last selectors of the space are as good as any. */
static void last_selectors(void)
{
	sel_t from = source_block(), last = HEDRON_SEL_NUM - 16;

	EXPECT_GIVEN(rt_obj(from, 4, PERM_ALL), ITEM_DELEGATE, rt_obj(last, 4, PERM_ALL));
	EXPECT_EQ(sel_perm(HEDRON_SEL_NUM - 1), 3);
	EXPECT_OK(hc_sm_up(HEDRON_SEL_NUM - 1));
	ASSERT_OK(hc_revoke(rt_obj(last, 4, PERM_ALL), REVOKE_SELF, 0));
	EXPECT(sel_empty(HEDRON_SEL_NUM - 1));
}

static sel_t huge_pd;

static void walk_huge_windows(void)
{
	sel_t pd = huge_pd, sm = 0x3ffffff;

	ASSERT_OK(hc_create_sm(sm, RT_SEL_PD, 0));
	EXPECT_OK(
		give(RT_SEL_PD, pd, rt_obj(0x2000000, 25, PERM_ALL), ITEM_DELEGATE, rt_obj(0x2000000, 25, PERM_ALL)));
	EXPECT_EQ(got.crd, rt_obj(0x2000000, 25, PERM_ALL));
	EXPECT_OK(hc_revoke(rt_obj(0x2000000, 25, PERM_ALL), REVOKE_SELF | REVOKE_REMOTE, pd));
	EXPECT_OK(hc_revoke(rt_obj(0x2000000, 25, PERM_ALL), REVOKE_SELF, 0));
	EXPECT(sel_empty(sm));
}

/* Huge windows are walked quickly, because only what exists counts. */
static void huge_windows(void)
{
	huge_pd = sel_new();
	ASSERT_OK(hc_create_pd(huge_pd, RT_SEL_PD, 0, 0));
	EXPECT(guest_quick(walk_huge_windows, 2000));
}

/* Between two other PDs; what main() can name it can move, whatever its permissions on them. */
static void between_pds(void)
{
	struct agent a, b;
	sel_t sm = sm_make(0);

	agent_make(&a);
	agent_make(&b);
	ASSERT_OK(delegate_obj(sm, a.pd, 1000, 3));
	EXPECT_OK(give(a.pd, b.pd, rt_obj(1000, 0, PERM_ALL), ITEM_DELEGATE, rt_obj(2000, 0, PERM_SM_UP)));
	EXPECT_EQ(got.crd, rt_obj(2000, 0, PERM_SM_UP));
	EXPECT_EQ(agent_lookup(&a, rt_obj(1000, 0, 0)), rt_obj(1000, 0, 3));
	EXPECT_EQ(agent_lookup(&b, rt_obj(2000, 0, 0)), rt_obj(2000, 0, PERM_SM_UP));
	EXPECT_EQ(agent_lookup(&b, rt_obj(1000, 0, 0)), 0);
	/* The hypervisor flag is the roottask's: from others it is ignored. */
	EXPECT_OK(give(a.pd, b.pd, rt_obj(1000, 0, PERM_ALL), ITEM_DELEGATE | ITEM_HYPERVISOR, rt_obj(2001, 0, 3)));
	EXPECT_EQ(got.meta, ITEM_DELEGATE | ITEM_HYPERVISOR);
	EXPECT_EQ(agent_lookup(&b, rt_obj(2001, 0, 0)), rt_obj(2001, 0, 3));
	/* And an EC of another PD names PDs by its own selectors. */
	struct hc_regs r = {HC_ARG1(HC_PD_CTRL, PD_CTRL_DELEGATE, RT_SEL_PD), RT_SEL_PD, rt_obj(1000, 0, 3), 1,
			    rt_obj(1001, 0, 3)};

	EXPECT_ST(agent_hc(&a, &r), BAD_CAP);
}

static void create_pd_with_objects(void)
{
	sel_t from = source_block(), pd = sel_new();
	struct agent a;

	ASSERT_OK(hc_create_pd(pd, RT_SEL_PD, rt_obj(from + 4, 2, PERM_SM_UP), 0));
	agent_make(&a);
	for (unsigned i = 0; i < 8; i++) { /* looks through an agent's space */
		EXPECT_OK(give(pd, a.pd, rt_obj(i, 0, PERM_ALL), ITEM_DELEGATE, rt_obj(100 + i, 0, PERM_ALL)));
		EXPECT_EQ(agent_lookup(&a, rt_obj(100 + i, 0, 0)), i < 4 ? rt_obj(100 + i, 0, PERM_SM_UP) : 0);
	}
	/* They are below the source's. */
	ASSERT_OK(rt_revoke(from + 5));
	EXPECT_EQ(agent_lookup(&a, rt_obj(101, 0, 0)), 0);
	EXPECT_EQ(agent_lookup(&a, rt_obj(102, 0, 0)), rt_obj(102, 0, PERM_SM_UP));
}

/* PDs made by others have no privileges: neither the hypervisor PD as source nor ports, memory of it. */
static void others_are_not_privileged(void)
{
	struct agent a;
	unsigned long va = rt_va(1, 1);

	agent_make(&a);
	ASSERT_OK(delegate_obj(a.pd, a.pd, 5000, PERM_ALL));
	struct hc_regs mem = {HC_ARG1(HC_PD_CTRL, PD_CTRL_DELEGATE, 5000), 5000, rt_mem(0x1000, 0, 7),
			      ITEM_DELEGATE | ITEM_HYPERVISOR, rt_mem(va, 0, 7)};
	struct hc_regs pio = {HC_ARG1(HC_PD_CTRL, PD_CTRL_DELEGATE, 5000), 5000, rt_pio(0x80, 0),
			      ITEM_DELEGATE | ITEM_HYPERVISOR, rt_pio(0x80, 0)};

	EXPECT_OK(agent_hc(&a, &mem));
	EXPECT(!agent_can_read(&a, va));
	EXPECT_OK(agent_hc(&a, &pio));
	EXPECT(!agent_can_in(&a, 0x80));
}

static const struct test tests[] = {
	TEST(lookup_kinds),
	TEST(lookup_answers),
	TEST(lookup_is_fresh),
	TEST(permissions),
	TEST(permissions_shrink),
	TEST(undefined_permissions),
	TEST(windows),
	TEST(never_overwrites),
	TEST(onto_itself),
	TEST(only_what_exists),
	TEST(metadata),
	TEST(kinds_differ),
	TEST(beyond_the_end),
	TEST(last_selectors),
	TEST(huge_windows),
	TEST(between_pds),
	TEST(create_pd_with_objects),
	TEST(others_are_not_privileged),
};

bool main(void)
{
	return guest_run("cap", tests, RT_ARRAY(tests));
}
