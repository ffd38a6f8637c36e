/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All CPUs create, use, delegate and revoke the same few objects at random: PDs with threads on several CPUs, threads
 * that run, wait, call or help elsewhere while they are killed, portals that go while they are called, kernel pages
 * and UTCBs that come and go in the PDs of others. Nearly every hypercall may fail, and none may harm.
 *
 * At the end everything is revoked, each CPU still works, and all memory is back.
 */
#include "memory.h"
#include "stress.h"

#include "rt/cmdline.h"
#include "rt/console.h"
#include "rt/image.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/start.h"
#include "rt/string.h"
#include "rt/thread.h"

#define PLACE 0x600000000000ul /* a page for each object that is mapped */

enum { EACH = STRESS_EACH, VICTIM_PRIO_MAX = SMP_PRIO - 1 };

void stress_thread(void);
void stress_reply(void);
void stress_wait_reply(void);

static sel_t events[SMP_MAX]; /* only the startup event: every other kills */
static uint64_t seeds[SMP_MAX];
static unsigned long rounds;
static volatile unsigned long statuses[16], ready;

static void start_up(struct utcb *u, RT_UNUSED void *unused)
{
	u->state.rip = (uint64_t)stress_thread;
	u->state.mtd = MTD_RIP_LEN;
}

static void make_events(void)
{
	for (unsigned i = 0; i < smp_count; i++) {
		struct rt_ec ec = {.cpu = smp_cpu(i), .events = SMP_NOTHING};

		events[i] = rt_sels(5);
		RT_MUST(rt_ec_local(&ec));
		RT_MUST(rt_pt_at(events[i] + HEDRON_EXC_STARTUP, &ec, 0, start_up, NULL));
	}
}

/* ---- The dice ---- */

struct dice {
	uint64_t *seed;
	unsigned self;
};

static unsigned roll(const struct dice *d, unsigned n)
{
	return (unsigned)((smp_random(d->seed) >> 32) % n);
}

static sel_t any(const struct dice *d, sel_t kind)
{
	return kind + roll(d, EACH);
}

/* Mostly the own PD. */
static sel_t any_pd(const struct dice *d)
{
	return roll(d, 3) ? (sel_t)RT_SEL_PD : any(d, STRESS_PD);
}

static unsigned long place(sel_t sel)
{
	return PLACE + (sel - STRESS_BASE) * RT_PAGE;
}

/* ---- What can be done ---- */

/* A PD that can run threads on all CPUs, unless another CPU is faster. */
static enum status make_pd(const struct dice *d)
{
	uint64_t image = (uint64_t)rt_image_start;
	sel_t pd = any(d, STRESS_PD);
	enum status st = hc_create_pd(pd, any_pd(d), rt_obj(STRESS_BASE, STRESS_ORDER, PERM_ALL), 0);

	for (unsigned i = 0; i < smp_count && st == SUCCESS; i++)
		st = hc_delegate(RT_SEL_PD, pd, rt_obj(events[i], 5, PERM_ALL), ITEM_DELEGATE,
				 rt_obj(events[i], 5, PERM_ALL), NULL);
	if (st == SUCCESS)
		st = hc_delegate(RT_SEL_PD, pd, rt_obj(STRESS_BASE, STRESS_ORDER, PERM_ALL), ITEM_DELEGATE,
				 rt_obj(STRESS_BASE, STRESS_ORDER, PERM_ALL), NULL);
	if (st == SUCCESS)
		st = rt_mem_delegate(RT_SEL_PD, image, pd, image, (size_t)(rt_image_end - rt_image_start) / RT_PAGE,
				     PERM_MEM_R | PERM_MEM_X, 0);
	return st;
}

static enum status make_ec(const struct dice *d, sel_t kind, unsigned flags)
{
	unsigned cpu = roll(d, smp_count);
	sel_t sel = any(d, kind);

	if (roll(d, 2))
		flags |= CREATE_EC_CALLER_UTCB;
	return hc_create_ec(sel, any_pd(d), smp_cpu(cpu), roll(d, 4) ? place(sel) : 0, roll(d, EACH), events[cpu],
			    flags);
}

static enum status make_thread(const struct dice *d)
{
	return make_ec(d, STRESS_EC, CREATE_EC_GLOBAL);
}

