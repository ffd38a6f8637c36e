/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Typed items in messages: windows of both sides, translation, what arrives and what is reported. */
#include "ipc.h"

#include "rt/cpu.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/pool.h"

/* An agent that answers with one item of its own, chosen here. */
static struct utcb_item offer;

static void answer_with_item(struct utcb *u, RT_UNUSED void *unused)
{
	rt_msg(u, 0, 1);
	rt_item(u, 0, offer.crd, offer.meta);
}

/* main() opens its windows and calls; returns what arrived. */
static struct utcb_item receive(sel_t pt, crd_t xlt, crd_t del, crd_t crd, unsigned long meta)
{
	struct utcb *u = rt_utcb();

	offer = (struct utcb_item){crd, meta};
	u->xlt = xlt;
	u->del = del;
	rt_msg(u, 0, 0);
	*UTCB_TYPED(u, 0) = (struct utcb_item){~0ul, ~0ul};
	ASSERT_OK(hc_call(pt));
	EXPECT_EQ(u->items, 1 << 16);
	return *UTCB_TYPED(u, 0);
}

#define EXPECT_ITEM(item, crd_, meta_)           \
	do {                                     \
		struct utcb_item item_ = (item); \
		EXPECT_EQ(item_.crd, crd_);      \
		EXPECT_EQ(item_.meta, meta_);    \
	} while (0)

static void delegate_in_call(void)
{
	struct agent a;
	sel_t sm = sm_make(0);

	agent_make(&a);
	EXPECT_ITEM(agent_send(&a, 0, rt_obj(100, 2, PERM_ALL), rt_obj(sm, 0, PERM_SM_UP), 2 << 12 | ITEM_DELEGATE),
		    rt_obj(102, 0, PERM_SM_UP), ITEM_DELEGATE);
	EXPECT_EQ(agent_lookup(&a, rt_obj(102, 0, 0)), rt_obj(102, 0, PERM_SM_UP));
	/* No window, the wrong kind, no permissions. */
	EXPECT_ITEM(agent_send(&a, 0, 0, rt_obj(sm, 0, 3), ITEM_DELEGATE), 0, ITEM_DELEGATE);
	EXPECT_ITEM(agent_send(&a, rt_obj(100, 2, 31), 0, rt_obj(sm, 0, 3), ITEM_DELEGATE), 0, ITEM_DELEGATE);
	EXPECT_ITEM(agent_send(&a, 0, rt_mem(0, 31, 31), rt_obj(sm, 0, 3), ITEM_DELEGATE), 0, ITEM_DELEGATE);
	EXPECT_ITEM(agent_send(&a, 0, rt_obj(100, 2, 2), rt_obj(sm, 0, 1), ITEM_DELEGATE), 0, ITEM_DELEGATE);
	EXPECT_ITEM(agent_send(&a, 0, rt_obj(100, 2, 31), rt_obj(sm, 0, 3), 3), 0, 3);
}

static void delegate_in_reply(void)
{
	struct agent a;
	sel_t sm = sm_make(0), to = sel_block(3), pt;

	agent_make(&a);
	pt = server_pt(&a.server, answer_with_item, NULL);
	ASSERT_OK(delegate_obj(sm, a.pd, 77, PERM_ALL));
	EXPECT_ITEM(receive(pt, 0, rt_obj(to, 3, PERM_ALL), rt_obj(77, 0, PERM_SM_DOWN), 5 << 12 | ITEM_DELEGATE),
		    rt_obj(to + 5, 0, PERM_SM_DOWN), ITEM_DELEGATE);
	EXPECT_EQ(sel_perm(to + 5), PERM_SM_DOWN);
	EXPECT_ITEM(receive(pt, 0, 0, rt_obj(77, 0, 3), ITEM_DELEGATE), 0, ITEM_DELEGATE);
}

