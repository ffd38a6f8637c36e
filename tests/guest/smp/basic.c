/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each CPU by itself: the HIP describes it, ECs can be made and started there, its portals answer its own callers
 * only, and its scheduler follows the rules while the orders come from elsewhere.
 *
 * Orders to another CPU take effect there in the order in which they were given. So when a thread of high priority
 * that was made last has run, everything ordered before has been considered, and what has not run will not.
 */
#include "smp.h"

#include "rt/cmdline.h"
#include "rt/cpu.h"
#include "rt/event.h"
#include "rt/exit.h"
#include "rt/hip.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/start.h"
#include "rt/string.h"
#include "rt/thread.h"

enum { LOW = 8, HIGH = 60 }; /* priorities */

static unsigned cpuid_apic_id(void)
{
	return rt_cpuid(1, 0).ebx >> 24;
}

static void hip_descriptors(void)
{
	unsigned n = rt_cpu_count();

	ASSERT(n >= 1 && n <= HEDRON_CPU_MAX);
	ASSERT(rt_cpu_enabled(rt_cpu));
	ASSERT_EQ(rt_hip->cpu[rt_cpu].apic_id, cpuid_apic_id());
	for (unsigned i = 0; i < HEDRON_CPU_MAX; i++) {
		const struct hip_cpu *c = &rt_hip->cpu[i];

		EXPECT_EQ(c->flags & ~HIP_CPU_ENABLED, 0);
		EXPECT_EQ(c->reserved[0] | c->reserved[1], 0);
		if (!rt_cpu_enabled(i))
			EXPECT_EQ(c->thread | c->core | c->package | c->acpi_id | c->apic_id, 0);
		for (unsigned j = 0; j < i && rt_cpu_enabled(i); j++) {
			const struct hip_cpu *d = &rt_hip->cpu[j];

			if (!rt_cpu_enabled(j))
				continue;
			EXPECT(c->apic_id != d->apic_id);
			EXPECT(c->package != d->package || c->core != d->core || c->thread != d->thread);
		}
	}
	EXPECT(rt_hip_valid());
}

/* ---- Where a CPU is, by its own account ---- */

static volatile unsigned long described;
static struct {
	unsigned apic_id, thread, core, package;
} here;

/* Leaf 0bh: how many bits of the APIC ID number the threads of a core, and threads and cores of a package. A level of
 * one may be left out. */
static bool widths(unsigned *smt, unsigned *package)
{
	enum { LEAF = 0xb, LEVEL_SMT = 1 };
	bool known = rt_cpuid(0, 0).eax >= LEAF && rt_cpuid(LEAF, 0).ebx;
	unsigned type;

	for (unsigned sub = 0; known && (type = rt_cpuid(LEAF, sub).ecx >> 8 & 0xff); sub++) {
		*package = rt_cpuid(LEAF, sub).eax & 31;
		*smt = type == LEVEL_SMT ? *package : *smt;
	}
	return known;
}

/* AMD's leaves, on processors that say how wide the package's part is, and have one or two threads in a core. Without
 * the topology extensions, as in QEMU, threads count as cores. */
static bool widths_amd(unsigned *smt, unsigned *package)
{
	bool amd = rt_cpuid(0, 0).ebx == 0x68747541 && rt_cpuid(0x80000000, 0).eax >= 0x8000001e;
	bool extensions = amd && rt_cpuid(0x80000001, 0).ecx >> 22 & 1;

	*package = amd ? rt_cpuid(0x80000008, 0).ecx >> 12 & 15 : 0;
	*smt = extensions ? rt_cpuid(0x8000001e, 0).ebx >> 8 & 1 : 0;
	return *package > 0;
}

static void describe(RT_UNUSED void *unused)
{
	unsigned smt = 0, package = 0, id = cpuid_apic_id();
	bool known = widths(&smt, &package) || widths_amd(&smt, &package);

	here.apic_id = id;
	here.thread = id & ((1u << smt) - 1);
	here.core = (id & ((1u << package) - 1)) >> smt;
	here.package = id >> package;
	smp_set(&described, known ? 2 : 1);
}

