/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts as semaphores. Until they are opened nothing is different. From then on each interrupt of a source wakes
 * its handler once, wherever the CPU is at: in user code, asleep, in the kernel. What comes before it was
 * acknowledged comes once more then, and no source can come without end. Whoever loses the semaphore loses the
 * interrupt.
 */
#include "irq_device.h"
#include "smp.h"

#include "rt/cmdline.h"
#include "rt/cpu.h"
#include "rt/hip.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/start.h"
#include "rt/thread.h"

/* Ticks of the PIT, 838 ns each. In Bochs that is some ten instructions: handlers must leave time for others. */
enum { SOON = 100, NOW_AND_THEN = 2000 };
enum { ABOVE = SMP_PRIO + 10, RFLAGS_IF = 1 << 9 };

static sel_t sm;
static volatile unsigned long handled;

/* ---- the handler: a thread that is more important than the workers ---- */

static void handle(RT_UNUSED void *unused)
{
	while (hc_sm_down(sm) == SUCCESS)
		smp_inc(&handled);
}

static void handle_and_acknowledge(RT_UNUSED void *unused)
{
	while (hc_sm_down(sm) == SUCCESS) {
		smp_inc(&handled);
		hc_irq_ack(sm);
	}
}

/* A semaphore, and on the CPU of that worker who waits for it. */
static void begin(unsigned worker, void (*fn)(void *))
{
	static struct rt_ec ec;

	sm = smp_sm(0);
	handled = 0;
	ec = (struct rt_ec){0};
	smp_thread(&ec, worker, ABOVE, fn, NULL);
}

static struct hc_irq_counts counts(unsigned worker)
{
	struct hc_irq_counts c = {0};

	EXPECT_OK(hc_irq_count(smp_cpu(worker), &c));
	return c;
}

/* Time in which what should not come would come. */
static void linger(void)
{
	for (unsigned i = 0; i < 200000; i++)
		rt_pause();
}

static void acknowledge(void)
{
	EXPECT_OK(hc_irq_ack(sm));
}

/* ---- before ---- */

static unsigned long flags(void)
{
	unsigned long f;

	__asm__ volatile("pushfq\n\tpop %0" : "=r"(f));
	return f;
}

static void announced(void)
{
	EXPECT(rt_hip->api_flg & HIP_EXT_IRQ);
}

static void closed(void)
{
	struct hc_irq_counts c;
	struct hc_irq_message m;

	sm = smp_sm(0);
	EXPECT(!(flags() & RFLAGS_IF));
	EXPECT_ST(hc_irq_bind_line(sm, IRQ_LINE_ISA, rt_cpu), BAD_FTR);
	EXPECT_ST(hc_irq_bind_message(sm, rt_cpu, &m), BAD_FTR);
	EXPECT_ST(hc_irq_unbind(sm), BAD_FTR);
	EXPECT_ST(hc_irq_move(sm, rt_cpu), BAD_FTR);
	EXPECT_ST(hc_irq_ack(sm), BAD_FTR);
	EXPECT_ST(hc_irq_count(rt_cpu, &c), BAD_FTR);
	EXPECT_ST(hc_1(HC_ARG1(HC_IRQ_CTRL, IRQ_CTRL_COUNT + 1, sm)), BAD_PAR);
}

static unsigned long call_kernel(unsigned long arg1, unsigned long arg2)
{
	return hc_3(arg1, arg2, rt_cpu);
}

static struct smp_agent agent;

static void call_from_elsewhere(unsigned self)
{
	for (unsigned op = IRQ_CTRL_OPEN; op <= IRQ_CTRL_COUNT; op++)
		EXPECT_EQ(smp_agent_do(&agent, self, call_kernel, HC_ARG1(HC_IRQ_CTRL, op, 0), 0),
			  op == IRQ_CTRL_ACK ? BAD_FTR : BAD_CAP);
}

/* Only ECs of passthrough PDs; they may let others acknowledge. */
static void not_for_everybody(void)
{
	agent.pd = 0;
	smp_agent_make(&agent, 1);
	smp_run(1, call_from_elsewhere);
}

static bool guests_there(void)
{
	return rt_hip->api_flg & (HIP_FEATURE_VMX | HIP_FEATURE_SVM);
}

static enum status make_vcpu(sel_t made)
{
	sel_t kp[3];

