/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's memory runs out, and comes back.
 *
 * User land decides how many objects there are, so the heap can always be used up. Then every operation that needs
 * memory answers OOM and leaves nothing behind: no capability, no half of a mapping. The rest has to go on working.
 * And whatever is deleted must come back whole: each kind of object is created until nothing is left, deleted and
 * created again; from the second round on the number must be the same (the first also pays for tables that stay with
 * their PD).
 *
 * So that this does not take minutes in an emulator, ballast takes seven eighths of the heap first (`ballast=N` on
 * the module's command line: N eighths).
 *
 * The same for memory that is not made of objects: page tables behind delegated memory, slot tables behind delegated
 * capabilities, nodes of port ranges.
 */
#include "guest.h"

#include "rt/cmdline.h"
#include "rt/console.h"
#include "rt/exit.h"
#include "rt/hip.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/pool.h"
#include "rt/start.h"
#include "rt/thread.h"

#define FIRST 0x1000000ul /* selectors of the objects: a range of 2^24 */
#define ORDER 24
#define ROUNDS 3
#define BALLAST 0x2000000ul /* selectors of what fills most of the heap beforehand */
#define MANY 100            /* objects at least, of the largest kind */
#define SPARSE_VA 0x500000000000ul
#define VA_STEP 0x200000ul /* one page table each */
#define SLOTS_PER_PAGE 128

static sel_t helper_ec, helper_pd; /* what some creations refer to */

static enum status new_pd(sel_t sel)
{
	return hc_create_pd(sel, RT_SEL_PD, 0, 0);
}
static enum status new_sm(sel_t sel)
{
	return hc_create_sm(sel, RT_SEL_PD, 0);
}
static enum status new_kp(sel_t sel)
{
	return hc_create_kp(sel, RT_SEL_PD);
}
static enum status new_sc(sel_t sel)
{
	return hc_create_sc(sel, RT_SEL_PD, helper_ec, RT_PRIO, 1);
}
static enum status new_pt(sel_t sel)
{
	return hc_create_pt(sel, RT_SEL_PD, helper_ec, 0, 0x1000);
}

static enum status new_ec(sel_t sel)
{
	return hc_create_ec(sel, RT_SEL_PD, rt_cpu, SPARSE_VA + (sel - FIRST) * RT_PAGE, 0, GUEST_NOTHING, sel & 1);
}

static enum status new_hidden_ec(sel_t sel)
{
	return hc_create_ec(sel, RT_SEL_PD, rt_cpu, 0, 0, GUEST_NOTHING, 0);
}

static enum status delete_all(void)
{
	return hc_revoke(rt_obj(FIRST, ORDER, PERM_ALL), REVOKE_SELF, 0);
}

/* The capability of the helper: a local or global EC, below GUEST_SEL's cleaning. */
static void make_helper(unsigned flags)
{
	helper_ec = sel_new();
	ASSERT_OK(hc_create_ec(helper_ec, RT_SEL_PD, rt_cpu, 0, 0, GUEST_NOTHING, flags));
}

/* As many as there can be; the status that ended it has to be OOM. */
static unsigned long fill_from(sel_t first, enum status (*create)(sel_t))
{
	unsigned long n = 0;
	enum status st;

	while ((st = create(first + n)) == SUCCESS)
		n++;
	EXPECT_EQ(st, OOM);
	EXPECT(sel_empty(first + n));
	EXPECT_ST(create(first + n), OOM);
	return n;
}

static unsigned long fill(enum status (*create)(sel_t))
{
	return fill_from(FIRST, create);
}

/* All else goes on with an empty heap. */
static void still_alive(const struct server *s)
{
	unsigned long us;

	EXPECT_OK(hc_call(s->pt));
	EXPECT_OK(hc_yield());
	EXPECT_OK(hc_sc_ctrl(RT_SEL_SC, &us));
	EXPECT_ST(hc_call(GUEST_NOTHING), BAD_CAP);
	EXPECT(!can_read(RT_VA - RT_PAGE));
}

static void answer(struct utcb *u, RT_UNUSED void *unused)
{
	rt_msg(u, 0, 0);
}

static void rounds(enum status (*create)(sel_t))
{
	unsigned long count[ROUNDS];
	struct server s;

	server_make(&s, answer, NULL);
	for (unsigned i = 0; i < ROUNDS; i++) {
		count[i] = fill(create);
		still_alive(&s);
		EXPECT_OK(delete_all());
		for (unsigned long n = 0; n < count[i]; n += 37)
			ASSERT(sel_empty(FIRST + n));
	}
	rt_printf("exhausted by %lu, %lu, %lu\n", count[0], count[1], count[2]);
	EXPECT(count[0] > MANY);
	EXPECT(count[1] >= count[0]);
	/* A few may hang in the slabs of a CPU. */
	EXPECT(count[2] + count[2] / 100 >= count[1] && count[1] + count[1] / 100 >= count[2]);
}

static void semaphores(void)
{
	rounds(new_sm);
}
static void pds(void)
{
	rounds(new_pd);
}
static void ecs(void)
{
	rounds(new_ec);
}
static void hidden_ecs(void)
{
	rounds(new_hidden_ec);
}

static void kernel_pages(void)
{
	if (new_kp(FIRST) == BAD_HYP)
		SKIP("this kernel has no kernel pages");
	EXPECT_OK(delete_all());
	rounds(new_kp);
}

static void portals(void)
{
	make_helper(0);
	rounds(new_pt);
}

static void scheduling_contexts(void)
{
	struct rt_ec ec = {.cpu = rt_cpu, .events = guest_events, .sel = sel_new()};

	ASSERT_OK(rt_ec_global(&ec, (void (*)(void *))rt_block, NULL)); /* waits for ever, whichever runs it */
	helper_ec = ec.sel;
	rounds(new_sc);
}

/* A failed EC does not touch the address space. */
static void no_half_of_an_ec(void)
{
	unsigned long n = fill(new_ec);

	EXPECT(can_write(SPARSE_VA + (n - 1) * RT_PAGE));
	EXPECT(!can_read(SPARSE_VA + n * RT_PAGE));
	EXPECT_OK(delete_all());
	EXPECT(!can_read(SPARSE_VA));
	EXPECT(!can_read(SPARSE_VA + (n - 1) * RT_PAGE));
}

/* Page tables: one page of memory at each of very many addresses. */
static unsigned long page;

static enum status map_at(sel_t pd, unsigned long n)
{
	return hc_delegate(RT_SEL_PD, pd, rt_mem(page, 0, PERM_MEM_R), ITEM_DELEGATE,
			   rt_mem(SPARSE_VA + n * VA_STEP, 0, PERM_MEM_R), NULL);
}

static unsigned long map_all(sel_t pd)
{
	unsigned long n = 0;
	enum status st;

	while ((st = map_at(pd, n)) == SUCCESS)
		n++;
	EXPECT_EQ(st, OOM);
	return n;
}

/* In the own PD, unmapped by one revocation; the tables must be usable again, or be free again. */
static void page_tables(void)
{
	unsigned long count[ROUNDS];
	struct server s;

	page = (unsigned long)rt_pages(1);
	server_make(&s, answer, NULL);
	for (unsigned i = 0; i < ROUNDS; i++) {
		count[i] = map_all(RT_SEL_PD);
		still_alive(&s);
		EXPECT(can_read(SPARSE_VA));
		EXPECT(can_read(SPARSE_VA + (count[i] - 1) * VA_STEP));
		EXPECT(!can_read(SPARSE_VA + count[i] * VA_STEP));
		EXPECT_OK(hc_revoke(rt_mem(SPARSE_VA, 28, PERM_ALL), 0, 0)); /* 2^40 bytes: all of it */
		EXPECT(!can_read(SPARSE_VA));
		EXPECT(!can_read(SPARSE_VA + (count[i] - 1) * VA_STEP));
	}
	rt_printf("exhausted by %lu, %lu, %lu\n", count[0], count[1], count[2]);
	EXPECT(count[0] > MANY);
	EXPECT(count[1] >= count[0] && count[2] >= count[1]);
	EXPECT(fill(new_sm) > MANY); /* and objects find memory, too */
	EXPECT_OK(delete_all());
}

/* In a PD that is deleted: everything comes back. */
static void page_tables_of_a_pd(void)
{
	unsigned long count[ROUNDS];

	page = (unsigned long)rt_pages(1);
	for (unsigned i = 0; i < ROUNDS; i++) {
		helper_pd = sel_new();
		ASSERT_OK(hc_create_pd(helper_pd, RT_SEL_PD, 0, 0));
		count[i] = map_all(helper_pd);
		EXPECT_OK(rt_revoke(helper_pd));
	}
	EXPECT(count[0] > MANY);
	EXPECT_EQ(count[1], count[0]);
	EXPECT_EQ(count[2], count[0]);
}

/* Slot tables: one capability in each. */
static void slot_tables(void)
{
	unsigned long count[ROUNDS];
	sel_t sm = sm_make(0);

	for (unsigned i = 0; i < ROUNDS; i++) {
		sel_t to = 0;
		enum status st;

		helper_pd = sel_new();
		ASSERT_OK(hc_create_pd(helper_pd, RT_SEL_PD, 0, 0));
		while ((st = delegate_obj(sm, helper_pd, to, PERM_ALL)) == SUCCESS)
			to += SLOTS_PER_PAGE;
		EXPECT_EQ(st, OOM);
		count[i] = to / SLOTS_PER_PAGE;
		EXPECT_OK(rt_revoke(helper_pd));
	}
	EXPECT(count[0] > MANY);
	EXPECT_EQ(count[1], count[0]);
	EXPECT_EQ(count[2], count[0]);
}

/* A wide window with many capabilities: OOM in the middle may leave a part, and that part can be taken back. */
static void wide_delegation(void)
{
	unsigned long stride = 0;

	while (stride < 0x1000000 && hc_create_sm(FIRST + stride, RT_SEL_PD, 0) == SUCCESS)
		stride += SLOTS_PER_PAGE;
	helper_pd = GUEST_SEL + 0x7000;
	for (unsigned i = 0; i < 3; i++) {
		enum status st;

		while ((st = hc_create_pd(helper_pd, RT_SEL_PD, 0, 0)) == OOM && stride) {
			stride -= SLOTS_PER_PAGE;
			EXPECT_OK(rt_revoke(FIRST + stride));
		}
		ASSERT_OK(st);
		st = hc_delegate(RT_SEL_PD, helper_pd, rt_obj(FIRST, ORDER, PERM_ALL), ITEM_DELEGATE,
				 rt_obj(FIRST, ORDER, PERM_ALL), NULL);
		EXPECT(st == OOM || st == SUCCESS);
		EXPECT_OK(rt_revoke(helper_pd));
	}
	EXPECT_OK(delete_all());
}

/* With nothing left, everything that needs memory says so, and everything else works. */
static void operations_without_memory(void)
{
	sel_t pd = sel_new(), spare = sel_new(), sm = sm_make(0);
	struct server s;
	enum status st;

	ASSERT_OK(hc_create_pd(pd, RT_SEL_PD, 0, 0));
	server_make(&s, answer, NULL);
	page = (unsigned long)rt_pages(1);
	fill(new_sm);
	fill_from(FIRST + (1ul << (ORDER - 1)), new_hidden_ec); /* what semaphores left */
	EXPECT_ST(hc_create_pd(spare, RT_SEL_PD, 0, 0), OOM);
	EXPECT_ST(hc_create_ec(spare, RT_SEL_PD, rt_cpu, SPARSE_VA, 0, 0, 0), OOM);
	EXPECT_ST(delegate_obj(sm, pd, 0x2000000, PERM_ALL), OOM);
	EXPECT_ST(map_at(pd, 0), OOM);
	EXPECT(sel_empty(spare));
	EXPECT(!can_read(SPARSE_VA));
	st = hc_delegate(RT_SEL_PD, pd, rt_pio(0x80, 0), ITEM_DELEGATE | ITEM_HYPERVISOR, rt_pio(0x80, 0), NULL);
	EXPECT(st == OOM || st == SUCCESS);
	/* Items of messages: a null CRD, and the message arrives. */
	s.ec.utcb->del = rt_mem(SPARSE_VA, 28, PERM_ALL);
	rt_item(rt_utcb(), 0, rt_mem(page, 0, PERM_MEM_R), 0x12345678000 | ITEM_DELEGATE);
	rt_msg(rt_utcb(), 1, 1);
	EXPECT_OK(hc_call(s.pt));
	EXPECT_EQ(UTCB_TYPED(s.ec.utcb, 0)->crd, 0);
	still_alive(&s);
	EXPECT_OK(hc_revoke(rt_obj(sm, 0, PERM_ALL), REVOKE_SELF, 0));
	EXPECT_OK(delete_all());
	EXPECT_OK(hc_create_pd(spare, RT_SEL_PD, 0, 0));
}

/* What is to be gone is gone, also a part of a superpage that cannot be split; what has gone with it comes back. */
static void revocation_without_memory(void)
{
	enum { COUNT = 512 };
	uint8_t *p = rt_pages_aligned(COUNT, COUNT);
	unsigned long to = rt_va(COUNT, COUNT), at = to + 100 * RT_PAGE;

	ASSERT(p);
	ASSERT_OK(rt_mem_delegate(RT_SEL_PD, rt_phys(p), RT_SEL_PD, to, COUNT, PERM_MEM_R, ITEM_HYPERVISOR));
	EXPECT(can_read(at));
	fill(new_sm);
	EXPECT_OK(hc_revoke(rt_mem(at, 0, PERM_ALL), 0, 0));
	EXPECT(!can_read(at));
	EXPECT_OK(delete_all());
	ASSERT_OK(rt_mem_delegate(RT_SEL_PD, rt_phys(p), RT_SEL_PD, to, COUNT, PERM_MEM_R, ITEM_HYPERVISOR));
	EXPECT(can_read(to) && can_read(to + (COUNT - 1) * RT_PAGE));
	EXPECT_OK(rt_mem_revoke(to, COUNT));
}

/* Nothing is lost in many creations and deletions, one at a time. */
static void one_at_a_time(void)
{
	static enum status (*const kinds[])(sel_t) = {new_sm, new_pd, new_ec, new_hidden_ec, new_pt};
	unsigned long before, after;

	make_helper(0);
	before = fill(new_hidden_ec);
	EXPECT_OK(delete_all());
	for (unsigned i = 0; i < 50000; i++) {
		ASSERT_OK(kinds[i % RT_ARRAY(kinds)](FIRST));
		ASSERT_OK(rt_revoke(FIRST));
	}
	after = fill(new_hidden_ec);
	EXPECT_OK(delete_all());
	EXPECT(after + 3 >= before);
}

static const struct test tests[] = {
	TEST(semaphores),
	TEST(pds),
	TEST(ecs),
	TEST(hidden_ecs),
	TEST(kernel_pages),
	TEST(portals),
	TEST(scheduling_contexts),
	TEST(no_half_of_an_ec),
	TEST(page_tables),
	TEST(page_tables_of_a_pd),
	TEST(slot_tables),
	TEST(wide_delegation),
	TEST(operations_without_memory),
	TEST(revocation_without_memory),
	TEST(one_at_a_time),
};

/* Kernel pages, kept until the end. Where they are missing the heap is used as it is. */
static void load_ballast(void)
{
	unsigned long n = 0, keep;

	while (hc_create_kp(BALLAST + n, RT_SEL_PD) == SUCCESS)
		n++;
	keep = n * rt_arg("ballast", 7) / 8;
	for (unsigned long i = keep; i < n; i++)
		RT_MUST(rt_revoke(BALLAST + i));
}

bool main(void)
{
	load_ballast();
	return guest_run("exhaust", tests, RT_ARRAY(tests));
}