static void check_place(unsigned cpu)
{
	struct rt_ec ec = {.cpu = cpu, .sel = smp_sel(), .sc = smp_sel()};
	const struct hip_cpu *c = &rt_hip->cpu[cpu];

	described = 0;
	ASSERT_OK(rt_thread(&ec, HIGH, describe, NULL));
	ASSERT(SMP_WAIT(smp_load(&described)));
	ASSERT_EQ(here.apic_id, c->apic_id);
	if (described == 1)
		return;
	ASSERT_EQ(here.thread, c->thread);
	ASSERT_EQ(here.core, c->core);
	ASSERT_EQ(here.package, c->package);
}

/* Every CPU there is, not only those with workers. */
static void every_cpu_runs(void)
{
	for (unsigned cpu = 0; cpu < HEDRON_CPU_MAX && !test_failed(); cpu++)
		if (rt_cpu_enabled(cpu))
			check_place(cpu);
}

/* CPUs signal each other in one mode of their local APICs; "x2apic=1" says that firmware chose the newer one. */
static void see_apic_mode(RT_UNUSED unsigned self)
{
	enum { APIC_BASE = 0x1b, X2APIC = 1 << 10, ENABLED = 1 << 11 };
	unsigned long base = 0;

	ASSERT_OK(hc_msr_read(APIC_BASE, &base));
	ASSERT_EQ(base & (X2APIC | ENABLED), rt_arg("x2apic", 0) ? X2APIC | ENABLED : ENABLED);
}

static void apic_modes_agree(void)
{
	smp_run(smp_count, see_apic_mode);
}

static void create_ec_everywhere(void)
{
	for (unsigned flags = 0; flags <= CREATE_EC_GLOBAL; flags += CREATE_EC_GLOBAL)
		for (unsigned cpu = 0; cpu < 0x1000; cpu += cpu < 2 * HEDRON_CPU_MAX ? 1 : 37) {
			enum status want = rt_cpu_enabled(cpu) ? SUCCESS : BAD_CPU;

			ASSERT_ST(hc_create_ec(smp_sel(), RT_SEL_PD, cpu, 0, 0, 0, flags), want);
		}
	EXPECT_ST(hc_create_ec(SMP_SEL, RT_SEL_PD, 0xfff, 0, 0, 0, 0), BAD_CPU);
	/* The CPU is looked at first, then the PD, then the rest. */
	EXPECT_ST(hc_create_ec(SMP_SEL, SMP_NOTHING, HEDRON_CPU_MAX, 0x800000000000, 0, 0, 0), BAD_CPU);
	EXPECT_ST(hc_create_ec(SMP_SEL, SMP_NOTHING, rt_cpu, 0x800000000000, 0, 0, 0), BAD_CAP);
}

/* ---- Starting ---- */

static volatile unsigned long ran, apic_seen, ran_other;

static void report(void *arg)
{
	apic_seen = cpuid_apic_id();
	smp_set(&ran, (unsigned long)arg);
}

static void threads_run_on_their_cpu(void)
{
	for (unsigned i = 0; i < smp_count; i++) {
		struct rt_ec ec = {0};

		smp_set(&ran, 0);
		smp_thread(&ec, i, HIGH, report, (void *)(0x100ul + i));
		ASSERT(SMP_WAIT(smp_load(&ran)));
		ASSERT_EQ(ran, 0x100 + i);
		ASSERT_EQ(apic_seen, rt_hip->cpu[smp_cpu(i)].apic_id);
	}
}

static struct utcb_state seen;
static volatile unsigned long startups;

static void see_startup(struct utcb *u, void *arg)
{
	seen = u->state;
	smp_inc(&startups);
	u->state.mtd = MTD_RIP_LEN | MTD_RSP;
	u->state.rip = (uint64_t)arg;
	u->state.rsp = seen.rsp - 8;
}

static void after_startup(void)
{
	smp_set(&ran, 1);
	rt_block();
}

