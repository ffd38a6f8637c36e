/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random hypercalls on all CPUs at once.
 *
 * Each round makes sandboxes: PDs with threads, servers and event handlers on every CPU, which hold capabilities of
 * each other and of all kinds of objects, and may do with them whatever they like. One of them may use MSRs and ask
 * for sleep. Meanwhile a thread of the roottask takes things from them. When the threads of a round have made their
 * calls, are blocked or are dead, everything is revoked; each CPU still has to do ordinary things. At the end all
 * memory is back. The sandboxes have no capability of the roottask's PD, and can write to memory of their own only.
 *
 * "calls=N" and "seed=N" on the command line choose another length and another beginning. Each round prints its seed:
 * with it and calls=1 the round can be repeated. The CPUs of QEMU run in parallel, so what meets what differs; in
 * Bochs, or with -icount, it is the same again.
 */
#include "fuzz.h"
#include "memory.h"

#include "rt/cmdline.h"
#include "rt/console.h"
#include "rt/hip.h"
#include "rt/image.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/pool.h"
#include "rt/port.h"
#include "rt/start.h"
#include "rt/string.h"
#include "rt/thread.h"

#define CALLS 40000
#define PER_CPU 250 /* calls in a round */
#define KILLS 40

enum {
	ROOT = SMP_SEL + 0x8000, /* the things; in the sandboxes they are at FUZZ_THINGS */
	EVENTS = ROOT + 0x1000,  /* 32 event portals for each CPU */
};

struct fuzz_shared *fuzz_shared;
uint8_t *fuzz_stacks;
unsigned fuzz_cpus[SMP_MAX];
unsigned long fuzz_page;

static sel_t starters[SMP_MAX];

/* The roottask's selector of what is `sel` in the sandboxes. */
static sel_t root(sel_t sel)
{
	return ROOT + sel - FUZZ_THINGS;
}

static sel_t box(unsigned i)
{
	return root(FUZZ_PD) + i % FUZZ_BOXES;
}

/* ---- Once ---- */

/* In the roottask, so that threads start whatever becomes of the sandboxes. */
static void start_up(struct utcb *u, RT_UNUSED void *unused)
{
	u->state.rip = (uint64_t)fuzz_thread;
	u->state.mtd = MTD_RIP_LEN;
}

static void prepare(void)
{
	size_t pages = (sizeof(struct fuzz_shared) + RT_PAGE - 1) / RT_PAGE;

	RT_MUST(rt_ports(FUZZ_PORT, 5));
	fuzz_shared = rt_pages(pages);
	fuzz_stacks = fuzz_shared->stack[0];
	fuzz_page = rt_phys(fuzz_shared->arena);
	for (unsigned i = 0; i < smp_count; i++) {
		struct rt_ec ec = {.cpu = smp_cpu(i), .events = SMP_NOTHING};

		RT_MUST(rt_ec_local(&ec));
		RT_MUST(rt_pt(&starters[i], &ec, 0, start_up, NULL));
	}
	for (unsigned i = 0; i < SMP_MAX; i++)
		fuzz_cpus[i] = smp_cpu(i % smp_count);
}

/* ---- A round ---- */

static void make_pds(void)
{
	uint64_t image = (uint64_t)rt_image_start, shared = (uint64_t)fuzz_shared;

	for (unsigned i = 0; i < 8; i++)
		RT_MUST(hc_create_pd(root(FUZZ_PD) + i, RT_SEL_PD, 0, i ? 0 : CREATE_PD_PASSTHROUGH));
	for (unsigned i = 0; i < FUZZ_BOXES; i++) {
		RT_MUST(rt_mem_delegate(RT_SEL_PD, image, box(i), image,
					(size_t)(rt_image_end - rt_image_start) / RT_PAGE, PERM_MEM_R | PERM_MEM_X,
					0));
		RT_MUST(rt_mem_delegate(RT_SEL_PD, shared, box(i), shared, sizeof(*fuzz_shared) / RT_PAGE, RT_MEM_RW,
					0));
		RT_MUST(hc_delegate(RT_SEL_PD, box(i), rt_pio(FUZZ_PORT, 5), ITEM_DELEGATE, rt_pio(FUZZ_PORT, 5),
				    NULL));
	}
}

