/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers with memory and extended state; events that end their EC; startup. */
#include "event.h"

#include "rt/cmdline.h"
#include "rt/console.h"
#include "rt/cpu.h"
#include "rt/entry.h"
#include "rt/hip.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/pool.h"
#include "rt/string.h"
#include "rt/thread.h"

#define NON_CANONICAL 0x8000000000000000ul

/* After a kill: callers in progress got ABORT, later ones TIMEOUT; the rest goes on. */
static void expect_killed(enum status st, int line)
{
	if (st != ABORT)
		test_fail(__FILE__, line, "expected ABORT of the victim's caller, got %s", rt_status(st));
	EXPECT(!ev.survived);
	EXPECT_ST(hc_call(ev.victim.pt), TIMEOUT);
	EXPECT_ST(hc_call_nonblock(ev.victim.pt), TIMEOUT);
}
#define EXPECT_KILLED(call) expect_killed(call, __LINE__)

static void no_portal(void)
{
	event_prepare();
	EXPECT_KILLED(event_raise(raise_ud, NULL));
}

static void not_a_portal(void)
{
	event_prepare();
	ASSERT_OK(hc_create_sm(ev.events + 6, RT_SEL_PD, 1));
	EXPECT_KILLED(event_raise(raise_ud, NULL));
}

static void event_base_beyond(void)
{
	static const sel_t bases[] = {HEDRON_SEL_NUM, HEDRON_SEL_NUM - 1, 0xffffffff, 0xffffffe0};

	for (unsigned i = 0; i < RT_ARRAY(bases); i++) {
		struct rt_ec ec = {.cpu = rt_cpu, .events = bases[i], .sel = sel_new()};
		sel_t pt = sel_new();

		ASSERT_OK(rt_ec_local(&ec));
		ASSERT_OK(hc_create_pt(pt, RT_SEL_PD, ec.sel, 0, (unsigned long)raise_ud_at));
		EXPECT_ST(hc_call(pt), ABORT);
	}
}

static void skip_ud(struct utcb *u)
{
	u->state.rip = (uint64_t)raise_ud_next;
	u->state.mtd = MTD_RIP_LEN;
}

/* `call` permission is for callers, not for events. */
static void without_call_permission(void)
{
	sel_t full;

	event_prepare();
	full = ev.events + 7;
	event_handle(7, MTD_RIP_LEN);
	ASSERT_OK(delegate_obj(full, RT_SEL_PD, ev.events + 6, PERM_PT_CTRL));
	EXPECT_EQ(sel_perm(ev.events + 6), PERM_PT_CTRL);
	ASSERT_OK(event_raise(raise_ud, skip_ud));
	EXPECT(ev.survived);
}

/* The portal is looked up when the event happens, not earlier. */
static void portal_comes_and_goes(void)
{
	event_prepare();
	event_handle(6, MTD_RIP_LEN);
	ASSERT_OK(event_raise(raise_ud, skip_ud));
	ASSERT_OK(rt_revoke(ev.events + 6));
	event_handle(6, MTD_RIP_LEN);
	ASSERT_OK(event_raise(raise_ud, skip_ud));
	ASSERT_OK(rt_revoke(ev.events + 6));
	EXPECT_KILLED(event_raise(raise_ud, skip_ud));
}

/* A handler that is the victim itself would wait for itself. */
static void handler_is_victim(void)
{
	event_prepare();
	ASSERT_OK(hc_create_pt(ev.events + 6, RT_SEL_PD, ev.victim.ec.sel, 0, (unsigned long)rt_portal_echo));
	EXPECT_KILLED(event_raise(raise_ud, NULL));
}

static void do_ud(RT_UNUSED struct utcb *u, RT_UNUSED void *unused)
{
	raise_ud();
}

/* A handler that dies takes its victim along. Its own events go nowhere. */
static void handler_dies(void)
{
	event_prepare();
	server_make_in(&ev.handler, RT_SEL_PD, GUEST_NOTHING, do_ud, NULL);
	ASSERT_OK(hc_create_pt(ev.events + 6, RT_SEL_PD, ev.handler.ec.sel, 0, (unsigned long)raise_ud_at));
	EXPECT_KILLED(event_raise(raise_ud, NULL));
}