#define SEEN_MTD (MTD_GPR_ACDB | MTD_GPR_BSD | MTD_GPR_R8_R15 | MTD_RSP | MTD_RIP_LEN | MTD_QUAL)

static void check_startup(unsigned worker)
{
	static uint8_t stack[0x1000] __attribute__((aligned(16)));
	struct rt_ec handler = {.cpu = smp_cpu(worker), .events = SMP_NOTHING, .sel = smp_sel()};
	unsigned long sp = (unsigned long)(stack + sizeof(stack));
	sel_t ec = smp_sel(), events;

	memset(&seen, 0xff, sizeof(seen));
	startups = ran = 0;
	ASSERT_OK(rt_events_new(smp_cpu(worker), &events));
	ASSERT_OK(rt_ec_local(&handler));
	ASSERT_OK(rt_event(events, HEDRON_EXC_STARTUP, &handler, SEEN_MTD, see_startup, (void *)after_startup));
	ASSERT_OK(hc_create_ec(ec, RT_SEL_PD, smp_cpu(worker), 0, sp, events, CREATE_EC_GLOBAL));
	ASSERT_OK(hc_create_sc(smp_sel(), RT_SEL_PD, ec, HIGH, RT_QUANTUM));
	ASSERT(SMP_WAIT(smp_load(&ran)));
	ASSERT_EQ(startups, 1);
	EXPECT_EQ(seen.mtd, SEEN_MTD);
	EXPECT_EQ(seen.rsp, sp);
	EXPECT_EQ(seen.rip | seen.rax | seen.rcx | seen.rdi | seen.r15 | seen.qual[0], 0);
	/* A second SC for the same EC is no second start. */
	ASSERT_OK(hc_create_sc(smp_sel(), RT_SEL_PD, ec, HIGH + 1, RT_QUANTUM));
}

static void startup_event(void)
{
	for (unsigned i = 0; i < smp_count; i++)
		check_startup(i);
	ASSERT_EQ(startups, 1);
}

/* The handler has to be on the same CPU, or the EC is killed; the CPU goes on. */
static void startup_portal_elsewhere(void)
{
	struct rt_ec good = {0};
	sel_t ec = smp_sel();

	NEED_CPUS(2);
	startups = ran = 0;
	ASSERT_OK(hc_create_ec(ec, RT_SEL_PD, smp_cpu(1), 0, 0, rt_events(rt_cpu), CREATE_EC_GLOBAL));
	ASSERT_OK(hc_create_sc(smp_sel(), RT_SEL_PD, ec, HIGH, RT_QUANTUM));
	smp_thread(&good, 1, HIGH, report, (void *)1);
	ASSERT(SMP_WAIT(smp_load(&ran)));
	/* For a dead EC: accepted, without effect. */
	ASSERT_OK(hc_create_sc(smp_sel(), RT_SEL_PD, ec, HIGH, RT_QUANTUM));
}

/* ---- Calls ---- */

static volatile unsigned long calls;

static void count_call(struct utcb *u, RT_UNUSED void *unused)
{
	smp_inc(&calls);
	u->words[0] = cpuid_apic_id();
	rt_msg(u, 1, 0);
}

static struct {
	sel_t pt[SMP_MAX];
} portals;

static void call_all(unsigned self)
{
	struct utcb *u = smp_utcb(self);

	for (unsigned i = 0; i < smp_count; i++) {
		rt_msg(u, 0, 0);
		if (i != self) {
			ASSERT_ST(hc_call(portals.pt[i]), BAD_CPU);
			ASSERT_ST(hc_call_nonblock(portals.pt[i]), BAD_CPU);
			continue;
		}
		ASSERT_OK(hc_call(portals.pt[i]));
		ASSERT_EQ(u->words[0], rt_hip->cpu[smp_cpu(self)].apic_id);
		ASSERT_OK(hc_call_nonblock(portals.pt[i]));
	}
}

static void portals_belong_to_their_cpu(void)
{
	struct rt_ec ec[SMP_MAX] = {0};

	calls = 0;
	for (unsigned i = 0; i < smp_count; i++)
		portals.pt[i] = smp_server(&ec[i], i, count_call, NULL);
	smp_run(smp_count, call_all);
	ASSERT_EQ(calls, 2 * smp_count);
}