static void memory_in_messages(void)
{
	unsigned long *page = rt_pages(1), va = rt_va(1, 1), end = 1ul << (rt_cpuid(0x80000008, 0).eax & 0xff);
	struct agent a;
	sel_t pt;

	agent_make(&a);
	pt = server_pt(&a.server, answer_with_item, NULL);
	EXPECT_ITEM(
		agent_send(&a, 0, rt_mem(va, 0, PERM_ALL), rt_mem((unsigned long)page, 0, RT_MEM_RW), ITEM_DELEGATE),
		rt_mem(va, 0, RT_MEM_RW), ITEM_DELEGATE);
	EXPECT(agent_can_write(&a, va));
	EXPECT_ITEM(receive(pt, 0, rt_mem(va, 0, PERM_MEM_R), rt_mem(va, 0, RT_MEM_RW), ITEM_DELEGATE),
		    rt_mem(va, 0, PERM_MEM_R), ITEM_DELEGATE);
	EXPECT(can_read(va));
	EXPECT(!can_write(va));
	EXPECT_EQ(*(volatile unsigned long *)va, 0);
	/* From the hypervisor PD, which only the roottask may name; beyond physical memory: a null CRD, and no more.
	 */
	EXPECT_ITEM(agent_send(&a, 0, rt_mem(va, 0, PERM_ALL), rt_mem(end, 0, RT_MEM_RW),
			       ITEM_DELEGATE | ITEM_HYPERVISOR),
		    0, ITEM_DELEGATE | ITEM_HYPERVISOR);
	EXPECT_ITEM(agent_send(&a, 0, rt_mem(va, 0, PERM_ALL), rt_mem(rt_phys(page), 0, PERM_MEM_R),
			       ITEM_DELEGATE | ITEM_HYPERVISOR),
		    rt_mem(va, 0, PERM_MEM_R), ITEM_DELEGATE | ITEM_HYPERVISOR);
	EXPECT(agent_can_read(&a, va));
	EXPECT(!agent_can_write(&a, va));
	ASSERT_OK(rt_mem_revoke(va, 1));
}

/* Two items: memory that no machine has, and memory that is there. */
static unsigned long beyond, exists, place;

static void answer_with_beyond(struct utcb *u, RT_UNUSED void *unused)
{
	rt_msg(u, 3, 2);
	u->words[2] = 42;
	rt_item(u, 0, rt_mem(beyond, 0, RT_MEM_RW), ITEM_DELEGATE | ITEM_HYPERVISOR);
	rt_item(u, 1, rt_mem(exists, 0, PERM_MEM_R), place | ITEM_DELEGATE | ITEM_HYPERVISOR);
}

/* In a reply, where the sender is the one who answers: a null CRD for that item, the rest arrives. */
static void memory_beyond_in_reply(void)
{
	unsigned long *page = rt_pages(1), va = rt_va(2, 2), end = 1ul << (rt_cpuid(0x80000008, 0).eax & 0xff);
	struct utcb *u = rt_utcb();
	struct server s;

	server_make(&s, answer_with_beyond, NULL);
	page[0] = 99;
	for (beyond = end; beyond < HEDRON_USER_END; beyond <<= 1) {
		exists = rt_phys(page);
		place = va + RT_PAGE;
		ASSERT_OK(rt_mem_delegate(RT_SEL_PD, (unsigned long)page, RT_SEL_PD, va, 1, RT_MEM_RW, 0));
		u->xlt = 0;
		u->del = rt_mem(va, 1, PERM_ALL);
		rt_msg(u, 0, 0);
		ASSERT_OK(hc_call(s.pt));
		EXPECT_EQ(u->items, 3 | 2 << 16);
		EXPECT_EQ(u->words[2], 42);
		EXPECT_ITEM(*UTCB_TYPED(u, 0), 0, ITEM_DELEGATE | ITEM_HYPERVISOR);
		EXPECT_ITEM(*UTCB_TYPED(u, 1), rt_mem(va + RT_PAGE, 0, PERM_MEM_R), ITEM_DELEGATE | ITEM_HYPERVISOR);
		EXPECT(can_write(va)); /* what was there stays */
		EXPECT(can_read(va + RT_PAGE) && !can_write(va + RT_PAGE));
		EXPECT_EQ(*(volatile unsigned long *)(va + RT_PAGE), 99);
		ASSERT_OK(rt_mem_revoke(va, 2));
	}
}

static void ports_in_messages(void)
{
	struct agent a;

	agent_make(&a);
	EXPECT_ITEM(agent_send(&a, 0, rt_pio(0xe0, 4), rt_pio(0xe4, 0), ITEM_DELEGATE | ITEM_HYPERVISOR),
		    rt_pio(0xe4, 0), ITEM_DELEGATE | ITEM_HYPERVISOR);
	EXPECT(agent_can_in(&a, 0xe4));
	EXPECT_ITEM(agent_send(&a, 0, rt_pio(0xe0, 2), rt_pio(0xe8, 2), ITEM_DELEGATE | ITEM_HYPERVISOR), 0,
		    ITEM_DELEGATE | ITEM_HYPERVISOR);
	EXPECT(!agent_can_in(&a, 0xe8));
}

