/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that is taken away is gone: when the hypercall has returned, no CPU can use an old translation.
 *
 * Writers on all other CPUs store to one address as fast as they can, each to a word of its own, and count their
 * tries and their successes. Worker 0 takes the page away and then waits until each writer has begun and ended
 * another try: from then on nobody may have succeeded, and the page, which worker 0 sees at another address, may not
 * have changed.
 */
#include "smp.h"

#include "rt/message.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/pool.h"
#include "rt/probe.h"
#include "rt/start.h"

#define BUSY 0x600000000000ul /* the address everybody writes to */
#define LARGE (RT_PAGE << 9)

static struct writer {
	volatile unsigned long tries, hits;
} __attribute__((aligned(64))) writers[SMP_MAX];

static volatile unsigned long over;
static unsigned long each;
static volatile unsigned long *page[2]; /* pool memory */
static volatile unsigned long *target;  /* where the writers write */
static void (*scenario)(void);          /* what worker 0 does */
static uint64_t seed;

static bool (*try_store)(unsigned self, volatile unsigned long *p, unsigned long v);

static bool store_here(RT_UNUSED unsigned self, volatile unsigned long *p, unsigned long v)
{
	return smp_try_store(p, v);
}

static void write_on(unsigned self)
{
	struct writer *w = &writers[self];

	for (unsigned long v = 1; !smp_load(&over); v++) {
		bool hit = try_store(self, &target[self], v);

		if (hit)
			smp_inc(&w->hits);
		smp_inc(&w->tries);
		if (test_failed())
			return;
	}
}

static void duel(unsigned self)
{
	if (self) {
		write_on(self);
		return;
	}
	scenario();
	smp_set(&over, 1);
}

/* Each writer has begun a try after this was called, and ended it. */
static bool all_try(void)
{
	unsigned long before[SMP_MAX];

	for (unsigned i = 1; i < smp_count; i++)
		before[i] = smp_load(&writers[i].tries);
	for (unsigned i = 1; i < smp_count; i++)
		if (!SMP_WAIT(smp_load(&writers[i].tries) - before[i] >= 2))
			return false;
	smp_progress(0);
	return true;
}

static unsigned long hits(void)
{
	unsigned long sum = 0;

	for (unsigned i = 1; i < smp_count; i++)
		sum += smp_load(&writers[i].hits);
	return sum;
}

/* Nobody can write any more. `p`: what must not change, or null. */
static bool silence(const volatile unsigned long *p)
{
	unsigned long words[SMP_MAX] = {0}, before;

	/* A store that was done but not counted yet counts until the end of the try. */
	for (unsigned i = 1; p && i < smp_count; i++)
		words[i] = p[i];
	if (!all_try())
		return false;
	before = hits();
	if (!all_try())
		return false;
	if (!EXPECT_EQ(hits(), before))
		return false;
	for (unsigned i = 1; p && i < smp_count; i++)
		if (!EXPECT_EQ(p[i], words[i]))
			return false;
	return true;
}

/* Everybody can, and writes there. */
static bool noise(const volatile unsigned long *p)
{
	unsigned long words[SMP_MAX] = {0};

	for (unsigned i = 1; p && i < smp_count; i++)
		words[i] = p[i];
	if (!all_try())
		return false;
	for (unsigned i = 1; p && i < smp_count; i++)
		if (!EXPECT(p[i] != words[i]))
			return false;
	return true;
}

static enum status give(volatile unsigned long *what, unsigned order, unsigned rights)
{
	return hc_delegate(RT_SEL_PD, RT_SEL_PD, rt_mem((uint64_t)what, order, rights), ITEM_DELEGATE,
			   rt_mem(BUSY, order, rights), NULL);
}

static enum status take(unsigned long va, unsigned order)
{
	return hc_revoke(rt_mem(va, order, PERM_ALL), REVOKE_SELF, 0);
}

static void fight(void (*fn)(void), unsigned long rounds)
{
	NEED_CPUS(2);
	scenario = fn;
	each = smp_rounds(rounds);
	over = 0;
	seed = smp_seed(0x71b);
	if (!try_store)
		try_store = store_here;
	if (!target)
		target = (volatile unsigned long *)BUSY;
	smp_run(smp_count, duel);
	try_store = NULL;
	target = NULL;
	EXPECT_OK(take(BUSY, 9));
}

static void need_pages(void)
{
	if (page[0])
		return;
	page[0] = rt_pages_aligned(512, 512);
	page[1] = rt_pages_aligned(512, 512);
	rt_assert(page[0] && page[1]);
}