/* Where there was nothing a moment ago, every CPU finds what was created meanwhile, and then nothing again. */
static sel_t appearing;
static enum status expected;

static void use_appearing(RT_UNUSED unsigned self)
{
	for (unsigned i = 0; i < 4; i++)
		ASSERT_ST(hc_sm_up(appearing + i), expected);
}

static void selectors_filled_elsewhere(void)
{
	for (unsigned round = 0; round < 8 && !test_failed(); round++) {
		appearing = SMP_SEL + (1ul << SMP_SEL_ORDER) / 2 + 512 * round; /* a page of slots of its own */
		expected = BAD_CAP;
		smp_run(smp_count, use_appearing);
		for (unsigned i = 0; i < 4; i++)
			ASSERT_OK(hc_create_sm(appearing + i, RT_SEL_PD, 0));
		expected = SUCCESS;
		smp_run(smp_count, use_appearing);
		for (unsigned i = 0; i < 4; i++)
			ASSERT_OK(rt_revoke(appearing + i));
		expected = BAD_CAP;
		smp_run(smp_count, use_appearing);
	}
}

/* Control of objects works from anywhere. */
static void control_from_elsewhere(void)
{
	struct rt_ec ec = {0}, server = {0};
	unsigned long before, after;
	sel_t pt;

	NEED_CPUS(2);
	smp_set(&ran, 0);
	smp_thread(&ec, 1, HIGH, report, (void *)1);
	ASSERT(SMP_WAIT(smp_load(&ran)));
	ASSERT_OK(hc_sc_ctrl(ec.sc, &before));
	ASSERT_OK(hc_sc_ctrl(ec.sc, &after));
	ASSERT(after >= before);
	pt = smp_server(&server, 1, count_call, NULL);
	ASSERT_OK(hc_pt_ctrl(pt, 17));
	ASSERT_ST(hc_create_sc(smp_sel(), RT_SEL_PD, server.sel, HIGH, RT_QUANTUM), BAD_CAP);
	ASSERT_ST(hc_create_sc(smp_sel(), RT_SEL_PD, ec.sel, 0, RT_QUANTUM), BAD_PAR);
}

/* ---- Priorities ---- */

static volatile unsigned long turns, leave, at_end;

static void spin(RT_UNUSED void *unused)
{
	while (!smp_load(&leave))
		turns++;
	smp_set(&at_end, smp_load(&ran));
	while (smp_load(&leave) == 1) /* goes on while others wait, without entering the kernel */
		turns++;
}

static void note_other(void *arg)
{
	smp_set(&ran_other, (unsigned long)arg);
}

/* All that was ordered for that CPU up to now has been considered. */
static void settle(unsigned worker)
{
	struct rt_ec ec = {0};

	smp_set(&ran_other, 0);
	smp_thread(&ec, worker, HIGH, note_other, (void *)1);
	SMP_WAIT(smp_load(&ran_other));
}

static void spinner_makes_turns(void)
{
	unsigned long now = smp_load(&turns);

	SMP_WAIT(smp_load(&turns) != now);
}

/* On another CPU a thread spins; one that is as important waits, one that is more important does not. */
static void preemption_elsewhere(void)
{
	struct rt_ec low = {0}, equal = {0}, less = {0};

	NEED_CPUS(2);
	ran = leave = turns = 0;
	smp_thread(&low, 1, LOW, spin, NULL);
	SMP_WAIT(smp_load(&turns));
	smp_thread(&equal, 1, LOW, report, (void *)1);
	smp_thread(&less, 1, LOW - 1, report, (void *)2);
	for (unsigned i = 0; i < 10; i++) {
		settle(1);
		/* The spinner was preempted and keeps its place before its equal. */
		spinner_makes_turns();
		ASSERT_EQ(ran, 0);
	}
	smp_set(&leave, 2);
	ASSERT(SMP_WAIT(smp_load(&ran) == 2));
	ASSERT_EQ(at_end, 0);
}