static void handler_is_dead(void)
{
	event_prepare();
	server_make_in(&ev.handler, RT_SEL_PD, GUEST_NOTHING, do_ud, NULL);
	ASSERT_OK(hc_create_pt(ev.events + 6, RT_SEL_PD, ev.handler.ec.sel, 0, (unsigned long)raise_ud_at));
	EXPECT_ST(hc_call(ev.handler.pt), ABORT);
	EXPECT_KILLED(event_raise(raise_ud, NULL));
}

/* The handler calls the victim, which waits for it. */
static void call_victim(RT_UNUSED struct utcb *u)
{
	hc_call(ev.victim.pt);
}

static void handler_calls_victim(void)
{
	event_prepare();
	event_handle(6, MTD_RIP_LEN);
	EXPECT_KILLED(event_raise(raise_ud, call_victim));
}

/* RIP of an answer. */
static unsigned long offered_rip;

static void answer_rip(struct utcb *u)
{
	u->state.rip = offered_rip;
	u->state.mtd = MTD_RIP_LEN;
}

static void non_canonical_rip(void)
{
	static const unsigned long rips[] = {NON_CANONICAL, 0x800000000000, 0xffff7fffffffffff, 0x7fffffffffffffff};

	for (unsigned i = 0; i < RT_ARRAY(rips); i++) {
		event_prepare();
		event_handle(6, MTD_RIP_LEN);
		offered_rip = rips[i];
		EXPECT_KILLED(event_raise(raise_ud, answer_rip));
	}
}

/* Canonical ones are the user's problem: the next fault tells. */
static void kernel_rip(void)
{
	static const unsigned long rips[] = {0xffff800000000000, 0xffffffff80000000, 0xffffffffffffffff, 0,
					     HEDRON_USER_END,    0x7fffffffffff};

	for (unsigned i = 0; i < RT_ARRAY(rips); i++) {
		event_prepare();
		event_handle(6, MTD_RIP_LEN);
		offered_rip = rips[i];
		EXPECT_KILLED(event_raise(raise_ud, answer_rip)); /* #PF without a portal */
	}
}

static void portal_rip(void)
{
	static const unsigned long rips[] = {NON_CANONICAL, 0x800000000000, 0xffff800000000000};

	for (unsigned i = 0; i < RT_ARRAY(rips); i++) {
		sel_t pt = sel_new();
		struct rt_ec ec = {.cpu = rt_cpu, .events = GUEST_NOTHING, .sel = sel_new()};

		ASSERT_OK(rt_ec_local(&ec));
		ASSERT_OK(hc_create_pt(pt, RT_SEL_PD, ec.sel, 0, rips[i]));
		EXPECT_ST(hc_call(pt), ABORT);
		EXPECT_ST(hc_call(pt), TIMEOUT);
	}
}

/* The same for the portal of an event: its handler is killed, and whoever waits for that. */
static void event_portal_rip(void)
{
	event_prepare();
	ASSERT_OK(hc_create_pt(ev.events + 6, RT_SEL_PD, ev.handler.ec.sel, 0, NON_CANONICAL));
	EXPECT_KILLED(event_raise(raise_ud, NULL));
	EXPECT_ST(hc_call(ev.handler.pt), TIMEOUT);
}

/* Page faults answered with memory. */

static struct utcb_item answer_item;
static unsigned long fault_va, got;
static void do_read(void)
{
	got = *(volatile unsigned long *)fault_va;
}
static void do_write(void)
{
	*(volatile unsigned long *)fault_va = 77;
}

static void answer_memory(struct utcb *u)
{
	if (ev.count > 3) /* it did not help */
		offered_rip = NON_CANONICAL, answer_rip(u);
	rt_msg(u, UTCB_STATE_WORDS, 1);
	*UTCB_TYPED(u, 0) = answer_item;
}