static enum status make_server(const struct dice *d)
{
	return make_ec(d, STRESS_SERVER, 0);
}

static enum status make_sc(const struct dice *d)
{
	return hc_create_sc(any(d, STRESS_SC), RT_SEL_PD, any(d, STRESS_EC), 2 + roll(d, VICTIM_PRIO_MAX - 2),
			    RT_QUANTUM);
}

static enum status make_pt(const struct dice *d)
{
	return hc_create_pt(any(d, STRESS_PT), RT_SEL_PD, any(d, STRESS_SERVER), 0, (uint64_t)stress_reply);
}

static enum status make_pt_wait(const struct dice *d)
{
	return hc_create_pt(any(d, STRESS_PT_WAIT), RT_SEL_PD, any(d, STRESS_SERVER), 0, (uint64_t)stress_wait_reply);
}

static enum status make_sm(const struct dice *d)
{
	return hc_create_sm(any(d, STRESS_SM), any_pd(d), roll(d, 2));
}

static enum status make_kp(const struct dice *d)
{
	return hc_create_kp(any(d, STRESS_KP), any_pd(d));
}

static enum status map_kp(const struct dice *d)
{
	sel_t kp = any(d, STRESS_KP);

	return hc_kp_map(kp, any_pd(d), place(kp));
}

static enum status unmap_kp(const struct dice *d)
{
	return hc_kp_unmap(any(d, STRESS_KP));
}

static enum status up(const struct dice *d)
{
	return hc_sm_up(any(d, STRESS_SM));
}

/* With something in the message. A portal of another CPU is BAD_CPU. One that is busy, for ever maybe, has to be
 * revoked by others. */
static enum status call(const struct dice *d)
{
	struct utcb *u = smp_utcb(d->self);

	rt_msg(u, roll(d, 10), roll(d, 3));
	rt_item(u, 0, rt_obj(any(d, STRESS_BASE), 0, PERM_ALL), ITEM_DELEGATE);
	rt_item(u, 1, rt_mem(PLACE, roll(d, 8), RT_MEM_RW), ITEM_DELEGATE);
	return smp_count == 1 ? hc_call_nonblock(any(d, STRESS_PT)) : hc_call(any(d, STRESS_PT));
}

static enum status revoke(const struct dice *d)
{
	unsigned order = roll(d, 8) ? 0 : roll(d, 4);
	sel_t sel = STRESS_BASE + roll(d, 1u << STRESS_ORDER);

	return hc_revoke(rt_obj(sel, order, PERM_ALL), REVOKE_SELF, 0);
}

/* Some permissions only, or only what was derived. */
static enum status weaken(const struct dice *d)
{
	sel_t sel = STRESS_BASE + roll(d, 1u << STRESS_ORDER);

	return hc_revoke(rt_obj(sel, 0, roll(d, 32)), roll(d, 2) ? REVOKE_SELF : 0, 0);
}

static enum status revoke_remote(const struct dice *d)
{
	sel_t sel = STRESS_BASE + roll(d, 1u << STRESS_ORDER);
	crd_t what = roll(d, 2) ? rt_obj(sel, roll(d, 4), PERM_ALL) : rt_mem(PLACE, STRESS_ORDER, PERM_ALL);

	return hc_revoke(what, REVOKE_REMOTE | (roll(d, 2) ? REVOKE_SELF : 0), any(d, STRESS_PD));
}

static enum status delegate(const struct dice *d)
{
	sel_t from = STRESS_BASE + roll(d, 1u << STRESS_ORDER), to = STRESS_BASE + roll(d, 1u << STRESS_ORDER);
	unsigned order = roll(d, 4);

	return hc_delegate(any_pd(d), any_pd(d), rt_obj(from, order, PERM_ALL), ITEM_DELEGATE,
			   rt_obj(roll(d, 4) ? from : to, order, PERM_ALL), NULL);
}

static enum status delegate_memory(const struct dice *d)
{
	static uint8_t page[RT_PAGE] __attribute__((aligned(4096)));

	return hc_delegate(RT_SEL_PD, any_pd(d), rt_mem((uint64_t)page, 0, RT_MEM_RW), ITEM_DELEGATE,
			   rt_mem(PLACE + roll(d, 1u << STRESS_ORDER) * RT_PAGE, 0, RT_MEM_RW), NULL);
}