static volatile unsigned long order[8], order_n;

static void note_order(void *arg)
{
	order[smp_inc(&order_n)] = (unsigned long)arg;
}

/* What became ready while somebody more important ran: by priority, then first come first served. */
static void order_elsewhere(void)
{
	static const struct {
		unsigned prio, place;
	} plan[] = {{LOW, 3}, {LOW + 2, 0}, {LOW, 4}, {LOW + 1, 2}, {LOW + 2, 1}, {LOW - 1, 5}};
	struct rt_ec top = {0}, ec[RT_ARRAY(plan)] = {0};

	NEED_CPUS(2);
	ran = leave = turns = order_n = 0;
	smp_thread(&top, 1, LOW + 10, spin, NULL);
	SMP_WAIT(smp_load(&turns));
	for (unsigned i = 0; i < RT_ARRAY(plan); i++)
		smp_thread(&ec[i], 1, plan[i].prio, note_order, (void *)(unsigned long)plan[i].place);
	settle(1);
	ASSERT_EQ(order_n, 0);
	smp_set(&leave, 2);
	ASSERT(SMP_WAIT(smp_load(&order_n) == RT_ARRAY(plan)));
	for (unsigned i = 0; i < RT_ARRAY(plan); i++)
		ASSERT_EQ(order[i], i);
}

static void yielding(void *arg)
{
	for (unsigned i = 0; i < 3; i++) {
		order[smp_inc(&order_n)] = (unsigned long)arg;
		if (hc_yield() != SUCCESS)
			test_fail(__FILE__, __LINE__, "yield failed");
	}
}

/* Equals take turns by yielding. */
static void yield_elsewhere(void)
{
	struct rt_ec top = {0}, a = {0}, b = {0};

	NEED_CPUS(2);
	ran = leave = turns = order_n = 0;
	smp_thread(&top, 1, LOW + 10, spin, NULL);
	SMP_WAIT(smp_load(&turns));
	smp_thread(&a, 1, LOW, yielding, (void *)1);
	smp_thread(&b, 1, LOW, yielding, (void *)2);
	smp_set(&leave, 2);
	ASSERT(SMP_WAIT(smp_load(&order_n) == 6));
	for (unsigned i = 0; i < 6; i++)
		ASSERT_EQ(order[i], 1 + i % 2);
}

/* A spinning thread is taken off its CPU for good when its SC goes, and when the EC itself goes. */
static void end_of_a_spinner(void)
{
	struct rt_ec ec = {0};

	NEED_CPUS(2);
	for (unsigned way = 0; way < 3; way++) {
		unsigned long now;

		leave = turns = 0;
		smp_thread(&ec, 1, HIGH + 1, spin, NULL);
		SMP_WAIT(smp_load(&turns));
		if (way != 1)
			ASSERT_OK(rt_revoke(ec.sc));
		if (way != 0)
			ASSERT_OK(rt_revoke(ec.sel));
		if (way == 1) /* the SC keeps the EC alive */
			ASSERT_OK(rt_revoke(ec.sc));
		settle(1); /* is less important than the spinner: runs when that is gone */
		now = smp_load(&turns);
		settle(1);
		ASSERT_EQ(smp_load(&turns), now);
		ec.stack = NULL;
	}
}

static const struct test tests[] = {
	TEST(hip_descriptors),
	TEST(every_cpu_runs),
	TEST(apic_modes_agree),
	TEST(create_ec_everywhere),
	TEST(threads_run_on_their_cpu),
	TEST(startup_event),
	TEST(startup_portal_elsewhere),
	TEST(portals_belong_to_their_cpu),
	TEST(selectors_filled_elsewhere),
	TEST(control_from_elsewhere),
	TEST(preemption_elsewhere),
	TEST(order_elsewhere),
	TEST(yield_elsewhere),
	TEST(end_of_a_spinner),
};

bool main(void)
{
	return smp_test_run("smp_basic", tests, RT_ARRAY(tests));
}