static void memory_for_page_fault(void)
{
	unsigned long *page = rt_pages(1), other = rt_va(2, 1);

	event_prepare();
	event_handle(14, MTD_QUAL);
	fault_va = other + 8;
	page[1] = 0xfeedbeef;
	answer_item = (struct utcb_item){rt_mem((unsigned long)page, 0, PERM_MEM_R), other | ITEM_DELEGATE};
	ASSERT_OK(event_raise(do_read, answer_memory));
	EXPECT_EQ(ev.count, 1);
	EXPECT_EQ(got, 0xfeedbeef);
	/* A write faults again, until the right is there. */
	answer_item = (struct utcb_item){rt_mem((unsigned long)page, 0, RT_MEM_RW), other | ITEM_DELEGATE};
	ASSERT_OK(event_raise(do_write, answer_memory));
	EXPECT_EQ(ev.count, 1);
	EXPECT_EQ(page[1], 77);
	EXPECT(!can_read(other + RT_PAGE));
	/* Results are not written back. */
	EXPECT_EQ(UTCB_TYPED(ev.handler.ec.utcb, 0)->crd, answer_item.crd);
	EXPECT_EQ(UTCB_TYPED(ev.handler.ec.utcb, 0)->meta, answer_item.meta);
}

/* The window is as large as 2^31 pages around CR2, the hotspot says where in it. */
static void memory_elsewhere(void)
{
	unsigned long *page = rt_pages(1), other = rt_va(16, 16);

	event_prepare();
	event_handle(14, MTD_QUAL | MTD_RIP_LEN);
	fault_va = other;
	answer_item =
		(struct utcb_item){rt_mem((unsigned long)page, 0, PERM_MEM_R), (other + 5 * RT_PAGE) | ITEM_DELEGATE};
	EXPECT_ST(event_raise(do_read, answer_memory), ABORT);
	EXPECT(ev.count > 1);
	EXPECT(can_read(other + 5 * RT_PAGE));
	EXPECT(!can_read(other));
}

/* An answer that there is no memory for is none: the victim would fault for ever. */
static void memory_that_the_kernel_lacks(void)
{
	enum { FILL = 0x100000, FILL_ORDER = 18 };
	unsigned long *page = rt_pages(1), far = 0x500000000000, n = 0;

	page[0] = 0xfeedbeef;
	fault_va = far;
	answer_item = (struct utcb_item){rt_mem((unsigned long)page, 0, PERM_MEM_R), far | ITEM_DELEGATE};
	event_prepare();
	event_handle(14, MTD_QUAL);
	while (hc_create_kp(FILL + n, RT_SEL_PD) == SUCCESS)
		n++;
	EXPECT_KILLED(event_raise(do_read, answer_memory));
	EXPECT_EQ(ev.count, 1);
	EXPECT_OK(hc_revoke(rt_obj(FILL, FILL_ORDER, PERM_ALL), REVOKE_SELF, 0));
	/* What was deleted just now is memory. */
	event_prepare();
	event_handle(14, MTD_QUAL);
	n = 0;
	while (hc_create_kp(FILL + n, RT_SEL_PD) == SUCCESS)
		n++;
	EXPECT_OK(hc_revoke(rt_obj(FILL, FILL_ORDER, PERM_ALL), REVOKE_SELF, 0));
	ASSERT_OK(event_raise(do_read, answer_memory));
	EXPECT_EQ(ev.count, 1);
	EXPECT_EQ(got, 0xfeedbeef);
	ASSERT_OK(rt_mem_revoke(far, 1));
}

/* For every exception, against the page of the last page fault. */
static void answer_ud_with_memory(struct utcb *u)
{
	skip_ud(u);
	rt_msg(u, UTCB_STATE_WORDS, 1);
	*UTCB_TYPED(u, 0) = answer_item;
}

static void memory_for_other_exceptions(void)
{
	unsigned long *page = rt_pages(1), other = rt_va(1, 1);

	event_prepare();
	event_handle(14, MTD_QUAL);
	event_handle(6, MTD_QUAL);
	fault_va = other;
	answer_item = (struct utcb_item){rt_mem((unsigned long)page, 0, PERM_MEM_R), other | ITEM_DELEGATE};
	ASSERT_OK(event_raise(do_read, answer_memory));
	ASSERT_OK(rt_mem_revoke(other, 1));
	EXPECT(!can_read(other));
	ASSERT_OK(event_raise(raise_ud, answer_ud_with_memory));
	EXPECT(can_read(other));
}