	for (unsigned i = 0; i < 3; i++) {
		kp[i] = smp_sel();
		EXPECT_OK(hc_create_kp(kp[i], RT_SEL_PD));
	}
	return hc_create_vcpu(made, rt_cpu, RT_SEL_PD, kp[0], kp[1], kp[2]);
}

/* A guest of a passthrough PD takes interrupts itself. */
static void not_beside_guests_that_take_them(void)
{
	sel_t vcpu = smp_sel();

	if (!guests_there())
		SKIP("no virtualization");
	ASSERT_OK(make_vcpu(vcpu));
	EXPECT_ST(hc_irq_open(), BUSY);
	EXPECT(!(flags() & RFLAGS_IF));
	EXPECT_OK(rt_revoke(vcpu));
}

/* ---- opening ---- */

static void spin_until_open(unsigned self)
{
	if (!self)
		EXPECT_OK(hc_irq_open());
	SMP_WAIT(flags() & RFLAGS_IF);
}

/* CPUs in user mode, busy with other things, are told. */
static void opens_everywhere(void)
{
	smp_run(smp_count, spin_until_open);
	EXPECT(flags() & RFLAGS_IF);
	EXPECT_OK(hc_irq_open());
}

static void no_guests_that_take_them(void)
{
	if (!guests_there())
		SKIP("no virtualization");
	EXPECT_ST(make_vcpu(smp_sel()), BAD_FTR);
}

static void arguments(void)
{
	struct hc_irq_message m;
	struct hc_irq_counts c;
	sel_t other = smp_sm(0);

	sm = smp_sm(0);
	EXPECT_ST(hc_irq_bind_line(SMP_NOTHING, IRQ_LINE_ISA, rt_cpu), BAD_CAP);
	EXPECT_ST(hc_irq_bind_line(RT_SEL_PD, IRQ_LINE_ISA, rt_cpu), BAD_CAP);
	EXPECT_ST(hc_irq_bind_line(sm, IRQ_LINE_ISA | 16, rt_cpu), BAD_PAR);
	EXPECT_ST(hc_irq_bind_line(sm, IRQ_LINE_ISA | IRQ_LINE_LEVEL, rt_cpu), BAD_PAR);
	EXPECT_ST(hc_irq_bind_line(sm, 1ul << 35, rt_cpu), BAD_PAR);
	EXPECT_ST(hc_irq_bind_line(sm, 1000, rt_cpu), BAD_DEV);
	EXPECT_ST(hc_irq_bind_line(sm, IRQ_LINE_NUMBER, rt_cpu), BAD_DEV);
	EXPECT_ST(hc_irq_bind_line(sm, IRQ_LINE_ISA, 127), BAD_CPU);
	EXPECT_ST(hc_irq_bind_line(sm, IRQ_LINE_ISA, ~0u), BAD_CPU);
	EXPECT_ST(hc_irq_bind_message(sm, 128, &m), BAD_CPU);
	EXPECT_ST(hc_irq_count(128, &c), BAD_CPU);
	EXPECT_ST(hc_irq_unbind(sm), BAD_PAR);
	EXPECT_ST(hc_irq_move(sm, rt_cpu), BAD_PAR);
	EXPECT_ST(hc_irq_ack(sm), BAD_PAR);
	EXPECT_OK(hc_irq_bind_line(sm, IRQ_LINE_ISA, rt_cpu));
	EXPECT_ST(hc_irq_bind_message(sm, rt_cpu, &m), BUSY);
	EXPECT_ST(hc_irq_bind_line(other, IRQ_LINE_ISA, rt_cpu), BUSY);
	EXPECT_OK(hc_irq_bind_message(other, rt_cpu, &m));
	EXPECT_ST(hc_irq_move(other, rt_cpu), BAD_PAR);
	EXPECT_OK(hc_irq_unbind(sm));
	EXPECT_OK(hc_irq_unbind(other));
}

/* ---- by edges ---- */

static void use_pit(unsigned worker, void (*fn)(void *))
{
	begin(worker, fn);
	ASSERT_OK(hc_irq_bind_line(sm, IRQ_LINE_ISA | IRQ_PIT_ISA, smp_cpu(worker)));
}

static void interrupt_and_wait(unsigned long rounds)
{
	for (unsigned long n = handled + 1; rounds--; n++) {
		irq_pit_once(SOON);
		ASSERT(SMP_WAIT(handled == n));
	}
}

