/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers of ECs that call each other, preempt each other and wait for each other. */
#include "registers.h"

#include "rt/hip.h"
#include "rt/size.h"
#include "rt/start.h"
#include "rt/string.h"

#define MXCSR_AT 24
#define HEADER_AT 512

static struct server callee;
static struct xarea initial;

/* A callee whose entry point stores all it finds and answers with regs_answer. */
static void make_callee(unsigned long sp)
{
	callee.ec = (struct rt_ec){.sel = sel_new()};
	callee.pt = sel_new();
	ASSERT_OK(hc_create_ec(callee.ec.sel, RT_SEL_PD, rt_cpu, 0, sp, guest_events, 0));
	ASSERT_OK(hc_create_pt(callee.pt, RT_SEL_PD, callee.ec.sel, 0, (unsigned long)regs_portal));
	ASSERT_OK(hc_pt_ctrl(callee.pt, 0xabcdef0123456789));
	regs_random(&regs_answer);
	xarea_random(&regs_xanswer);
	xarea_initial(&initial);
}

static void call_callee(void)
{
	registers_arguments((struct hc_regs){HC_ARG1(HC_CALL, 0, callee.pt), guest_random(), 1, 2, 3});
	registers_run(regs_syscall);
	EXPECT_EQ(regs_out.gpr[R_DI] & 0xff, SUCCESS);
	registers_unchanged(REGS_LOST | 1 << R_DI, "the caller's registers");
}

/* At its first call a callee has its portal's id, its stack pointer and nothing else. */
static void callee_begins_clean(void)
{
	const unsigned long sp = 0x123456789abcdef1;
	struct regs want = {.gpr = {[R_SP] = sp, [R_DI] = 0xabcdef0123456789}};
	const char *differs;

	make_callee(sp);
	registers_randomize();
	call_callee();
	regs_same(&regs_seen, &want, REGS_ALL & ~REGS_LOST, "first entry");
	EXPECT_EQ(regs_seen.fs, 0);
	EXPECT_EQ(regs_seen.gs, 0);
	differs = xarea_difference(&regs_xseen, &initial);
	if (differs)
		test_fail(__FILE__, __LINE__, "extended state is not the initial one: %s", differs);
}

/* RCX and R11 never show anybody else's values. */
static void callee_gets_no_leftovers(void)
{
	make_callee(0);
	registers_randomize();
	regs_in.gpr[R_CX] = regs_in.gpr[R_11] = 0x5ec2e7;
	call_callee();
	EXPECT(regs_seen.gpr[R_CX] != 0x5ec2e7);
	EXPECT(regs_seen.gpr[R_11] != 0x5ec2e7);
}

/* Later it has what it left at its last reply, whatever its callers had. */
static void callee_keeps_its_registers(void)
{
	struct regs left;
	struct xarea xleft;
	const char *differs;

	make_callee(0);
	registers_randomize();
	call_callee();
	for (unsigned i = 0; i < 20; i++) {
		left = regs_answer;
		xleft = regs_xanswer;
		left.gpr[R_DI] = 0xabcdef0123456789;
		regs_random(&regs_answer);
		xarea_random(&regs_xanswer);
		registers_randomize();
		call_callee();
		regs_same(&regs_seen, &left, REGS_ALL & ~REGS_LOST, "callee");
		EXPECT_EQ(regs_seen.fs, left.fs);
		EXPECT_EQ(regs_seen.gs, left.gs);
		differs = xarea_difference(&regs_xseen, &xleft);
		if (differs)
			test_fail(__FILE__, __LINE__, "round %u: callee's extended state changed: %s", i, differs);
	}
}

/* Parts of the state in use: bits of XSTATE_BV, and MXCSR, which no bit stands for. */
static void make_partial(struct xarea *x, unsigned long in_use, unsigned mxcsr)
{
	unsigned long features;

	xarea_random(x);
	memcpy(&features, &x->byte[HEADER_AT], 8);
	features &= in_use;
	memcpy(&x->byte[HEADER_AT], &features, 8);
	memcpy(&x->byte[MXCSR_AT], &mxcsr, 4);
}

/* What XRSTOR makes of an image, as an image. */
static void settle(struct xarea *x)
{
	static struct xarea out;

	memset(&out, 0, sizeof(out));
	__asm__ volatile("xrstor64 %1; xsave64 %0" : "+m"(out) : "m"(*x), "a"(-1), "d"(-1));
	memcpy(x, &out, sizeof(out));
}