static enum status look(const struct dice *d)
{
	unsigned long us;
	crd_t found;

	(void)hc_pt_ctrl(any(d, STRESS_PT), roll(d, 100));
	(void)hc_sc_ctrl(any(d, STRESS_SC), &us);
	return hc_lookup(rt_obj(STRESS_BASE + roll(d, 1u << STRESS_ORDER), 0, 0), &found);
}

typedef enum status action(const struct dice *d);

static action *const everything[] = {
	make_pd,      make_thread,   make_thread, make_server,     make_sc,  make_sc, make_pt,
	make_pt_wait, make_sm,       make_kp,     map_kp,          unmap_kp, up,      up,
	call,         call,          revoke,      revoke,          revoke,   weaken,  delegate,
	delegate,     revoke_remote, delegate,    delegate_memory, look,
};

static action *const threads[] = {make_thread, make_sc, make_sm, up, up, revoke, make_server, make_pt, make_pt_wait};
static action *const portals[] = {make_server, make_pt, make_pt, call, call, call, revoke, look};
static action *const pds[] = {make_pd, make_thread, make_sc, make_server, make_pt, revoke, revoke_remote, delegate};
static action *const pages[] = {make_pd,     make_kp, map_kp, map_kp,         unmap_kp,
				make_thread, revoke,  revoke, delegate_memory};

/* ---- The tests ---- */

static action *const *plan;
static unsigned plan_size;

static void act(unsigned self)
{
	struct dice d = {&seeds[self], self};

	for (unsigned long r = 0; r < rounds; r++) {
		enum status st = plan[roll(&d, plan_size)](&d);

		smp_inc(&statuses[st < RT_ARRAY(statuses) ? st : RT_ARRAY(statuses) - 1]);
		smp_progress(self);
	}
	smp_inc(&ready);
	while (smp_load(&ready) < smp_count && !test_failed()) /* somebody may hang in a call */
		revoke(&d);
	if (self)
		return;
	/* Here, because what runs in the threads is more important than main(). */
	ASSERT_OK(hc_revoke(rt_obj(STRESS_BASE, STRESS_ORDER, PERM_ALL), REVOKE_SELF, 0));
	ASSERT_OK(hc_revoke(rt_mem(PLACE, STRESS_ORDER, PERM_ALL), REVOKE_SELF, 0));
}

static void stress(action *const *actions, unsigned n, unsigned long usual)
{
	plan = actions;
	plan_size = n;
	rounds = smp_rounds(usual);
	ready = 0;
	memset((void *)statuses, 0, sizeof(statuses));
	for (unsigned i = 0; i < smp_count; i++)
		seeds[i] = rt_arg("seed", 1) * 1000 + i + 1;
	smp_run(smp_count, act);
	rt_printf("seed %lu: %lu of %lu hypercalls succeeded, %lu found nothing, %lu were aborted\n",
		  rt_arg("seed", 1), statuses[SUCCESS], rounds * smp_count, statuses[BAD_CAP], statuses[ABORT]);
	EXPECT(statuses[SUCCESS]);
	EXPECT_EQ(statuses[BAD_HYP] + statuses[BAD_FTR] + statuses[BAD_DEV] + statuses[BUSY] + statuses[15], 0);
	memory_is_back();
}

static void stress_threads(void)
{
	stress(threads, RT_ARRAY(threads), 4000);
}
static void stress_portals(void)
{
	stress(portals, RT_ARRAY(portals), 4000);
}
static void stress_pds(void)
{
	stress(pds, RT_ARRAY(pds), 3000);
}
static void stress_pages(void)
{
	stress(pages, RT_ARRAY(pages), 4000);
}
static void stress_everything(void)
{
	stress(everything, RT_ARRAY(everything), 8000);
}

static void prepare(void)
{
	make_events();
	/* Tables that stay are made now. */
	RT_MUST(hc_create_sm(STRESS_BASE, RT_SEL_PD, 0));
	RT_MUST(rt_revoke(STRESS_BASE));
	memory_measure();
	EXPECT(memory_is_back());
}

static const struct test tests[] = {
	TEST(prepare),    TEST(stress_threads), TEST(stress_portals),
	TEST(stress_pds), TEST(stress_pages),   TEST(stress_everything),
};

bool main(void)
{
	return smp_test_run("smp_stress", tests, RT_ARRAY(tests));
}