/* From the hypervisor PD; what no machine has is left out, and the victim goes on. */
static void physical_memory_in_answers(void)
{
	unsigned long *page = rt_pages(1), other = rt_va(1, 1), end = 1ul << (rt_cpuid(0x80000008, 0).eax & 0xff);

	event_prepare();
	event_handle(14, MTD_QUAL);
	event_handle(6, MTD_QUAL);
	fault_va = other;
	page[0] = 7;
	answer_item =
		(struct utcb_item){rt_mem(rt_phys(page), 0, PERM_MEM_R), other | ITEM_DELEGATE | ITEM_HYPERVISOR};
	ASSERT_OK(event_raise(do_read, answer_memory));
	EXPECT_EQ(got, 7);
	answer_item.crd = rt_mem(end, 0, RT_MEM_RW);
	ASSERT_OK(event_raise(raise_ud, answer_ud_with_memory));
	EXPECT(ev.survived);
	EXPECT(can_read(other) && !can_write(other));
	ASSERT_OK(rt_mem_revoke(other, 1));
}

/* What is no memory, or no delegation, has no effect. */
static void other_items_in_answers(void)
{
	sel_t sm = sm_make(0), to = sel_new();
	unsigned long *page = rt_pages(1), other = rt_va(1, 1);
	const struct utcb_item items[] = {{rt_obj(sm, 0, PERM_ALL), to << 12 | ITEM_DELEGATE},
					  {rt_pio(0x80, 0), ITEM_DELEGATE},
					  {0, ITEM_DELEGATE},
					  {rt_mem((unsigned long)page, 0, RT_MEM_RW), other | ITEM_TRANSLATE},
					  {rt_mem((unsigned long)page, 0, RT_MEM_RW), other | 3},
					  {~0ul, ~0ul}};

	event_prepare();
	event_handle(6, MTD_QUAL);
	for (unsigned i = 0; i < RT_ARRAY(items); i++) {
		EXPECT(!can_read(other));
		answer_item = items[i];
		ASSERT_OK(event_raise(raise_ud, answer_ud_with_memory));
		EXPECT(!can_read(other));
		EXPECT(sel_empty(to));
	}
}

/* Extended state. */

static struct xarea handler_saw, handler_left;

static void exchange_state(struct utcb *u)
{
	memset(&handler_saw, 0, sizeof(handler_saw));
	__asm__ volatile("xsave64 %0" : "+m"(handler_saw) : "a"(-1), "d"(-1));
	__asm__ volatile("xrstor64 %0" : : "m"(handler_left), "a"(-1), "d"(-1) : "memory");
	u->state.rip = (uint64_t)regs_ud2_next;
	u->state.mtd = MTD_RIP_LEN | answer_item.meta;
}

/* `to`, `back`: MTD_FPU or 0. */
static void check_state(unsigned long to, unsigned long back)
{
	const char *differs;

	event_prepare();
	event_handle(6, MTD_RIP_LEN | to);
	regs_random(&regs_in);
	xarea_random(&regs_xin);
	xarea_random(&handler_left);
	regs_extended = 1;
	answer_item.meta = back;
	ASSERT_OK(event_raise(regs_ud2, exchange_state));
	differs = xarea_difference(&handler_saw, &regs_xin);
	if (to ? !!differs : !differs)
		test_fail(__FILE__, __LINE__, "FPU bit to the handler %#lx: %s", to, differs ? differs : "leaked");
	differs = xarea_difference(&regs_xout, back ? &handler_left : &regs_xin);
	if (differs)
		test_fail(__FILE__, __LINE__, "FPU bit to %#lx, back %#lx: victim's %s", to, back, differs);
}

static void extended_state(void)
{
	check_state(0, 0);
	check_state(MTD_FPU, 0);
	check_state(0, MTD_FPU);
	check_state(MTD_FPU, MTD_FPU);
}

/* Startup. */

static unsigned long started;
static void started_entry(RT_UNUSED void *unused)
{
	started++;
}

static void answer_startup(struct utcb *u)
{
	u->state.mtd = MTD_RIP_LEN;
	u->state.rip = (uint64_t)ev.code;
}

