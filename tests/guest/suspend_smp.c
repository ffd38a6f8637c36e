/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sleep with several CPUs: those that run, those that wait, those that ask for it, and what they have in registers.
 */
#include "suspend.h"

#include "rt/cmdline.h"
#include "rt/cpu.h"
#include "rt/exit.h"
#include "rt/hip.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/pool.h"
#include "rt/start.h"
#include "rt/thread.h"

#define MSR_MISC_ENABLE 0x1a0
#define MSR_PAT 0x277
#define MSR_MTRR_FIRST 0x200
#define MSR_MTRR_LAST 0x20f
#define MSR_MTRR_DEF_TYPE 0x2ff

#define PROBER_PRIO 100 /* above all others */

struct helper {
	struct rt_ec ec;
	struct xarea *in, *out;
	unsigned long fs, gs, fs_after, gs_after, status;
	volatile unsigned long turns, stop, done;
	unsigned long msr[32], msr_after[32];
	sel_t wait;
};

static struct helper helpers[HEDRON_CPU_MAX];

#define EACH_OTHER(n)                                 \
	for (unsigned n = 0; n < HEDRON_CPU_MAX; n++) \
		if (n != rt_cpu && rt_cpu_enabled(n))

/*
 * A CPU that has woken up reports what it has found when it goes on, later than we do, maybe. That must not get into
 * our lines: threads that are woken everywhere run behind it.
 */
static struct prober {
	struct rt_ec ec;
	sel_t go;
	volatile unsigned long turns;
} probers[HEDRON_CPU_MAX];

static void probe(void *arg)
{
	struct prober *p = arg;

	while (hc_sm_down(p->go) == SUCCESS)
		p->turns++;
}

void others_go_on(void)
{
	EACH_OTHER(n)
	{
		struct prober *p = &probers[n];
		unsigned long before = p->turns;

		if (n == rt_arg("lost", HEDRON_CPU_MAX))
			continue;
		if (!p->go) {
			p->ec.cpu = n;
			RT_MUST(rt_sm(&p->go, 0));
			RT_MUST(rt_thread(&p->ec, PROBER_PRIO, probe, p));
		}
		RT_MUST(hc_sm_up(p->go));
		while (p->turns == before)
			rt_pause();
	}
}

static void helpers_start(void (*fn)(void *))
{
	EACH_OTHER(n)
	{
		struct helper *h = &helpers[n];
		struct xarea *in = h->in, *out = h->out;

		*h = (struct helper){.ec = {.cpu = n, .sel = sel_new(), .sc = sel_new()}, .in = in, .out = out};
		if (!in) {
			h->in = rt_pages(XAREA_SIZE / RT_PAGE);
			h->out = rt_pages(XAREA_SIZE / RT_PAGE);
		}
		h->wait = sm_make(0);
		xarea_random(h->in);
		h->fs = guest_random() & 0x7fffffffffff;
		h->gs = guest_random() | 0xffff800000000000;
		ASSERT_OK(rt_thread(&h->ec, RT_PRIO, fn, h));
	}
}

static bool helpers_wait(unsigned long turns)
{
	EACH_OTHER(n)
	for (unsigned long i = 0, from = helpers[n].turns; helpers[n].turns - from < turns; i++) {
		if (i > 1ul << 32)
			return false;
		rt_pause();
	}
	return true;
}

/* Each helper is in its n-th turn or beyond; an up alone does not say that its CPU has got to it. */
static bool helpers_reach(unsigned long turns)
{
	EACH_OTHER(n)
	for (unsigned long i = 0; helpers[n].turns < turns; i++) {
		if (i > 1ul << 32)
			return false;
		rt_pause();
	}
	return true;
}

static bool helpers_done(void)
{
	EACH_OTHER(n)
	for (unsigned long i = 0; !helpers[n].done; i++) {
		if (i > 1ul << 32)
			return false;
		rt_pause();
	}
	return true;
}