static void parts_in_use(void)
{
	static const unsigned long parts[] = {0, 1, 2, 4, 3, 6, 7, 0xe0, 0xe7};
	static const unsigned mxcsr[] = {0x1f80, 0x1fbf, 0x7f80};
	enum { COMBINATIONS = RT_ARRAY(parts) * RT_ARRAY(parts) };
	static struct xarea left;

	make_callee(0);
	make_partial(&regs_xanswer, 7, 0x1f80);
	registers_randomize();
	call_callee();
	for (unsigned i = 0; i < COMBINATIONS * RT_ARRAY(mxcsr); i++) {
		const char *differs;

		left = regs_xanswer;
		settle(&left);
		make_partial(&regs_xanswer, parts[i % RT_ARRAY(parts)], mxcsr[i / COMBINATIONS]);
		make_partial(&regs_xin, parts[i / RT_ARRAY(parts) % RT_ARRAY(parts)],
			     mxcsr[(i / COMBINATIONS + 1) % RT_ARRAY(mxcsr)]);
		settle(&regs_xin);
		call_callee();
		differs = xarea_difference(&regs_xseen, &left);
		if (differs)
			test_fail(__FILE__, __LINE__, "combination %u: callee's %s", i, differs);
	}
}

/* Flags that could disturb the kernel: NT, DF, AC, ID, and all arithmetic flags. */
static void flags(void)
{
	static const unsigned long bits[] = {1ul << 14, 1ul << 10, 1ul << 18, 1ul << 21, 0x8d5, 0x44cd5};

	make_callee(0);
	for (unsigned i = 0; i < RT_ARRAY(bits); i++) {
		registers_randomize();
		regs_in.rflags |= bits[i];
		call_callee();
		EXPECT(!(regs_out.rflags & (1ul << 14 | 1ul << 12 | 1ul << 13 | 1ul << 8 | 1ul << 17)));
		registers_arguments((struct hc_regs){HC_ARG1(HC_EC_CTRL, EC_CTRL_YIELD, 0), 0, 0, 0, 0});
		registers_run(regs_syscall);
		registers_unchanged(REGS_LOST | 1 << R_DI | OUT2, "yield with odd flags");
	}
}

/* A thread of higher priority that keeps a state of its own while main's hypercalls wake it. */
static struct {
	sel_t wake, done;
	struct xarea own, seen;
	unsigned long rounds, wrong;
} other;

static void keep_state(RT_UNUSED void *unused)
{
	xarea_random(&other.own);
	for (;;) {
		__asm__ volatile("xrstor64 %0" : : "m"(other.own), "a"(-1), "d"(-1) : "memory");
		__asm__ volatile("wrfsbase %0; wrgsbase %0" : : "r"(other.rounds));
		hc_sm_down(other.wake);
		memset(&other.seen, 0, sizeof(other.seen));
		__asm__ volatile("xsave64 %0" : "+m"(other.seen) : "a"(-1), "d"(-1));
		struct regs r;

		registers_bases(&r);
		other.wrong +=
			xarea_difference(&other.own, &other.seen) || r.fs != other.rounds || r.gs != other.rounds;
		other.rounds++;
	}
}

static void preemption(void)
{
	struct rt_ec ec;

	other.wake = sm_make(0);
	other.rounds = other.wrong = 0;
	thread_make(&ec, 5, keep_state, NULL);
	for (unsigned i = 0; i < 50; i++)
		EXPECT_KEPT("an up that preempts", SUCCESS, OUT2, HC_SM_CTRL, SM_CTRL_UP, other.wake);
	EXPECT_EQ(other.rounds, 50);
	EXPECT_EQ(other.wrong, 0);
}

/* Blocking in a semaphore while an equal works, and being woken by it. */
static void wake_main(RT_UNUSED void *unused)
{
	static struct xarea x;

	for (;;) {
		xarea_random(&x);
		__asm__ volatile("xrstor64 %0" : : "m"(x), "a"(-1), "d"(-1) : "memory");
		hc_sm_up(other.done);
		hc_yield();
	}
}

static void blocking(void)
{
	struct rt_ec ec;

	other.done = sm_make(0);
	thread_make(&ec, RT_PRIO, wake_main, NULL);
	for (unsigned i = 0; i < 50; i++)
		EXPECT_KEPT("a down that blocks", SUCCESS, OUT2, HC_SM_CTRL, SM_CTRL_DOWN, other.done);
}

const struct test registers_ipc_tests[] = {
	TEST(callee_begins_clean),
	TEST(callee_gets_no_leftovers),
	TEST(callee_keeps_its_registers),
	TEST(parts_in_use),
	TEST(flags),
	TEST(preemption),
	TEST(blocking),
	{},
};