/* ---- Single pages ---- */

static void revoke_and_give(void)
{
	for (unsigned long r = 0; r < each; r++) {
		ASSERT_OK(give(page[0], 0, RT_MEM_RW));
		ASSERT(noise(page[0]));
		smp_delay(&seed, 100);
		ASSERT_OK(take(BUSY, 0));
		ASSERT(silence(page[0]));
	}
}

static void revoked_page(void)
{
	need_pages();
	fight(revoke_and_give, 300);
}

static void replace(void)
{
	for (unsigned long r = 0; r < each; r++) {
		ASSERT_OK(give(page[r % 2], 0, RT_MEM_RW));
		for (unsigned i = 1; i < smp_count; i++)
			page[~r % 2][i] = 0;
		ASSERT(noise(page[r % 2]));
		for (unsigned i = 1; i < smp_count; i++)
			ASSERT_EQ(page[~r % 2][i], 0);
	}
}

/* Another page in its place: not one store may go to the first any more. */
static void replaced_page(void)
{
	need_pages();
	fight(replace, 500);
}

static void narrow(void)
{
	for (unsigned long r = 0; r < each; r++) {
		ASSERT_OK(give(page[0], 0, RT_MEM_RW));
		ASSERT(noise(page[0]));
		ASSERT_OK(give(page[0], 0, PERM_MEM_R));
		ASSERT(silence(page[0]));
		ASSERT(rt_can_read((void *)BUSY));
	}
}

static void narrowed_rights(void)
{
	need_pages();
	fight(narrow, 300);
}

static void unmap_by_delegation(void)
{
	for (unsigned long r = 0; r < each; r++) {
		ASSERT_OK(give(page[0], 0, RT_MEM_RW));
		ASSERT(noise(page[0]));
		ASSERT_OK(r % 2 ? give(page[0], 0, 0) : give((volatile unsigned long *)SMP_NOTHING, 0, RT_MEM_RW));
		ASSERT(silence(page[0]));
	}
}

/* Rights of 0, and a source that is not there, unmap. */
static void unmapped_by_delegation(void)
{
	need_pages();
	fight(unmap_by_delegation, 300);
}

/* ---- Large pages ---- */

enum { MIDDLE = 77 };

static void large(void)
{
	volatile unsigned long *p = (volatile unsigned long *)((unsigned long)page[0] + MIDDLE * RT_PAGE);
	volatile unsigned long *q = (volatile unsigned long *)((unsigned long)page[1] + MIDDLE * RT_PAGE);

	for (unsigned long r = 0; r < each; r++) {
		ASSERT_OK(give(page[0], 9, RT_MEM_RW));
		ASSERT(noise(p));
		switch (smp_random(&seed) % 4) {
		case 0: /* all of it */
			ASSERT_OK(take(BUSY, 9));
			break;
		case 1: /* just this page: the rest stays */
			ASSERT_OK(take(BUSY + MIDDLE * RT_PAGE, 0));
			ASSERT(rt_can_write((void *)(BUSY + (MIDDLE + 1) * RT_PAGE)));
			break;
		case 2:
			ASSERT_OK(give(page[0], 9, PERM_MEM_R));
			break;
		case 3: /* another large page */
			ASSERT_OK(give(page[1], 9, RT_MEM_RW));
			ASSERT(noise(q));
			ASSERT_OK(take(BUSY, 9));
			break;
		}
		ASSERT(silence(p));
		ASSERT(silence(q));
	}
}

static void large_page(void)
{
	need_pages();
	target = (volatile unsigned long *)(BUSY + MIDDLE * RT_PAGE);
	fight(large, 300);
}

/* Single pages become part of a large one; the table that held them is freed. */
static void table_to_large(void)
{
	volatile unsigned long *q = (volatile unsigned long *)((unsigned long)page[1] + MIDDLE * RT_PAGE);

	for (unsigned long r = 0; r < each; r++) {
		ASSERT_OK(hc_delegate(RT_SEL_PD, RT_SEL_PD, rt_mem((uint64_t)page[0], 0, RT_MEM_RW), ITEM_DELEGATE,
				      rt_mem(BUSY + MIDDLE * RT_PAGE, 0, RT_MEM_RW), NULL));
		ASSERT(noise(page[0]));
		ASSERT_OK(give(page[1], 9, RT_MEM_RW));
		for (unsigned i = 1; i < smp_count; i++)
			page[0][i] = 0;
		ASSERT(noise(q));
		for (unsigned i = 1; i < smp_count; i++)
			ASSERT_EQ(page[0][i], 0);
		ASSERT_OK(take(BUSY, 9));
		ASSERT(silence(q));
	}
}