/* Counts in user mode, with all of its state in registers. */
static void count(void *arg)
{
	struct helper *h = arg;

	__asm__ volatile("wrfsbase %0; wrgsbase %1" : : "r"(h->fs), "r"(h->gs));
	__asm__ volatile("xrstor64 (%[in])\n"
			 "1: lock incq %[turns]\n"
			 "pause\n"
			 "cmpq $0, %[stop]\n"
			 "je 1b\n"
			 "xsave64 (%[out])"
			 : [turns] "+m"(h->turns)
			 : [stop] "m"(h->stop), [in] "r"(h->in), [out] "r"(h->out), "a"(-1), "d"(-1)
			 : "memory");
	__asm__ volatile("rdfsbase %0; rdgsbase %1" : "=r"(h->fs_after), "=r"(h->gs_after));
	__asm__ volatile("wrfsbase %0; wrgsbase %0" : : "r"(0ul));
	h->done = 1;
}

static void others_run(void)
{
	NEED_SLEEP;
	if (rt_cpu_count() == 1)
		SKIP("one CPU only");
	helpers_start(count);
	for (int i = 0; i < 2; i++) {
		ASSERT(helpers_wait(1000));
		ASSERT_OK(suspend_machine());
		ASSERT(helpers_wait(1000));
	}
	EACH_OTHER(n)
	helpers[n].stop = 1;
	ASSERT(helpers_done());
	EACH_OTHER(n)
	{
		struct helper *h = &helpers[n];
		const char *differs = xarea_difference(h->out, h->in);

		ASSERT_EQ(h->fs_after, h->fs);
		ASSERT_EQ(h->gs_after, h->gs);
		if (differs)
			test_fail(__FILE__, __LINE__, "CPU %u: %s differs", n, differs);
	}
}

static void wait(void *arg)
{
	struct helper *h = arg;

	for (;;) {
		h->turns++;
		h->status = hc_sm_down(h->wait);
		if (h->stop)
			break;
	}
	h->done = 1;
}

/* CPUs that have nothing to do sleep on in their own way. */
static void others_idle(void)
{
	NEED_SLEEP;
	helpers_start(wait);
	ASSERT(helpers_reach(1));
	ASSERT_OK(suspend_machine());
	EACH_OTHER(n)
	ASSERT_OK(hc_sm_up(helpers[n].wait));
	ASSERT(helpers_reach(2));
	ASSERT_OK(suspend_machine());
	EACH_OTHER(n)
	{
		helpers[n].stop = 1;
		ASSERT_OK(hc_sm_up(helpers[n].wait));
	}
	ASSERT(helpers_done());
	EACH_OTHER(n)
	{
		ASSERT_EQ(helpers[n].turns, 2);
		ASSERT_EQ(helpers[n].status, SUCCESS);
	}
}

static unsigned long read_msrs(unsigned long *to)
{
	unsigned n = 0;

	for (unsigned msr = MSR_MTRR_FIRST; msr <= MSR_MTRR_LAST; msr++)
		EXPECT_OK(hc_msr_read(msr, &to[n++]));
	EXPECT_OK(hc_msr_read(MSR_MTRR_DEF_TYPE, &to[n++]));
	EXPECT_OK(hc_msr_read(0x250, &to[n++]));
	EXPECT_OK(hc_msr_read(0x26f, &to[n++]));
	EXPECT_OK(hc_msr_read(MSR_PAT, &to[n++]));
	EXPECT_OK(hc_msr_read(MSR_MISC_ENABLE, &to[n++]));
	return n;
}

static void msrs_twice(void *arg)
{
	struct helper *h = arg;

	read_msrs(h->msr);
	h->turns = 1;
	while (!h->stop)
		rt_pause();
	read_msrs(h->msr_after);
	h->done = 1;
}

static void msrs(void)
{
	struct helper *self = &helpers[rt_cpu];
	unsigned long count;

	NEED_SLEEP;
	helpers_start(msrs_twice);
	count = read_msrs(self->msr);
	ASSERT(helpers_reach(1));
	ASSERT_OK(suspend_machine());
	read_msrs(self->msr_after);
	EACH_OTHER(n)
	helpers[n].stop = 1;
	ASSERT(helpers_done());
	for (unsigned n = 0; n < HEDRON_CPU_MAX; n++)
		for (unsigned i = 0; rt_cpu_enabled(n) && i < count; i++)
			ASSERT_EQ(helpers[n].msr_after[i], helpers[n].msr[i]);
}

static volatile unsigned long ready, go;