/* Translation: the receiver learns under which name it knows what the sender has. */
static void translate(void)
{
	struct agent a, b;
	sel_t sm = sm_make(0), low = GUEST_SEL, unrelated = sm_make(0), pa, pb;
	crd_t all = rt_obj(low, GUEST_SEL_ORDER, PERM_ALL);

	agent_make(&a);
	agent_make(&b);
	pa = server_pt(&a.server, answer_with_item, NULL);
	pb = server_pt(&b.server, answer_with_item, NULL);
	ASSERT_OK(delegate_obj(sm, a.pd, 100, PERM_ALL));
	ASSERT_OK(hc_delegate(a.pd, b.pd, rt_obj(100, 0, PERM_SM_UP), ITEM_DELEGATE, rt_obj(200, 0, PERM_ALL), NULL));
	/* With the permissions of the sender's capability, however far down. */
	EXPECT_ITEM(receive(pa, all, 0, rt_obj(100, 0, PERM_ALL), ITEM_TRANSLATE), rt_obj(sm, 0, 3), ITEM_TRANSLATE);
	EXPECT_ITEM(receive(pb, all, 0, rt_obj(200, 0, PERM_ALL), ITEM_TRANSLATE), rt_obj(sm, 0, PERM_SM_UP),
		    ITEM_TRANSLATE);
	/* The window decides: exactly it, beside it, none, another kind. */
	EXPECT_ITEM(receive(pa, rt_obj(sm, 0, 31), 0, rt_obj(100, 0, 31), ITEM_TRANSLATE), rt_obj(sm, 0, 3),
		    ITEM_TRANSLATE);
	EXPECT_ITEM(receive(pa, rt_obj(unrelated, 0, 31), 0, rt_obj(100, 0, 31), ITEM_TRANSLATE), 0, ITEM_TRANSLATE);
	EXPECT_ITEM(receive(pa, 0, all, rt_obj(100, 0, 31), ITEM_TRANSLATE), 0, ITEM_TRANSLATE);
	EXPECT_ITEM(receive(pa, rt_mem(0, 31, 31), 0, rt_obj(100, 0, 31), ITEM_TRANSLATE), 0, ITEM_TRANSLATE);
	/* What does not exist, or is not below anything of ours. */
	EXPECT_ITEM(receive(pa, all, 0, rt_obj(101, 0, 31), ITEM_TRANSLATE), 0, ITEM_TRANSLATE);
	/* Between the others: to the nearest ancestor there. */
	EXPECT_ITEM(agent_send(&a, rt_obj(0, 10, 31), 0, rt_obj(sm, 0, 31), ITEM_TRANSLATE), 0, ITEM_TRANSLATE);
}

/* The nearest of several ancestors in the receiver's space. */
static void translate_to_the_nearest(void)
{
	struct agent a;
	sel_t top = sm_make(0), second = sel_new(), pa;
	crd_t all = rt_obj(GUEST_SEL, GUEST_SEL_ORDER, PERM_ALL);

	agent_make(&a);
	pa = server_pt(&a.server, answer_with_item, NULL);
	ASSERT_OK(delegate_obj(top, RT_SEL_PD, second, PERM_ALL));
	ASSERT_OK(delegate_obj(second, a.pd, 100, PERM_ALL));
	EXPECT_ITEM(receive(pa, all, 0, rt_obj(100, 0, 31), ITEM_TRANSLATE), rt_obj(second, 0, 3), ITEM_TRANSLATE);
	/* A window that leaves the nearest out finds the next. */
	EXPECT_ITEM(receive(pa, rt_obj(top, 0, 31), 0, rt_obj(100, 0, 31), ITEM_TRANSLATE), rt_obj(top, 0, 3),
		    ITEM_TRANSLATE);
}

/* Sender and receiver in one PD: the item itself, if nothing is above it. */
static void translate_within_a_pd(void)
{
	struct server s;
	sel_t sm = sm_make(0);
	crd_t got, all = rt_obj(GUEST_SEL, GUEST_SEL_ORDER, PERM_ALL);

	server_make(&s, answer_with_item, NULL);
	got = receive(s.pt, all, 0, rt_obj(sm, 0, 31), ITEM_TRANSLATE).crd;
	EXPECT(got == rt_obj(sm, 0, 31) ||
	       got == rt_obj(sm, 0, 3)); /* with its own permissions or the capability's */
	EXPECT_ITEM(receive(s.pt, rt_obj(sm + 1, 0, 31), 0, rt_obj(sm, 0, 31), ITEM_TRANSLATE), 0, ITEM_TRANSLATE);
}

static void translate_memory(void)
{
	struct server s;
	unsigned long *page = rt_pages(1);

	server_make(&s, answer_with_item, NULL);
	EXPECT_ITEM(receive(s.pt, rt_mem(0, 31, 31), rt_mem(0, 31, 31), rt_mem((unsigned long)page, 0, RT_MEM_RW),
			    ITEM_TRANSLATE),
		    0, ITEM_TRANSLATE);
}