static void edges_self(unsigned self)
{
	struct hc_irq_counts before = counts(self);

	interrupt_and_wait(smp_rounds(100));
	linger();
	EXPECT_EQ(handled, smp_rounds(100));
	EXPECT_EQ(counts(self).taken - before.taken, smp_rounds(100));
	EXPECT_EQ(counts(self).strays, before.strays);
}

/* User code that computes is interrupted at once. */
static void edges(void)
{
	use_pit(0, handle_and_acknowledge);
	smp_run(1, edges_self);
}

static sel_t done;

static void wake_worker(RT_UNUSED void *unused)
{
	while (hc_sm_down(sm) == SUCCESS) {
		smp_inc(&handled);
		hc_irq_ack(sm);
		hc_sm_up(done);
	}
}

static void sleep_self(unsigned self)
{
	for (unsigned long r = 0; r < smp_rounds(100); r++) {
		irq_pit_once(SOON + (unsigned)r);
		ASSERT_OK(hc_sm_down(done));
		smp_progress(self);
	}
	EXPECT_EQ(handled, smp_rounds(100));
}

/* CPUs that sleep wake up, also if the interrupt comes when they are about to. */
static void wakes_up(void)
{
	for (unsigned worker = 0; worker < smp_count; worker++) {
		use_pit(worker, wake_worker);
		done = smp_sm(0);
		smp_run_asleep(1, sleep_self);
		smp_clean();
	}
}

static void storm_self(unsigned self)
{
	struct hc_irq_counts before = counts(self);

	irq_pit_every(SOON);
	SMP_WAIT(counts(self).taken - before.taken >= 2);
	linger();
	irq_pit_stop();
	EXPECT(counts(self).taken - before.taken <= 3);
	EXPECT_EQ(handled, 1);
	acknowledge();
	EXPECT_EQ(handled, 2);
	acknowledge();
	acknowledge();
	EXPECT_EQ(handled, 2);
	irq_pit_once(SOON);
	SMP_WAIT(handled == 3);
	acknowledge();
}

/* Two interrupts at most until the first one was acknowledged, and one that was on its way. */
static void edges_without_end(void)
{
	use_pit(0, handle);
	smp_run(1, storm_self);
}

/* ---- by level ---- */

static void level_self(unsigned self)
{
	struct hc_irq_counts before = counts(self);

	irq_uart_on();
	SMP_WAIT(handled == 1);
	linger();
	EXPECT_EQ(handled, 1);
	EXPECT_EQ(counts(self).taken - before.taken, 1);
	acknowledge();
	SMP_WAIT(handled == 2); /* the device is as it was */
	irq_uart_off();
	acknowledge();
	linger();
	EXPECT_EQ(handled, 2);
}

static void level(void)
{
	if (!irq_uart_there())
		SKIP("no UART at COM1");
	begin(0, handle);
	ASSERT_OK(hc_irq_bind_line(sm, IRQ_UART_ISA | IRQ_LINE_LEVEL, smp_cpu(0)));
	smp_run(1, level_self);
	irq_uart_off();
}

/* ---- by message ---- */

static struct hc_irq_message message;

static void send_and_wait(unsigned self)
{
	if (self) {
		SMP_WAIT(handled == smp_rounds(200));
		return;
	}
	for (unsigned long n = 1; n <= smp_rounds(200); n++) {
		irq_send(&message);
		ASSERT(SMP_WAIT(handled == n));
		smp_progress(self);
	}
}

/* From worker 0 to each CPU, the target being busy, or asleep if it is not worker 0's. */
static void messages(void)
{
	if (!irq_can_send())
		SKIP("no way to send one");
	for (unsigned target = 0; target < smp_count; target++)
		for (unsigned busy = 0; busy < 2; busy++) {
			begin(target, handle_and_acknowledge);
			ASSERT_OK(hc_irq_bind_message(sm, smp_cpu(target), &message));
			smp_run(busy ? smp_count : 1, send_and_wait);
			smp_clean();
		}
}

static void twice_self(RT_UNUSED unsigned self)
{
	for (unsigned i = 0; i < 5; i++) {
		irq_send(&message);
		linger();
	}
	EXPECT_EQ(handled, 1);
	acknowledge();
	EXPECT_EQ(handled, 2);
	acknowledge();
	EXPECT_EQ(handled, 2);
}

static void messages_are_remembered_once(void)
{
	if (!irq_can_send())
		SKIP("no way to send one");
	begin(0, handle);
	ASSERT_OK(hc_irq_bind_message(sm, smp_cpu(0), &message));
	smp_run(1, twice_self);
}

