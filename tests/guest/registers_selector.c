/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Selectors in DS, ES, FS and GS: 64-bit code has no use for them, and can still load each with any of a dozen
 * values. The next PD must not find them, be it by a call, a reply, an exception, its answer or a preemption.
 */
#include "registers.h"

#include "rt/hip.h"
#include "rt/image.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/thread.h"

enum { SELECTORS = 4, THEIR_SM = 40, USER_DATA = 0x20, USER_CODE = 0x28 };

struct selectors {
	uint16_t sel[SELECTORS];
};

/* All that user mode can load: null ones, data, code that can be read; the rest faults. */
static const uint16_t loadable[] = {1, 2, 3, USER_DATA, USER_DATA | 3, USER_CODE, USER_CODE | 3};

static void load(struct selectors s)
{
	__asm__ volatile("mov %0, %%ds\n\tmov %1, %%es\n\tmov %2, %%fs\n\tmov %3, %%gs"
			 :
			 : "r"(s.sel[0]), "r"(s.sel[1]), "r"(s.sel[2]), "r"(s.sel[3]));
}

static struct selectors read(void)
{
	struct selectors s;

	__asm__ volatile("mov %%ds, %0\n\tmov %%es, %1\n\tmov %%fs, %2\n\tmov %%gs, %3"
			 : "=r"(s.sel[0]), "=r"(s.sel[1]), "=r"(s.sel[2]), "=r"(s.sel[3]));
	return s;
}

/* Only the n-th register is in use, or all of them. */
static struct selectors only(unsigned n, uint16_t sel)
{
	struct selectors s = {{0}};

	for (unsigned i = 0; i < SELECTORS; i++)
		s.sel[i] = i == n || n == SELECTORS ? sel : 0;
	return s;
}

static void expect_none(struct selectors s, const char *where)
{
	if (s.sel[0] || s.sel[1] || s.sel[2] || s.sel[3])
		test_fail(where, 0, "a stranger's selectors: ds %x es %x fs %x gs %x", s.sel[0], s.sel[1], s.sel[2],
			  s.sel[3]);
}

/* ---- call and reply ---- */

static struct selectors seen, theirs;

static unsigned long look_and_load(unsigned long fs, unsigned long gs, RT_UNUSED unsigned long unused)
{
	seen = read();
	load(theirs);
	__asm__ volatile("wrfsbase %0; wrgsbase %1" : : "r"(fs), "r"(gs));
	return 0;
}

static void by_call(void)
{
	struct agent a;

	agent_make(&a);
	for (unsigned i = 0; i < RT_ARRAY(loadable); i++)
		for (unsigned n = 0; n <= SELECTORS; n++) {
			struct selectors back;

			theirs = only(SELECTORS - n, loadable[i]);
			load(only(n, loadable[i]));
			agent_do(&a, look_and_load, 0, 0, 0);
			back = read();
			load(only(0, 0));
			expect_none(seen, "in the callee");
			expect_none(back, "back in the caller");
		}
}

/* The bases are what they were, although clearing a selector may clear its base. */
static void bases_stay(void)
{
	struct regs before = {.fs = 0x123456789000, .gs = 0x7edcba987000}, after;
	struct agent a;

	agent_make(&a);
	for (unsigned i = 0; i < RT_ARRAY(loadable); i++) {
		theirs = only(SELECTORS, loadable[i]);
		load(only(SELECTORS, loadable[i]));
		__asm__ volatile("wrfsbase %0; wrgsbase %1" : : "r"(before.fs), "r"(before.gs));
		agent_do(&a, look_and_load, 0x1000 + i, 0x2000 + i, 0);
		registers_bases(&after);
		__asm__ volatile("wrfsbase %0; wrgsbase %0" : : "r"(0ul));
		EXPECT_EQ(after.fs, before.fs);
		EXPECT_EQ(after.gs, before.gs);
	}
}

/* ---- exceptions ---- */

static struct selectors in_handler, in_victim;

static void skip_ud2(struct utcb *u, RT_UNUSED void *unused)
{
	in_handler = read();
	load(theirs);
	u->state.rip += 2;
	u->state.mtd = MTD_RIP_LEN;
}

static unsigned long fault(unsigned long sel, RT_UNUSED unsigned long y, RT_UNUSED unsigned long z)
{
	load(only(SELECTORS, (uint16_t)sel));
	__asm__ volatile("ud2");
	in_victim = read();
	load(only(0, 0));
	return 0;
}

static void by_exception(void)
{
	uint64_t image = (uint64_t)rt_image_start;
	sel_t events = sel_block(5), pd = sel_new();
	struct server handler;
	struct agent a;

	server_make(&handler, skip_ud2, NULL);
	ASSERT_OK(rt_pt_at(events + 6, &handler.ec, MTD_RIP_LEN, skip_ud2, NULL));
	ASSERT_OK(hc_create_pd(pd, RT_SEL_PD, rt_obj(events, 5, PERM_ALL), 0));
	ASSERT_OK(rt_mem_delegate(RT_SEL_PD, image, pd, image, (size_t)(rt_image_end - rt_image_start) / RT_PAGE,
				  RT_MEM_RWX, 0));
	agent_make_in(&a, pd);
	for (unsigned i = 0; i < RT_ARRAY(loadable); i++) {
		theirs = only(SELECTORS, loadable[i]);
		agent_do(&a, fault, loadable[i], 0, 0);
		expect_none(in_handler, "in the handler");
		expect_none(in_victim, "after its answer");
	}
}

/* ---- scheduling ---- */

static volatile unsigned long rounds;
static struct selectors in_thread;

static void wait_and_look(RT_UNUSED void *unused)
{
	for (;;) {
		hc_sm_down(THEIR_SM);
		in_thread = read();
		load(theirs);
		rounds++;
	}
}

static void by_preemption(void)
{
	sel_t pd = pd_make(), wake = sm_make(0);
	struct rt_ec ec = {.pd = pd, .cpu = rt_cpu, .events = 0, .sel = sel_new(), .sc = sel_new()};

	ASSERT_OK(delegate_obj(wake, pd, THEIR_SM, PERM_ALL));
	theirs = only(0, 0);
	rounds = 0;
	ASSERT_OK(rt_thread(&ec, 5, wait_and_look, NULL));
	for (unsigned i = 0; i < RT_ARRAY(loadable); i++) {
		struct selectors back;

		theirs = only(SELECTORS, loadable[i]);
		load(only(SELECTORS, loadable[i]));
		hc_sm_up(wake);
		back = read();
		load(only(0, 0));
		EXPECT_EQ(rounds, i + 1);
		expect_none(in_thread, "in the one who was woken");
		expect_none(back, "in the one who was preempted");
	}
}

const struct test registers_selector_tests[] = {
	TEST(by_call), TEST(bases_stay), TEST(by_exception), TEST(by_preemption), {},
};