static void table_becomes_large(void)
{
	need_pages();
	target = (volatile unsigned long *)(BUSY + MIDDLE * RT_PAGE);
	fight(table_to_large, 200);
}

/* ---- Pages of the kernel ---- */

static sel_t kernel_sel;

static void utcb_comes_and_goes(void)
{
	for (unsigned long r = 0; r < each; r++) {
		unsigned cpu = smp_cpu((unsigned)(r % smp_count));

		ASSERT_OK(
			hc_create_ec(kernel_sel, RT_SEL_PD, cpu, BUSY, 0, SMP_NOTHING, r % 2 ? CREATE_EC_GLOBAL : 0));
		ASSERT(noise(NULL));
		ASSERT(hits());
		ASSERT_OK(rt_revoke(kernel_sel));
		ASSERT(silence(NULL));
	}
}

static void utcb(void)
{
	kernel_sel = smp_sel();
	fight(utcb_comes_and_goes, 300);
}

/* Content survives, so that what was written after the end of the mapping would be seen. */
static void kp_comes_and_goes(void)
{
	volatile unsigned long *elsewhere = (volatile unsigned long *)(BUSY + 0x10000);
	unsigned long words[SMP_MAX];

	for (unsigned long r = 0; r < each; r++) {
		ASSERT_OK(hc_kp_map(kernel_sel, RT_SEL_PD, BUSY));
		ASSERT(noise((volatile unsigned long *)BUSY));
		ASSERT_OK(hc_kp_unmap(kernel_sel));
		ASSERT_OK(hc_kp_map(kernel_sel, RT_SEL_PD, (unsigned long)elsewhere));
		for (unsigned i = 1; i < smp_count; i++)
			words[i] = elsewhere[i];
		ASSERT(silence(elsewhere));
		for (unsigned i = 1; i < smp_count; i++)
			ASSERT_EQ(elsewhere[i], words[i]);
		ASSERT_OK(hc_kp_unmap(kernel_sel));
	}
}

static void kernel_page(void)
{
	kernel_sel = smp_sel();
	RT_MUST(hc_create_kp(kernel_sel, RT_SEL_PD));
	fight(kp_comes_and_goes, 300);
}

static void kp_dies(void)
{
	for (unsigned long r = 0; r < each; r++) {
		ASSERT_OK(hc_create_kp(kernel_sel, RT_SEL_PD));
		ASSERT_OK(hc_kp_map(kernel_sel, RT_SEL_PD, BUSY));
		ASSERT(noise(NULL));
		ASSERT_OK(rt_revoke(kernel_sel));
		ASSERT(silence(NULL));
	}
}

static void kernel_page_revoked(void)
{
	kernel_sel = smp_sel();
	fight(kp_dies, 300);
}

/* ---- Maps against unmaps of one kernel page ---- */

/* Whoever wins: a page that is not mapped, or gone, cannot be written to. */
static void map_or_unmap(unsigned self)
{
	uint64_t dice = smp_seed(self + 1);

	for (unsigned long r = 0; r < each; r++) {
		if (!self)
			ASSERT_OK(hc_create_kp(kernel_sel, RT_SEL_PD));
		if (!smp_barrier())
			return;
		smp_delay(&dice, 20);
		if (self % 2)
			(void)hc_kp_map(kernel_sel, RT_SEL_PD, BUSY);
		else if (self || r % 2)
			(void)hc_kp_unmap(kernel_sel);
		else
			ASSERT_OK(rt_revoke(kernel_sel));
		smp_progress(self);
		if (!smp_barrier())
			return;
		if (!self && r % 2) {
			if (hc_kp_unmap(kernel_sel) != SUCCESS)
				ASSERT(!smp_try_store((volatile unsigned long *)BUSY, 1));
			ASSERT_OK(rt_revoke(kernel_sel));
		}
		if (!self)
			ASSERT(!smp_try_store((volatile unsigned long *)BUSY, 1));
		if (!smp_barrier())
			return;
	}
}

static void kernel_page_raced(void)
{
	NEED_CPUS(2);
	kernel_sel = smp_sel();
	each = smp_rounds(3000);
	smp_run(smp_count, map_or_unmap);
}

/* ---- Other PDs ---- */

static struct smp_agent agent;

static unsigned long agent_store(unsigned long p, unsigned long v)
{
	return smp_try_store((volatile unsigned long *)p, v);
}