/* ---- the end of a binding ---- */

static void stray_self(unsigned self)
{
	struct hc_irq_counts before = counts(self);

	irq_send(&message);
	SMP_WAIT(counts(self).strays == before.strays + 1);
	EXPECT_EQ(handled, 0);
}

static void unbound_is_silent(void)
{
	if (!irq_can_send())
		SKIP("no way to send one");
	begin(0, handle);
	ASSERT_OK(hc_irq_bind_message(sm, smp_cpu(0), &message));
	ASSERT_OK(hc_irq_unbind(sm));
	smp_run(1, stray_self);
}

static void pit_is_silent(unsigned self)
{
	struct hc_irq_counts before = counts(self);

	irq_pit_every(SOON);
	linger();
	irq_pit_stop();
	EXPECT_EQ(counts(self).taken, before.taken);
}

static void revoked_is_silent(void)
{
	use_pit(0, handle);
	ASSERT_OK(rt_revoke(sm));
	smp_run(1, pit_is_silent);
	use_pit(0, handle_and_acknowledge);
	smp_run(1, edges_self);
}

/* The semaphore was all that this PD had, and was nowhere else. */
static void pd_is_gone(void)
{
	sel_t pd = smp_pd();

	use_pit(0, handle);
	ASSERT_OK(rt_delegate(sm, pd, 100, PERM_ALL));
	ASSERT_OK(rt_revoke(pd));
	EXPECT_ST(hc_irq_ack(sm), SUCCESS); /* it is still here */
	ASSERT_OK(rt_revoke(sm));
	smp_run(1, pit_is_silent);
}

static void vectors_run_out(void)
{
	sel_t first = smp_sm(0), last = 0, more = smp_sm(0);
	struct hc_irq_message m;

	ASSERT_OK(hc_irq_bind_message(first, rt_cpu, &m));
	for (unsigned n = 1; n < IRQ_VECTORS; n++) {
		last = smp_sm(0);
		ASSERT_OK(hc_irq_bind_message(last, rt_cpu, &m));
	}
	EXPECT_ST(hc_irq_bind_message(more, rt_cpu, &m), OOM);
	ASSERT_OK(hc_irq_unbind(last));
	EXPECT_OK(hc_irq_bind_message(more, rt_cpu, &m));
	EXPECT_ST(hc_irq_bind_message(last, rt_cpu, &m), OOM);
	ASSERT_OK(rt_revoke(first));
	EXPECT_OK(hc_irq_bind_message(last, rt_cpu, &m));
}

/* Vectors and memory come back, in whichever way a binding ends. */
static void come_and_go(unsigned self)
{
	for (unsigned long n = 0; n < smp_rounds(2000); n++) {
		sel_t mine = SMP_SEL + (1 << (SMP_SEL_ORDER - 1)) + self;
		struct hc_irq_message m;

		ASSERT_OK(hc_create_sm(mine, RT_SEL_PD, 0));
		ASSERT_OK(hc_irq_bind_message(mine, smp_cpu(n % smp_count), &m));
		if (n % 2)
			ASSERT_OK(hc_irq_unbind(mine));
		ASSERT_OK(rt_revoke(mine));
		smp_progress(self);
	}
}

static void bindings_come_and_go(void)
{
	smp_run(smp_count, come_and_go);
}

/* ---- moving ---- */

static void move_self(unsigned self)
{
	struct hc_irq_counts before = counts(1);
	unsigned long rounds = smp_rounds(50);

	interrupt_and_wait(rounds);
	EXPECT_EQ(counts(1).taken, before.taken);
	ASSERT_OK(hc_irq_move(sm, smp_cpu(1)));
	interrupt_and_wait(rounds);
	EXPECT_EQ(counts(1).taken, before.taken + rounds);
	smp_progress(self);
	for (unsigned i = 0; i < 2 * smp_rounds(50); i++) {
		ASSERT_OK(hc_irq_move(sm, smp_cpu(i % smp_count)));
		interrupt_and_wait(1);
	}
	EXPECT_EQ(handled, 4 * rounds);
}

static void moves(void)
{
	NEED_CPUS(2);
	use_pit(0, handle_and_acknowledge);
	smp_run(1, move_self);
}