static void suspend_elsewhere(void *arg)
{
	struct helper *h = arg;
	struct hc_regs r = request(s3, s3);

	__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
	while (!go)
		rt_pause();
	h->status = hc_raw(&r);
	h->done = 1;
}

/* The CPU that asks need not be the one that the firmware wakes up. */
static void from_another_cpu(void)
{
	NEED_SLEEP;
	if (rt_cpu_count() == 1)
		SKIP("one CPU only");
	go = 1;
	EACH_OTHER(n)
	{
		struct helper *h = &helpers[n];

		*h = (struct helper){.ec = {.cpu = n, .sel = sel_new(), .sc = sel_new()}, .in = h->in, .out = h->out};
		guest_alive();
		ASSERT_OK(rt_thread(&h->ec, RT_PRIO, suspend_elsewhere, h));
		while (!h->done)
			rt_pause();
		others_go_on();
		ASSERT_EQ(h->status, SUCCESS);
	}
}

/* One of those who ask at the same time gets it, the others are told so; a late one may get the next. */
static void concurrent(void)
{
	unsigned slept = 0;
	enum status st;

	NEED_SLEEP;
	if (rt_cpu_count() == 1)
		SKIP("one CPU only");
	ready = go = 0;
	helpers_start(suspend_elsewhere);
	while (ready < rt_cpu_count() - 1)
		rt_pause();
	go = 1;
	st = suspend_machine();
	ASSERT(st == SUCCESS || st == BAD_PAR);
	slept = st == SUCCESS;
	ASSERT(helpers_done());
	others_go_on();
	EACH_OTHER(n)
	{
		ASSERT(helpers[n].status == SUCCESS || helpers[n].status == BAD_PAR);
		slept += helpers[n].status == SUCCESS;
	}
	ASSERT(slept > 0);
}

static void hit(void *flag)
{
	*(volatile unsigned long *)flag = 1;
}

/* Objects come and go on all CPUs, memory is unmapped everywhere: signals between the CPUs work. */
static void life_goes_on(void)
{
	static unsigned long flags[HEDRON_CPU_MAX];
	uint64_t *page = rt_pages(1), *again = (uint64_t *)rt_va(1, 1);

	NEED_SLEEP;
	ASSERT_OK(suspend_machine());
	for (int round = 0; round < 20; round++) {
		EACH_OTHER(n)
		{
			struct rt_ec ec = {.cpu = n,
					   .sel = sel_new(),
					   .sc = sel_new(),
					   .stack = helpers[n].ec.stack,
					   .utcb = helpers[n].ec.utcb};

			flags[n] = 0;
			ASSERT_OK(rt_thread(&ec, RT_PRIO, hit, &flags[n]));
			helpers[n].ec.stack = ec.stack;
			helpers[n].ec.utcb = ec.utcb;
			while (!__atomic_load_n(&flags[n], __ATOMIC_RELAXED))
				rt_pause();
			ASSERT_OK(rt_revoke(ec.sc));
			ASSERT_OK(rt_revoke(ec.sel));
		}
		ASSERT_OK(rt_mem_delegate(RT_SEL_PD, rt_phys(page), RT_SEL_PD, (uint64_t)again, 1, RT_MEM_RW,
					  ITEM_HYPERVISOR));
		*again = round;
		ASSERT_EQ(*page, round);
		ASSERT_OK(rt_mem_revoke((uint64_t)again, 1));
		ASSERT(!can_read((unsigned long)again));
	}
}

/* ---- A CPU that does not wake up: `lost=N` on the command line, for somebody outside sees to it ---- */

/* Of the lost CPU: what is made before, runs, waits, and is asked to die afterwards. */
struct legacy {
	unsigned cpu;
	sel_t pd, foreign_ec, server, portal, sm;
	struct rt_ec waiter;
	volatile unsigned long waits;
};

static void wait_for_ever(void *arg)
{
	struct legacy *l = arg;

	l->waits = 1;
	hc_sm_down(l->sm);
	rt_block();
}

static void serve(RT_UNUSED struct utcb *utcb, RT_UNUSED void *arg) {}

