/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers: what a hypercall, a message, an exception and a preemption leave alone.
 *
 * Compilers and hand-written stubs rely on it that SYSCALL loses RCX, R11 and the output registers and nothing else:
 * not one general register, not FS and GS base, nothing of the extended state. The kernel on the other hand saves as
 * little as it can (most hypercalls do not store the user's registers at all), hence each way through it deserves a
 * look: calls that succeed and that fail, that block, that wake somebody who runs first.
 *
 * All registers get random values, RSP too: the kernel neither uses nor checks the user's stack pointer, so any value
 * has to survive. Extended state is made up as an XSAVE image with each component in use, loaded right before the
 * instruction and stored right behind it. Between ECs the state must neither leak nor mix: they get different images,
 * and combinations with parts in their initial configuration, because a kernel that tracks what is in use may forget
 * exactly those (MXCSR belongs to no component's use at all).
 *
 * New ECs begin with zeroed registers and the initial extended state, whatever ran before on that CPU.
 */
#include "registers.h"

#include "rt/hip.h"
#include "rt/message.h"
#include "rt/panic.h"
#include "rt/pool.h"
#include "rt/start.h"

static void set_bases(const struct regs *r)
{
	__asm__ volatile("wrfsbase %0; wrgsbase %1" : : "r"(r->fs), "r"(r->gs));
}

void registers_bases(struct regs *r)
{
	__asm__ volatile("rdfsbase %0; rdgsbase %1" : "=r"(r->fs), "=r"(r->gs));
}

void registers_run(void (*stub)(void))
{
	regs_extended = 1;
	set_bases(&regs_in);
	stub();
	registers_bases(&regs_out);
	__asm__ volatile("wrfsbase %0; wrgsbase %0" : : "r"(0ul));
}

void registers_randomize(void)
{
	regs_random(&regs_in);
	xarea_random(&regs_xin);
}

bool registers_unchanged(unsigned lost, const char *what)
{
	const char *differs = xarea_difference(&regs_xout, &regs_xin);

	if (regs_out.fs != regs_in.fs || regs_out.gs != regs_in.gs) {
		test_fail(what, 0, "FS or GS base changed: %lx %lx to %lx %lx", regs_in.fs, regs_in.gs, regs_out.fs,
			  regs_out.gs);
		return false;
	}
	if (differs) {
		test_fail(what, 0, "extended state changed: %s", differs);
		return false;
	}
	return regs_same(&regs_out, &regs_in, REGS_ALL & ~lost, what);
}

void registers_arguments(struct hc_regs r)
{
	regs_in.gpr[R_DI] = r.rdi;
	regs_in.gpr[R_SI] = r.rsi;
	regs_in.gpr[R_DX] = r.rdx;
	regs_in.gpr[R_AX] = r.rax;
	regs_in.gpr[R_8] = r.r8;
}

void registers_keep(const char *what, struct hc_regs r, enum status want, unsigned outs)
{
	registers_randomize();
	registers_arguments(r);
	registers_run(regs_syscall);
	if ((regs_out.gpr[R_DI] & 0xff) != want)
		test_fail(what, 0, "expected %s, got status %lu", rt_status(want), regs_out.gpr[R_DI] & 0xff);
	registers_unchanged(REGS_LOST | 1 << R_DI | outs, what);
}

static void failing_hypercalls(void)
{
	for (unsigned n = 0; n < 32; n++)
		if (n != HC_REPLY && n != HC_REVOKE && n != HC_EC_CTRL && n != HC_MACHINE_CTRL && n != HC_PD_CTRL) {
			struct hc_regs r = {HC_ARG1(n, 0, GUEST_NOTHING), GUEST_NOTHING, GUEST_NOTHING, 0, 0};

			registers_randomize();
			registers_arguments(r);
			registers_run(regs_syscall);
			EXPECT((regs_out.gpr[R_DI] & 0xff) != SUCCESS);
			registers_unchanged(REGS_LOST | 1 << R_DI, "a failing hypercall");
		}
	EXPECT_KEPT("ec_ctrl", BAD_PAR, 0, HC_EC_CTRL, 0, 0);
	EXPECT_KEPT("delegate", BAD_CAP, 0, HC_PD_CTRL, PD_CTRL_DELEGATE, GUEST_NOTHING, 0, 0, 0, 0);
	EXPECT_KEPT("revoke", BAD_CAP, 0, HC_REVOKE, REVOKE_REMOTE, 0, rt_obj(0, 0, 1), GUEST_NOTHING);
	EXPECT_KEPT("undefined", BAD_HYP, 0, 63, 0, 0, 1, 2, 3, 4);
	EXPECT_KEPT("reserved number 255", BAD_HYP, 0, 255, 0, 0, 1, 2, 3, 4);
}

static void succeeding_hypercalls(void)
{
	sel_t pd = sel_new(), ec = sel_new(), sc = sel_new(), pt = sel_new(), sm = sel_new(), local = sel_new();

	EXPECT_KEPT("create_pd", SUCCESS, OUT2, HC_CREATE_PD, 0, pd, RT_SEL_PD, rt_obj(0, 5, PERM_ALL));
	EXPECT_KEPT("create_ec", SUCCESS, OUT2, HC_CREATE_EC, 1, ec, RT_SEL_PD, rt_va(1, 1) | rt_cpu, 7,
		    GUEST_NOTHING);
	EXPECT_KEPT("create_ec local", SUCCESS, OUT2, HC_CREATE_EC, 0, local, RT_SEL_PD, rt_cpu, 7, GUEST_NOTHING);
	EXPECT_KEPT("create_pt", SUCCESS, OUT2, HC_CREATE_PT, 0, pt, RT_SEL_PD, local, 0, 0x1000);
	EXPECT_KEPT("create_sm", SUCCESS, OUT2, HC_CREATE_SM, 0, sm, RT_SEL_PD, 1);
	EXPECT_KEPT("create_sc", SUCCESS, OUT2, HC_CREATE_SC, 0, sc, RT_SEL_PD, ec, 1 << 12 | RT_PRIO);
	EXPECT_KEPT("pt_ctrl", SUCCESS, OUT2, HC_PT_CTRL, 0, pt, 5);
	EXPECT_KEPT("sc_ctrl", SUCCESS, OUT2 | 1 << R_DX, HC_SC_CTRL, 0, RT_SEL_SC);
	EXPECT_KEPT("down", SUCCESS, OUT2, HC_SM_CTRL, SM_CTRL_DOWN, sm);
	EXPECT_KEPT("up", SUCCESS, OUT2, HC_SM_CTRL, SM_CTRL_UP, sm);
	EXPECT_KEPT("zero", SUCCESS, OUT2, HC_SM_CTRL, SM_CTRL_DOWN | SM_CTRL_ZERO, sm);
	EXPECT_KEPT("lookup", SUCCESS, OUT2, HC_PD_CTRL, PD_CTRL_LOOKUP, 0, rt_obj(sm, 0, 0));
	EXPECT_KEPT("delegate", SUCCESS, OUT2 | 1 << R_DX | 1 << R_AX, HC_PD_CTRL, PD_CTRL_DELEGATE, RT_SEL_PD, pd,
		    rt_obj(sm, 0, 3), ITEM_DELEGATE, rt_obj(100, 0, 3));
	EXPECT_KEPT("delegate memory", SUCCESS, OUT2 | 1 << R_DX | 1 << R_AX, HC_PD_CTRL, PD_CTRL_DELEGATE, RT_SEL_PD,
		    pd, rt_mem(0x400000, 0, 7), ITEM_DELEGATE, rt_mem(0x400000, 0, 7));
	EXPECT_KEPT("yield", SUCCESS, OUT2, HC_EC_CTRL, EC_CTRL_YIELD, 0); /* the global EC runs, and is killed */
	EXPECT_KEPT("revoke", SUCCESS, OUT2, HC_REVOKE, REVOKE_SELF, 0, rt_obj(pd, 0, PERM_ALL));
}

/* Values of RSP that a kernel might stumble over. */
static void stack_pointers(void)
{
	static const unsigned long values[] = {0,
					       1,
					       7,
					       0xfff,
					       ~0ul,
					       0x7fffffffefff,
					       HEDRON_USER_END,
					       0x800000000000,
					       0x8000000000000000,
					       0xffff800000000000,
					       0xffffc00000000000,
					       0xfffffe0000000000,
					       0xffffffff80000000,
					       0xffffffffc0003000};

	for (unsigned i = 0; i < RT_ARRAY(values); i++) {
		registers_randomize();
		registers_arguments((struct hc_regs){HC_ARG1(HC_EC_CTRL, EC_CTRL_YIELD, 0), 0, 0, 0, 0});
		regs_in.gpr[R_SP] = values[i];
		registers_run(regs_syscall);
		registers_unchanged(REGS_LOST | 1 << R_DI | OUT2, "RSP across yield");
		registers_arguments((struct hc_regs){HC_ARG1(HC_PT_CTRL, 0, GUEST_NOTHING), 0, 0, 0, 0});
		registers_run(regs_syscall);
		registers_unchanged(REGS_LOST | 1 << R_DI, "RSP across a failing hypercall");
	}
}

const struct test registers_hypercall_tests[] = {
	TEST(failing_hypercalls),
	TEST(succeeding_hypercalls),
	TEST(stack_pointers),
	{},
};

bool main(void)
{
	static const struct test *const tables[] = {registers_hypercall_tests, registers_ipc_tests,
						    registers_event_tests, registers_selector_tests, NULL};

	return guest_run_tables("registers", tables);
}