/* The i-th EC of a kind: in another PD and on another CPU each. */
static void make_ec(sel_t sel, unsigned i, unsigned at, unsigned flags)
{
	unsigned long utcb = FUZZ_UTCB + at * RT_PAGE;

	RT_MUST(hc_create_ec(sel, box(i), fuzz_cpus[i], utcb, utcb, SMP_PD_EVENTS * (i % smp_count), flags));
}

static void make_things(uint64_t *seed)
{
	for (unsigned i = 0; i < 8; i++) {
		make_ec(root(FUZZ_LOCAL) + i, i, i, 0);
		make_ec(root(FUZZ_HANDLER) + i, i, 8 + i, 0);
		make_ec(root(FUZZ_GLOBAL) + i, i, 16 + i, CREATE_EC_GLOBAL);
		RT_MUST(hc_create_pt(root(FUZZ_PT) + i, RT_SEL_PD, root(FUZZ_LOCAL) + i, smp_random(seed),
				     (uint64_t)fuzz_serve));
		RT_MUST(hc_create_pt(root(FUZZ_PT) + 8 + i, RT_SEL_PD, root(FUZZ_LOCAL) + i, smp_random(seed),
				     (uint64_t)fuzz_echo));
		RT_MUST(hc_create_sm(root(FUZZ_SM) + i, RT_SEL_PD, i));
		RT_MUST(hc_create_kp(root(FUZZ_KP) + i, RT_SEL_PD));
	}
	for (unsigned i = 0; i < 8; i++) { /* BAD_FTR where there is no VMX */
		enum status st = hc_create_vcpu(root(FUZZ_VCPU) + i, fuzz_cpus[i], box(i), root(FUZZ_KP) + i,
						root(FUZZ_KP) + (i + 1) % 8, root(FUZZ_KP) + (i + 2) % 8);

		EXPECT(st == SUCCESS || st == BAD_FTR);
	}
}

/* Faults of threads on CPU i go to handlers in another sandbox. */
static void make_events(unsigned i, uint64_t *seed)
{
	sel_t events = EVENTS + HEDRON_SEL_EXC * i;

	for (unsigned v = 0; v < HEDRON_SEL_EXC; v++) {
		if (v == HEDRON_EXC_STARTUP)
			continue;
		RT_MUST(hc_create_pt(events + v, RT_SEL_PD, root(FUZZ_HANDLER) + i, smp_random(seed),
				     (uint64_t)fuzz_fault));
		RT_MUST(hc_pt_ctrl(events + v, v));
	}
	for (unsigned b = 0; b < FUZZ_BOXES; b++) {
		RT_MUST(hc_delegate(RT_SEL_PD, box(b), rt_obj(events, 5, PERM_ALL), ITEM_DELEGATE,
				    rt_obj(SMP_PD_EVENTS * i, 5, PERM_ALL), NULL));
		RT_MUST(rt_delegate(starters[i], box(b), SMP_PD_EVENTS * i + HEDRON_EXC_STARTUP, PERM_PT_CALL));
	}
}

/* On another CPU than main()'s, and more important than what runs in the sandboxes. */
static void kill(void *seed_of_round)
{
	uint64_t seed = (uint64_t)seed_of_round;

	for (unsigned i = 0; i < KILLS; i++) {
		sel_t sel = ROOT + smp_random(&seed) % (1 << FUZZ_ORDER);
		unsigned order = (unsigned)(smp_random(&seed) % 3);
		uint64_t page = FUZZ_ARENA / RT_PAGE;

		smp_delay(&seed, 3000);
		if (smp_random(&seed) % 2)
			hc_revoke(rt_obj(sel, order, PERM_ALL), smp_random(&seed) % 2, 0);
		else
			hc_revoke(crd_make(CRD_MEM, page, 6, PERM_ALL), REVOKE_REMOTE, box(i));
	}
}