static void move_under_fire(unsigned self)
{
	unsigned long n;

	irq_pit_every(NOW_AND_THEN);
	for (unsigned i = 0; i < smp_rounds(500); i++) {
		ASSERT_OK(hc_irq_move(sm, smp_cpu(i % smp_count)));
		smp_progress(self);
	}
	irq_pit_stop();
	linger();
	n = handled;
	interrupt_and_wait(1); /* it was not left masked or lost */
	EXPECT_EQ(handled, n + 1);
}

static void moves_while_they_come(void)
{
	NEED_CPUS(2);
	use_pit(0, handle_and_acknowledge);
	smp_run(1, move_under_fire);
}

/* ---- who is interrupted ---- */

static __attribute__((noinline)) uint64_t compute(void)
{
	uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8;

	for (unsigned i = 0; i < 20000; i++) {
		a += b ^ (c << 7), b = b * 5 + d, c -= a >> 3, d ^= e + i;
		e += f < g ? f : h, f = f << 1 | f >> 63, g += h + (a < b), h ^= c * 3;
	}
	return a ^ b ^ c ^ d ^ e ^ f ^ g ^ h;
}

static uint64_t computed;

static void compute_self(unsigned self)
{
	irq_pit_every(NOW_AND_THEN);
	while (handled < 20 && !test_failed()) {
		EXPECT_EQ(compute(), computed);
		smp_progress(self);
	}
	irq_pit_stop();
}

static void registers_survive(void)
{
	computed = compute();
	use_pit(0, handle_and_acknowledge);
	smp_run(1, compute_self);
}

/* Interrupts that come in hypercalls are taken at their end, and nobody notices. */
static void call_self(unsigned self)
{
	sel_t mine = SMP_SEL + (1 << (SMP_SEL_ORDER - 1)) + self;

	if (!self)
		irq_pit_every(NOW_AND_THEN);
	while (handled < 5) {
		ASSERT_OK(hc_create_sm(mine, RT_SEL_PD, 1));
		ASSERT_OK(hc_sm_down(mine));
		ASSERT_OK(hc_sm_up(mine));
		ASSERT_OK(rt_revoke(mine));
		ASSERT_ST(hc_sm_up(mine), BAD_CAP);
		smp_progress(self);
	}
	if (!self)
		irq_pit_stop();
}

static void hypercalls_survive(void)
{
	for (unsigned worker = 0; worker < smp_count && worker < 2; worker++) {
		use_pit(worker, handle_and_acknowledge);
		smp_run(smp_count < 2 ? 1 : 2, call_self);
		smp_clean();
	}
}

static void drive(unsigned self)
{
	unsigned long up = 300, down = 301;

	ASSERT_OK(rt_delegate(sm, agent.pd, up, PERM_SM_UP));
	ASSERT_OK(rt_delegate(sm, agent.pd, down, PERM_SM_DOWN));
	EXPECT_EQ(smp_agent_do(&agent, self, call_kernel, HC_ARG1(HC_IRQ_CTRL, IRQ_CTRL_ACK, up), 0), BAD_CAP);
	EXPECT_EQ(smp_agent_do(&agent, self, call_kernel, HC_ARG1(HC_IRQ_CTRL, IRQ_CTRL_ACK, down), 0), SUCCESS);
	EXPECT_EQ(smp_agent_do(&agent, self, call_kernel, HC_ARG1(HC_IRQ_CTRL, IRQ_CTRL_UNBIND, up), 0), BAD_CAP);
}

/* Whoever only has the semaphore acknowledges. */
static void drivers_acknowledge(void)
{
	agent.pd = 0;
	smp_agent_make(&agent, 1);
	use_pit(0, handle);
	smp_run(1, drive);
}

static const struct test tests[] = {
	TEST(announced),
	TEST(closed),
	TEST(not_for_everybody),
	TEST(not_beside_guests_that_take_them),
	TEST(opens_everywhere),
	TEST(no_guests_that_take_them),
	TEST(arguments),
	TEST(edges),
	TEST(wakes_up),
	TEST(edges_without_end),
	TEST(level),
	TEST(messages),
	TEST(messages_are_remembered_once),
	TEST(unbound_is_silent),
	TEST(revoked_is_silent),
	TEST(pd_is_gone),
	TEST(vectors_run_out),
	TEST(bindings_come_and_go),
	TEST(moves),
	TEST(moves_while_they_come),
	TEST(registers_survive),
	TEST(hypercalls_survive),
	TEST(drivers_acknowledge),
};

bool main(void)
{
	irq_device_init();
	return smp_test_run("irq", tests, RT_ARRAY(tests));
}