static void startup_message(void)
{
	const unsigned long sp = 0x123456789abcdef0;
	const struct utcb_state *s = &ev.seen.state;
	sel_t ec = sel_new();

	event_prepare();
	event_handle(HEDRON_EXC_STARTUP, ~0ul & ~MTD_FPU);
	ev.answer = NULL; /* goes on at RIP 0, and is killed */
	ASSERT_OK(hc_create_ec(ec, RT_SEL_PD, rt_cpu, 0, sp, ev.events, CREATE_EC_GLOBAL));
	EXPECT_EQ(ev.count, 0);
	ASSERT_OK(hc_create_sc(sel_new(), RT_SEL_PD, ec, 10, 1000));
	ASSERT_EQ(ev.count, 1);
	EXPECT_EQ(ev.vector, HEDRON_EXC_STARTUP);
	EXPECT_EQ(s->rip, 0);
	EXPECT_EQ(s->rsp, sp);
	EXPECT_EQ(s->rax | s->rbx | s->rcx | s->rdx | s->rsi | s->rdi | s->rbp | s->r8 | s->r9 | s->r10 | s->r11 |
			  s->r12 | s->r13 | s->r14 | s->r15,
		  0);
	EXPECT_EQ(s->mtd, ~0ul & ~MTD_FPU);
}

/* Once per EC, even with several SCs. */
static void startup_once(void)
{
	struct rt_ec ec = {.cpu = rt_cpu, .sel = sel_new()};

	event_prepare();
	event_handle(HEDRON_EXC_STARTUP, 0);
	ec.events = ev.events;
	ev.code = (void (*)(void))rt_portal_echo; /* parks itself, and the SC that runs it */
	ev.answer = answer_startup;
	ASSERT_OK(rt_ec_global(&ec, started_entry, NULL));
	for (unsigned i = 0; i < 3; i++)
		ASSERT_OK(hc_create_sc(sel_new(), RT_SEL_PD, ec.sel, 10, 1000));
	EXPECT_EQ(ev.count, 1);
}

static void startup_without_portal(void)
{
	sel_t ec = sel_new();

	ASSERT_OK(hc_create_ec(ec, RT_SEL_PD, rt_cpu, 0, 0, GUEST_NOTHING, CREATE_EC_GLOBAL));
	ASSERT_OK(hc_create_sc(sel_new(), RT_SEL_PD, ec, 10, 1000));
	EXPECT_OK(hc_create_sc(sel_new(), RT_SEL_PD, ec, 10, 1000)); /* killed: no effect */
}

/*
 * Whoever kills ECs by the hundred, and calls what does not exist, does not own the console: what comes out is
 * counted outside (tests/integration/CMakeLists.txt). With `wait=1` on the command line, once more after the limit
 * recovered.
 */
enum { DEATHS = 300, BAD_CALLS = 1000 };
static const uint64_t recovery = 5ull << 26; /* ticks; kernel/platform/console.h */

static void die_once(void)
{
	EXPECT_ST(hc_call(victim_make()), ABORT);
}

static void many_deaths(void)
{
	rt_printf("flood: deaths\n");
	for (unsigned i = 0; i < DEATHS; i++) {
		die_once();
		guest_clean();
	}
	rt_printf("flood: bad calls\n");
	for (unsigned i = 0; i < BAD_CALLS; i++) {
		EXPECT_ST(hc_call(GUEST_NOTHING), BAD_CAP);
		EXPECT_ST(hc_1(HC_ARG1(99, 0, 0)), BAD_HYP);
		EXPECT_ST(hc_create_pt(sel_new() - 1, GUEST_NOTHING, GUEST_NOTHING, 0, 0), BAD_CAP);
		EXPECT_ST(hc_msr_write(0xc0000080, i), BAD_PAR);
	}
	rt_printf("flood: over\n");
	for (uint64_t start = rt_rdtsc(); rt_arg("wait", 0) && rt_rdtsc() - start < recovery;)
		for (volatile unsigned i = 0; i < 10000; i++)
			;
	die_once();
}

const struct test event_kill_tests[] = {
	TEST(no_portal),
	TEST(not_a_portal),
	TEST(event_base_beyond),
	TEST(without_call_permission),
	TEST(portal_comes_and_goes),
	TEST(handler_is_victim),
	TEST(handler_dies),
	TEST(handler_is_dead),
	TEST(handler_calls_victim),
	TEST(non_canonical_rip),
	TEST(kernel_rip),
	TEST(portal_rip),
	TEST(event_portal_rip),
	TEST(memory_for_page_fault),
	TEST(memory_elsewhere),
	TEST(memory_that_the_kernel_lacks),
	TEST(memory_for_other_exceptions),
	TEST(physical_memory_in_answers),
	TEST(other_items_in_answers),
	TEST(extended_state),
	TEST(startup_message),
	TEST(startup_once),
	TEST(startup_without_portal),
	TEST(many_deaths),
	{},
};