static void begin(unsigned long seed)
{
	static struct rt_ec killer;
	uint64_t dice = seed * 0x9e3779b97f4a7c15 + 1;

	fuzz_shared->slots = fuzz_shared->calls = fuzz_shared->faults = fuzz_shared->answers = 0;
	fuzz_shared->limit = PER_CPU * smp_count;
	for (unsigned i = 0; i < FUZZ_SLOTS; i++)
		fuzz_shared->seed[i] = smp_random(&dice);
	make_pds();
	make_things(&dice);
	for (unsigned i = 0; i < smp_count; i++)
		make_events(i, &dice);
	for (unsigned i = 0; i < FUZZ_BOXES; i++)
		RT_MUST(hc_delegate(RT_SEL_PD, box(i), rt_obj(ROOT, FUZZ_ORDER, PERM_ALL), ITEM_DELEGATE,
				    rt_obj(FUZZ_THINGS, FUZZ_ORDER, PERM_ALL), NULL));
	if (smp_count > 1)
		smp_thread(&killer, smp_count - 1, SMP_PRIO, kill, (void *)smp_random(&dice));
	for (unsigned i = 8; i--;) { /* those on the boot CPU keep main() away; some may have been killed already */
		sel_t sc = root(FUZZ_SC) + i;

		(void)hc_create_sc(sc, RT_SEL_PD, root(FUZZ_GLOBAL) + i, 2 + i, RT_QUANTUM);
		for (unsigned b = 0; b < FUZZ_BOXES; b++)
			(void)hc_delegate(RT_SEL_PD, box(b), rt_obj(sc, 0, PERM_ALL), ITEM_DELEGATE,
					  rt_obj(FUZZ_SC + i, 0, PERM_ALL), NULL);
	}
}

static unsigned long events(void)
{
	return smp_load(&fuzz_shared->calls) + smp_load(&fuzz_shared->faults) + smp_load(&fuzz_shared->answers);
}

/* Nobody has made a call while every CPU came to rest. */
static void rest(void)
{
	unsigned long before;

	do {
		before = events();
		memory_settle();
	} while (events() != before);
}

static void ordinary(unsigned self)
{
	sel_t sm = EVENTS + self;

	ASSERT_OK(hc_create_sm(sm, RT_SEL_PD, 0));
	ASSERT_OK(hc_sm_up(sm));
	ASSERT_OK(hc_sm_down(sm));
	ASSERT_OK(rt_revoke(sm));
	ASSERT_ST(hc_sm_up(sm), BAD_CAP);
	ASSERT_EQ(rt_hip->signature, HIP_SIGNATURE);
	smp_progress(self);
}

static unsigned long total, statuses[16];

static void one_round(unsigned long seed)
{
	rt_printf("round seed=%lu\n", seed);
	memset(fuzz_shared->statuses, 0, sizeof(fuzz_shared->statuses));
	begin(seed);
	rest();
	smp_clean();
	smp_run(smp_count, ordinary);
	total += fuzz_shared->calls;
	for (unsigned i = 0; i < RT_ARRAY(statuses); i++)
		statuses[i] += fuzz_shared->statuses[i];
}

static void random_calls(void)
{
	unsigned long seed = rt_arg("seed", 1), calls = rt_arg("calls", smp_rounds(CALLS));

	prepare();
	one_round(0); /* tables that stay are made now */
	memory_measure();
	memset(statuses, 0, sizeof(statuses));
	for (total = 0; total < calls && !test_failed(); seed++)
		one_round(seed);
	rt_printf(
		"%lu calls: ok %lu timeout %lu abort %lu hyp %lu cap %lu par %lu ftr %lu cpu %lu oom %lu busy %lu\n",
		total, statuses[SUCCESS], statuses[TIMEOUT], statuses[ABORT], statuses[BAD_HYP], statuses[BAD_CAP],
		statuses[BAD_PAR], statuses[BAD_FTR], statuses[BAD_CPU], statuses[OOM], statuses[BUSY]);
	EXPECT(statuses[SUCCESS] > total / 20);
	EXPECT_EQ(statuses[15], 0);
	memory_is_back();
}

static const struct test tests[] = {TEST(random_calls)};

bool main(void)
{
	return smp_test_run("smp_fuzz", tests, RT_ARRAY(tests));
}
