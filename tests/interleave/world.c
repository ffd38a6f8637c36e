/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/crowd.h"
#include "core/ipc.h"
#include "core/sm.h"
#include "kernel_side.h"
#include "machine.h"
#include "memory.h"
#include "report.h"
#include "syscall/syscall.h"
#include "variables.h"
#include "world_state.h"

#include <hedron/crd.h>

struct world world;

void world_ends(const struct sm *sm)
{
	if (machine_running() >= 0 && world.scenario->no_up_at_the_end && sm->owed > 0)
		report_fail("a semaphore has ended and still owes %d units that ups have promised", sm->owed);
}

/* ---- user mode ---- */

static int current_thread(void)
{
	for (int t = 0; t < WORLD_THREADS; t++)
		if (world.threads[t].ec == interleave_cpu->ec)
			return t;
	return -1;
}

static void enter_dispatch(void *unused)
{
	struct ec *self = interleave_cpu->ec;
	const struct regs *r = &self->regs;

	(void)unused;
	self->regs.rdi = syscall_dispatch(r->rdi, r->rsi, r->rdx, self, r->r8);
	arch_return_syscall(self);
}

static void enter_call(void *arg1)
{
	arch_return_syscall(ipc_call((u64)arg1, 0, 0, 0, interleave_cpu, interleave_cpu->ec));
}

static void enter_reply(void *arg1)
{
	arch_return_syscall(ipc_reply((u64)arg1, 0, 0, 0, interleave_cpu, interleave_cpu->ec));
}

static void enter_suspend(void *lost)
{
	interleave_suspend((unsigned)(u64)lost);
	interleave_cpu->ec->regs.rdi = SUCCESS;
	arch_return_syscall(interleave_cpu->ec);
}

static void enter_log(void *unused)
{
	(void)unused;
	interleave_log();
	interleave_cpu->ec->regs.rdi = SUCCESS;
	arch_return_syscall(interleave_cpu->ec);
}

static void hypercall(u64 arg1, u64 arg2, u64 arg3, u64 arg4, u64 arg5)
{
	struct regs *r = &interleave_cpu->ec->regs;

	r->rdi = arg1;
	r->rsi = arg2;
	r->rdx = arg3;
	r->rax = arg4;
	r->r8 = arg5;
	kernel_side_enter(enter_dispatch, NULL);
}

#define ARG1(hc, flag, sel) ((u64)(hc) | (u64)(flag) << 8 | (u64)(sel) << 12)

#define PORT_CRD crd_make(CRD_PIO, WORLD_PORTS, WORLD_PORTS_ORDER, PERM_ALL)

static crd_t one(u64 sel)
{
	return crd_make(CRD_OBJ, sel, 0, PERM_ALL);
}

static void perform_ipc(const struct op *op)
{
	u64 sel = WORLD_OBJECT(op->object);

	if (op->kind == OP_CALL || op->kind == OP_CALL_NOWAIT)
		kernel_side_enter(enter_call, (void *)ARG1(HC_CALL, op->kind == OP_CALL_NOWAIT, sel));
	else
		kernel_side_enter(enter_reply, (void *)ARG1(HC_REPLY, 0, op->kind == OP_REPLY_DOWN ? sel : 0));
}

