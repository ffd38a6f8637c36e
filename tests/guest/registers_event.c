/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers across exceptions, at the start of a thread, and single steps up to a hypercall. */
#include "registers.h"

#include "rt/hip.h"
#include "rt/string.h"

static struct xarea initial;
static unsigned long handled_rip;

/* Uses the extended state, and skips the instruction. */
static void skip(struct utcb *u, void *length)
{
	static struct xarea x;

	xarea_random(&x);
	__asm__ volatile("xrstor64 %0" : : "m"(x), "a"(-1), "d"(-1) : "memory");
	handled_rip = u->state.rip;
	u->state.rip += (unsigned long)length;
	u->state.mtd = MTD_RIP_LEN;
}

static struct server handler;
static sel_t handler_events;

/* A local EC that runs `fn`, and events of its own. */
static struct server victim;

static void run_stub(RT_UNUSED struct utcb *u, void *stub)
{
	registers_run((void (*)(void))stub);
}

static void make_victim(unsigned vector, unsigned long mtd, void *length, void (*stub)(void))
{
	handler_events = sel_block(5);
	server_make(&handler, skip, NULL);
	ASSERT_OK(rt_pt_at(handler_events + vector, &handler.ec, mtd, skip, length));
	server_make_in(&victim, RT_SEL_PD, handler_events, run_stub, (void *)stub);
}

static void exceptions(void)
{
	make_victim(6, MTD_RIP_LEN, (void *)2, regs_ud2);
	for (unsigned i = 0; i < 20; i++) {
		registers_randomize();
		ASSERT_OK(hc_call(victim.pt));
		EXPECT_EQ(handled_rip, regs_ud2_at);
		registers_unchanged(0, "registers across #UD");
	}
}

/* A handler that gets and answers all general registers and changes none. */
static void exceptions_with_state(void)
{
	make_victim(3, MTD_RIP_LEN | MTD_RSP | MTD_RFLAGS | MTD_GPR_ACDB | MTD_GPR_BSD | MTD_GPR_R8_R15 | MTD_QUAL,
		    (void *)0, regs_int3);
	for (unsigned i = 0; i < 20; i++) {
		registers_randomize();
		ASSERT_OK(hc_call(victim.pt));
		EXPECT_EQ(handled_rip, regs_int3_next);
		registers_unchanged(0, "registers across #BP");
	}
}

/* A global EC starts with nothing but its stack pointer. It ends by replying to nobody. */
static void thread_begins_clean(void)
{
	const unsigned long sp = 0xfedcba9876543210;
	struct regs want = {.gpr = {[R_SP] = sp}};
	sel_t ec = sel_new(), sc = sel_new(), events = sel_block(5);
	const char *differs;

	server_make(&handler, skip, (void *)regs_portal);
	ASSERT_OK(rt_pt_at(events + HEDRON_EXC_STARTUP, &handler.ec, MTD_RIP_LEN, skip, (void *)regs_portal));
	xarea_initial(&initial);
	registers_randomize();
	regs_extended = 1;
	xarea_random(&regs_xanswer);
	memset(&regs_seen, 0xff, sizeof(regs_seen));
	ASSERT_OK(hc_create_ec(ec, RT_SEL_PD, rt_cpu, 0, sp, events, CREATE_EC_GLOBAL));
	ASSERT_OK(hc_create_sc(sc, RT_SEL_PD, ec, 10, 1000)); /* runs at once, and parks itself */
	regs_same(&regs_seen, &want, REGS_ALL, "first dispatch");
	EXPECT_EQ(handled_rip, 0);
	EXPECT_EQ(regs_seen.fs, 0);
	EXPECT_EQ(regs_seen.gs, 0);
	differs = xarea_difference(&regs_xseen, &initial);
	if (differs)
		test_fail(__FILE__, __LINE__, "extended state is not the initial one: %s", differs);
}

static unsigned long steps;

static void step(struct utcb *u, RT_UNUSED void *unused)
{
	steps++;
	if (steps > 1000)
		u->state.rflags &= ~(1ul << 8);
	u->state.mtd = MTD_RFLAGS;
}

/* Single-stepping up to a SYSCALL ends there; the kernel itself is not stepped. */
static void single_step(void)
{
	registers_randomize();
	make_victim(6, MTD_RIP_LEN, (void *)2, regs_syscall);
	ASSERT_OK(rt_pt_at(handler_events + 1, &handler.ec, MTD_RFLAGS, step, NULL));
	registers_arguments((struct hc_regs){HC_ARG1(HC_EC_CTRL, 0, 0), 0, 0, 0, 0});
	regs_in.rflags |= 1ul << 8;
	steps = 0;
	ASSERT_OK(hc_call(victim.pt));
	EXPECT_EQ(regs_out.gpr[R_DI] & 0xff, BAD_PAR);
	EXPECT(steps >= R_COUNT && steps < 200);
	EXPECT(!(regs_out.rflags & 1ul << 8));
	registers_unchanged(REGS_LOST | 1 << R_DI, "single step");
}

const struct test registers_event_tests[] = {
	TEST(exceptions), TEST(exceptions_with_state), TEST(thread_begins_clean), TEST(single_step), {},
};