static void translate_ports(void)
{
	struct agent a;
	sel_t pa;

	agent_make(&a);
	pa = server_pt(&a.server, answer_with_item, NULL);
	ASSERT_OK(hc_delegate(RT_SEL_PD, a.pd, rt_pio(0x3f8, 3), ITEM_DELEGATE, rt_pio(0x3f8, 3), NULL));
	EXPECT_ITEM(receive(pa, rt_pio(0, 16), 0, rt_pio(0x3f8, 3), ITEM_TRANSLATE), rt_pio(0x3f8, 3),
		    ITEM_TRANSLATE);
	EXPECT_ITEM(receive(pa, rt_pio(0x3fa, 1), 0, rt_pio(0x3f8, 3), ITEM_TRANSLATE), rt_pio(0x3fa, 1),
		    ITEM_TRANSLATE);
	EXPECT_ITEM(receive(pa, rt_pio(0x80, 1), 0, rt_pio(0x3f8, 3), ITEM_TRANSLATE), 0, ITEM_TRANSLATE);
}

/* Translate, and if there is nothing, delegate: the result says what was done. */
static void translate_or_delegate(void)
{
	struct agent a;
	sel_t sm = sm_make(0), to = sel_block(2), pa, foreign = sel_new();

	agent_make(&a);
	pa = server_pt(&a.server, answer_with_item, NULL);
	ASSERT_OK(delegate_obj(sm, a.pd, 100, PERM_ALL));
	EXPECT_ITEM(receive(pa, rt_obj(sm, 0, 31), rt_obj(to, 2, 31), rt_obj(100, 0, 31), ITEM_TRANSLATE_DELEGATE),
		    rt_obj(sm, 0, 3), ITEM_TRANSLATE_DELEGATE);
	EXPECT(sel_empty(to));
	EXPECT_ITEM(receive(pa, rt_obj(foreign, 0, 31), rt_obj(to, 2, 31), rt_obj(100, 0, 31),
			    3 << 12 | ITEM_TRANSLATE_DELEGATE),
		    rt_obj(to + 3, 0, 31), ITEM_TRANSLATE_DELEGATE | ITEM_DELEGATE);
	EXPECT_EQ(sel_perm(to + 3), 3);
}

/* Many items, each against the same window; those that cannot be are null and do not disturb the others. */
static unsigned arrived;
static struct utcb_item items[UTCB_ITEMS_MAX];

static void keep_items(struct utcb *u, RT_UNUSED void *unused)
{
	arrived = rt_msg_items(u);
	for (unsigned i = 0; i < UTCB_ITEMS_MAX; i++)
		items[i] = *UTCB_TYPED(u, i);
	rt_msg(u, 0, 0);
}

static void many_items(void)
{
	struct utcb *u = rt_utcb();
	struct server s;
	sel_t from = sel_block(8), to = sel_block(8);

	server_make(&s, keep_items, NULL);
	for (unsigned i = 0; i < UTCB_ITEMS_MAX; i++)
		ASSERT_OK(hc_create_sm(from + i, RT_SEL_PD, i));
	s.ec.utcb->del = rt_obj(to, 8, PERM_ALL);
	rt_msg(u, 0, UTCB_ITEMS_MAX);
	for (unsigned i = 0; i < UTCB_ITEMS_MAX; i++)
		rt_item(u, i, i % 5 ? rt_obj(from + i, 0, PERM_SM_UP) : 0, (unsigned long)i << 12 | ITEM_DELEGATE);
	ASSERT_OK(hc_call(s.pt));
	EXPECT_EQ(arrived, UTCB_ITEMS_MAX);
	for (unsigned i = 0; i < UTCB_ITEMS_MAX; i++) {
		EXPECT_EQ(items[i].crd, i % 5 ? rt_obj(to + i, 0, PERM_SM_UP) : 0);
		EXPECT_EQ(items[i].meta, ITEM_DELEGATE);
		EXPECT_EQ(sel_perm(to + i), i % 5 ? PERM_SM_UP : 0);
	}
}

/* More items than there is room for: as many as there is room for. */
static void too_many_items(void)
{
	struct utcb *u = rt_utcb();
	struct server s;

	server_make(&s, keep_items, NULL);
	for (unsigned i = 0; i < UTCB_WORDS_MAX; i++)
		u->words[i] = 0;
	u->items = 0xffffffff;
	ASSERT_OK(hc_call(s.pt));
	EXPECT_EQ(arrived, 0xffff);
	u->items = 255ul << 16;
	ASSERT_OK(hc_call(s.pt));
	EXPECT_EQ(arrived, 255);
}

const struct test ipc_item_tests[] = {
	TEST(delegate_in_call),         TEST(delegate_in_reply),
	TEST(memory_in_messages),       TEST(memory_beyond_in_reply),
	TEST(ports_in_messages),        TEST(translate),
	TEST(translate_to_the_nearest), TEST(translate_within_a_pd),
	TEST(translate_memory),         TEST(translate_ports),
	TEST(translate_or_delegate),    TEST(many_items),
	TEST(too_many_items),           {},
};