static void perform_hypercall(const struct op *op)
{
	u64 sel = WORLD_OBJECT(op->object);

	switch (op->kind) {
	case OP_UP:
		return hypercall(ARG1(HC_SM_CTRL, 0, sel), 0, 0, 0, 0);
	case OP_DOWN:
		return hypercall(ARG1(HC_SM_CTRL, 1, sel), 0, 0, 0, 0);
	case OP_ZERO:
		return hypercall(ARG1(HC_SM_CTRL, 3, sel), 0, 0, 0, 0);
	case OP_YIELD:
		return hypercall(ARG1(HC_EC_CTRL, 1, 0), 0, 0, 0, 0);
	case OP_REVOKE:
		return hypercall(ARG1(HC_REVOKE, 1, 0), crd_make(CRD_OBJ, op->object, op->arg, PERM_ALL), 0, 0, 0);
	case OP_TAKE:
		return hypercall(ARG1(HC_PD_CTRL, 2, WORLD_PD(0)), WORLD_PD(0), one(op->object), 1,
				 one(WORLD_OBJECT(op->arg)));
	case OP_GIVE:
		return hypercall(ARG1(HC_PD_CTRL, 2, WORLD_PD(0)), WORLD_PD(op->arg), one(op->object), 1,
				 one(op->object));
	case OP_CREATE_SM:
		return hypercall(ARG1(HC_CREATE_SM, 0, sel), WORLD_PD(0), op->arg, 0, 0);
	case OP_CREATE_SM_OF:
		return hypercall(ARG1(HC_CREATE_SM, 0, sel), WORLD_OBJECT(op->arg), 0, 0, 0);
	case OP_CREATE_PD:
		return hypercall(ARG1(HC_CREATE_PD, 0, sel), WORLD_PD(0),
				 op->arg ? crd_make(CRD_OBJ, 0, op->arg, PERM_ALL) : 0, 0, 0);
	case OP_TIME:
		return hypercall(ARG1(HC_SC_CTRL, 0, WORLD_SC(op->object)), 0, 0, 0, 0);
	case OP_SUSPEND:
		kernel_side_enter(enter_suspend, (void *)(u64)op->arg);
		return;
	case OP_LOG:
		kernel_side_enter(enter_log, NULL);
		return;
	case OP_POKE:
		return hypercall(ARG1(HC_VCPU_CTRL, 1, sel), 0, 0, 0, 0);
	case OP_RUN:
		return hypercall(ARG1(HC_VCPU_CTRL, 0, sel), 0, 0, 0, 0);
	case OP_UNMAP:
		return hypercall(ARG1(HC_REVOKE, 3, 0), crd_make(CRD_MEM, WORLD_PAGE + op->object, 0, PERM_ALL),
				 WORLD_PD(op->arg), 0, 0);
	case OP_GIVE_PORTS:
		return hypercall(ARG1(HC_PD_CTRL, 2, WORLD_PD(op->object)), WORLD_PD(op->arg), PORT_CRD, 1, PORT_CRD);
	case OP_REVOKE_PORTS:
		return hypercall(ARG1(HC_REVOKE, 3, 0), PORT_CRD, WORLD_PD(op->object), 0, 0);
	default:
		report_fail("no such operation");
	}
}

/* Operations that make no hypercall. */
static void perform_user(unsigned t, const struct op *op)
{
	if (op->kind == OP_TOUCH) {
		bool late = world.unmapped;
		if (kernel_side_touch(WORLD_PAGE) && late)
			report_fail("CPU %u still uses a translation after the unmap has returned",
				    interleave_cpu->id);
	} else if (op->kind == OP_SAY) {
		memory_drain(); /* a store: others see those before it first */
		world.flags[op->arg] = true;
		machine_changed();
	} else if (op->kind == OP_WORK) {
		memory_drain(); /* no store stays in a buffer for so long */
		world.threads[t].worked += WORLD_WORK;
		interleave_tsc_add(WORLD_WORK);
	}
}

static bool is_user(const struct op *op)
{
	return op->kind == OP_TOUCH || op->kind == OP_SAY || op->kind == OP_LOOP || op->kind == OP_AWAIT ||
	       op->kind == OP_WORK;
}

/* Kernel code takes time, too, and what another CPU has charged may be on its way for a moment. */
#define TIME_SLACK (WORLD_WORK / 10)

static void check_time(struct world_thread *who, const struct regs *r)
{
	u64 time = r->rsi << 32 | r->rdx;

	if (time + TIME_SLACK < who->seen)
		report_fail("a time of %lu has gone back to %lu", who->seen, time);
	if (time > who->worked + TIME_SLACK)
		report_fail("a time of %lu is more than %lu", time, who->worked);
	who->seen = time;
}