static void legacy_make(struct legacy *l, unsigned cpu)
{
	struct rt_ec server = {.cpu = cpu};

	*l = (struct legacy){
		.cpu = cpu, .pd = sel_new(), .foreign_ec = sel_new(), .portal = sel_new(), .sm = sm_make(0)};
	ASSERT_OK(hc_create_pd(l->pd, RT_SEL_PD, 0, 0));
	ASSERT_OK(hc_create_ec(l->foreign_ec, l->pd, cpu, 0, 0, 0, CREATE_EC_GLOBAL));
	server.sel = sel_new();
	ASSERT_OK(rt_ec_local(&server));
	l->server = server.sel;
	ASSERT_OK(rt_pt_at(l->portal, &server, 0, serve, NULL));
	l->waiter = (struct rt_ec){.cpu = cpu, .sel = sel_new(), .sc = sel_new()};
	ASSERT_OK(rt_thread(&l->waiter, RT_PRIO + 1, wait_for_ever, l));
	while (!l->waits)
		rt_pause();
}

/* Whatever names the lost CPU. */
static void lost_is_told(const struct legacy *l)
{
	sel_t fresh = sel_new();

	ASSERT_ST(hc_create_ec(fresh, RT_SEL_PD, l->cpu, 0, 0, 0, CREATE_EC_GLOBAL), BAD_CPU);
	ASSERT_ST(hc_create_sc(fresh, RT_SEL_PD, l->foreign_ec, 2, RT_QUANTUM), BAD_CPU);
	ASSERT_ST(hc_call(l->portal), BAD_CPU);
}

/* Tables and objects come and go, more than enough for several grace periods; nobody waits for the lost CPU. */
static void lost_is_not_awaited(void)
{
	uint64_t *page = rt_pages(1);
	uint64_t again = rt_va(1, 1);
	sel_t sm = sel_new();

	for (int i = 0; i < 300; i++) {
		ASSERT_OK(rt_mem_delegate(RT_SEL_PD, rt_phys(page), RT_SEL_PD, again, 1, RT_MEM_RW, ITEM_HYPERVISOR));
		ASSERT_OK(rt_mem_revoke(again, 1));
		ASSERT_OK(hc_create_sm(sm, RT_SEL_PD, 0));
		ASSERT_OK(rt_revoke(sm));
		guest_alive();
	}
}

static void legacy_dies(const struct legacy *l)
{
	ASSERT_OK(hc_sm_up(l->sm)); /* who waits there is lost, and so is this */
	ASSERT_OK(rt_revoke(l->sm));
	ASSERT_OK(rt_revoke(l->waiter.sc));
	ASSERT_OK(rt_revoke(l->waiter.sel));
	ASSERT_OK(rt_revoke(l->portal));
	ASSERT_OK(rt_revoke(l->server));
	ASSERT_OK(rt_revoke(l->pd));
	ASSERT_OK(rt_revoke(l->foreign_ec));
	ASSERT_OK(rt_revoke(helpers[l->cpu].ec.sc));
	ASSERT_OK(rt_revoke(helpers[l->cpu].ec.sel));
}

static void lost_cpu(void)
{
	static struct legacy legacy;
	unsigned lost = (unsigned)rt_arg("lost", HEDRON_CPU_MAX);
	unsigned long turns;

	NEED_SLEEP;
	if (lost >= HEDRON_CPU_MAX)
		SKIP("all CPUs wake up");
	legacy_make(&legacy, lost);
	helpers_start(count);
	ASSERT(helpers_wait(1000));
	ASSERT_OK(suspend_machine());
	turns = helpers[lost].turns;
	for (int round = 0; round < 2; round++) {
		lost_is_not_awaited();
		if (!round) {
			lost_is_told(&legacy);
			legacy_dies(&legacy);
		}
		lost_is_not_awaited();
		EACH_OTHER(n)
		for (unsigned long from = helpers[n].turns; n != lost && helpers[n].turns - from < 1000;)
			rt_pause();
		if (!round)
			ASSERT_OK(suspend_machine()); /* without the lost one */
	}
	ASSERT_EQ(helpers[lost].turns, turns);
	EACH_OTHER(n)
	helpers[n].stop = 1;
	EACH_OTHER(n)
	while (n != lost && !helpers[n].done)
		rt_pause();
}

const struct test suspend_smp_tests[] = {
	TEST(others_run), TEST(others_idle),  TEST(msrs),     TEST(from_another_cpu),
	TEST(concurrent), TEST(life_goes_on), TEST(lost_cpu), {},
};