static bool store_there(unsigned self, volatile unsigned long *p, unsigned long v)
{
	return smp_agent_do(&agent, self, agent_store, (unsigned long)p, v);
}

static enum status give_agent(unsigned which)
{
	return hc_delegate(RT_SEL_PD, agent.pd, rt_mem((uint64_t)page[which], 0, RT_MEM_RW), ITEM_DELEGATE,
			   rt_mem(BUSY, 0, RT_MEM_RW), NULL);
}

static enum status take_agent(void)
{
	return hc_revoke(rt_mem(BUSY, 0, PERM_ALL), REVOKE_REMOTE, agent.pd);
}

static void agent_loses_page(void)
{
	for (unsigned long r = 0; r < each; r++) {
		ASSERT_OK(give_agent(0));
		ASSERT(noise(page[0]));
		smp_delay(&seed, 200);
		if (r % 3) {
			ASSERT_OK(take_agent());
			ASSERT(silence(page[0]));
			continue;
		}
		ASSERT_OK(give_agent(1));
		for (unsigned i = 1; i < smp_count; i++)
			page[0][i] = 0;
		ASSERT(noise(page[1]));
		for (unsigned i = 1; i < smp_count; i++)
			ASSERT_EQ(page[0][i], 0);
	}
}

/* The writers switch into the PD for each store: the page may go in the middle of a switch. */
static void pd_switched_to(void)
{
	need_pages();
	NEED_CPUS(2);
	agent = (struct smp_agent){0};
	smp_agent_make(&agent, smp_count);
	try_store = store_there;
	fight(agent_loses_page, 300);
}

/* The page goes while the PD runs nowhere; CPUs that keep its translations must not use them later. */

static bool expect_hit;
static volatile unsigned long wrong;

static void store_once(unsigned self)
{
	if ((bool)smp_agent_do(&agent, self, agent_store, BUSY + self * 8, self + 1000) != expect_hit)
		smp_inc(&wrong);
	smp_progress(self);
}

static bool all_store(bool hit)
{
	expect_hit = hit;
	wrong = 0;
	smp_run(smp_count, store_once);
	return EXPECT_EQ(wrong, 0);
}

static void pd_not_running(void)
{
	need_pages();
	agent = (struct smp_agent){0};
	smp_agent_make(&agent, smp_count);
	for (unsigned long r = 0, n = smp_rounds(200); r < n; r++) {
		ASSERT_OK(give_agent(r % 2));
		ASSERT(all_store(true));
		for (unsigned i = 0; i < smp_count; i++) {
			ASSERT_EQ(page[r % 2][i], i + 1000);
			page[r % 2][i] = 0;
		}
		if (r % 3) {
			ASSERT_OK(take_agent());
			ASSERT(all_store(false));
		}
	}
}

/* A PD's end, and another that may get its tag, its tables, its memory. */
static void pd_after_pd(void)
{
	struct rt_ec kept[SMP_MAX] = {0};

	need_pages();
	for (unsigned long r = 0, n = smp_rounds(60); r < n; r++) {
		sel_t first = 0;

		for (unsigned i = 0; i < SMP_MAX; i++) {
			kept[i].stack = agent.ec[i].stack;
			kept[i].utcb = agent.ec[i].utcb;
		}
		agent = (struct smp_agent){0};
		for (unsigned i = 0; i < SMP_MAX; i++)
			agent.ec[i] = kept[i];
		smp_agent_make(&agent, smp_count);
		first = agent.pd;
		if (r % 2) {
			ASSERT_OK(give_agent(0));
			ASSERT(all_store(true));
		} else {
			ASSERT(all_store(false));
		}
		for (unsigned i = 0; i < smp_count; i++) {
			ASSERT_OK(rt_revoke(agent.pt[i]));
			ASSERT_OK(rt_revoke(agent.ec[i].sel));
		}
		ASSERT_OK(rt_revoke(first));
	}
}

static const struct test tests[] = {
	TEST(revoked_page),
	TEST(replaced_page),
	TEST(narrowed_rights),
	TEST(unmapped_by_delegation),
	TEST(large_page),
	TEST(table_becomes_large),
	TEST(utcb),
	TEST(kernel_page),
	TEST(kernel_page_revoked),
	TEST(kernel_page_raced),
	TEST(pd_switched_to),
	TEST(pd_not_running),
	TEST(pd_after_pd),
};

bool main(void)
{
	return smp_test_run("smp_tlb", tests, RT_ARRAY(tests));
}