/* The last operation has returned to the thread. */
static void finish(unsigned t)
{
	const struct op *op = &world.scenario->threads[t].ops[world.threads[t].at];
	enum status s = (enum status)(u8)world.threads[t].ec->regs.rdi;

	world.threads[t].under_way = false;
	report_note("thread %u: operation %u returns %d", t, world.threads[t].at, s);
	if (!((op->expect ? op->expect : OK) >> s & 1))
		report_fail("operation %u of thread %u returns status %d", world.threads[t].at, t, s);
	if (op->kind == OP_UNMAP && !op->object)
		world.unmapped = true;
	if (op->kind == OP_TIME)
		check_time(&world.threads[op->object], &world.threads[t].ec->regs);
	world.threads[t].at++;
}

static void take_nmis(void)
{
	if (machine_nmi_point() && interleave_cpu->hazard)
		kernel_side_after_nmi();
}

/* A handler begins at its beginning with each call. */
static bool restarts(const struct op *op)
{
	return op->kind == OP_REPLY || op->kind == OP_REPLY_DOWN;
}

static void begin(unsigned t, const struct op *op)
{
	report_note("thread %u: operation %u", t, world.threads[t].at);
	if (restarts(op)) {
		world.threads[t].at = 0;
		world.threads[t].under_way = false;
	} else {
		world.threads[t].under_way = true;
	}
	if (op->kind == OP_END)
		world.threads[t].ended = true;
	if (op->kind == OP_END || op->kind == OP_CALL || op->kind == OP_CALL_NOWAIT || restarts(op))
		perform_ipc(op);
	else
		perform_hypercall(op);
}

/* Waits for a flag, which is seen without an NMI, or for nothing but NMIs. */
static void wait_in_user_mode(bool for_flag)
{
	if (for_flag)
		machine_spin();
	else
		machine_user_loop();
	if (interleave_cpu->hazard)
		kernel_side_after_nmi();
}

static void step(unsigned t)
{
	const struct op *op = &world.scenario->threads[t].ops[world.threads[t].at];

	if (!is_user(op)) {
		begin(t, op);
	} else if (op->kind == OP_LOOP || (op->kind == OP_AWAIT && !world.flags[op->arg])) {
		world.threads[t].ended = op->kind == OP_LOOP;
		wait_in_user_mode(op->kind == OP_AWAIT);
	} else {
		perform_user(t, op);
		world.threads[t].at++;
		if (interleave_cpu->hazard) /* an NMI has hit the operation */
			kernel_side_after_nmi();
	}
}

static void idle(void)
{
	struct cpu *cpu = interleave_cpu;
	bool mwait = cpu->sleeping == SLEEPING_MWAIT;

	for (;;) {
		machine_nmi_point();
		/* An NMI that sets a hazard after the look at it, before the CPU sleeps, ends the sleep
		 * (entry/nmi.c). */
		if (!interleave_idle_may_sleep(cpu) || cpu->hazard)
			break;
		machine_sleep(mwait ? (const u64 *)&cpu->mailbox.newest : NULL);
	}
	interleave_idle_end(cpu);
	kernel_side_dispatch();
}

/* What a CPU does for ever: sleeps while it is idle, else goes on with the thread that the kernel has chosen. */
static void cpu_main(unsigned n)
{
	(void)n;
	for (;;) {
		struct cpu *cpu = interleave_cpu;
		if (cpu->ec == cpu->idle_ec) {
			idle();
			continue;
		}
		take_nmis();
		if (cpu->ec == cpu->idle_ec)
			continue;
		int t = current_thread();
		if (t < 0)
			report_fail("an EC runs that is nobody's");
		if (world.threads[t].ec->special & EC_DEAD)
			report_fail("a dead EC runs");
		if (world.threads[t].under_way)
			finish((unsigned)t);
		else
			step((unsigned)t);
	}
}

void world_boot(void)
{
	space_mem_claim(paddr(0), PAGE_SIZE);
	variables_keep();
}

u32 interleave_crowd = ~0u;

bool world_run(const struct scenario *s)
{
	report_reset();
	world.scenario = s;
	world_make();
	if (s->crowded)
		interleave_crowd = 1;
	machine_run(s->cpus, cpu_main);
	interleave_crowd = ~0u;
	if (!report_failure())
		world_check();
	if (!report_failure())
		world_unmake();
	return !report_failure();
}
