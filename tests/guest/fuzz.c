/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random hypercalls.
 *
 * A thread in a PD of its own issues hypercalls with arguments that are made up from a seed: numbers of hypercalls
 * that exist (mostly), flags, selectors near those it has, CRDs of all kinds around interesting bases, addresses at
 * the edges, and now and then any 64 bits. Its PD holds one or more of each kind of object and may harm itself in
 * every way: it can unmap its own code, revoke its own event portals, block for ever, call itself. main() notices
 * that the thread came to its end, gives it a new PD with the next seed, and in between asks the kernel to do
 * ordinary things.
 *
 * Nothing the fuzzer does may reach main(): its capabilities are copies, and of main()'s PD it has none. At the end
 * as many objects can be created as at the beginning: nothing was lost.
 *
 * `calls=N` and `seed=N` on the module's command line choose another length and another beginning; a failure names
 * the seed of its round.
 */
#include "edges.h"
#include "guest.h"

#include "rt/cmdline.h"
#include "rt/console.h"
#include "rt/entry.h"
#include "rt/hip.h"
#include "rt/image.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/pool.h"
#include "rt/start.h"
#include "rt/thread.h"

#define CALLS 200000
#define PER_ROUND 400
#define ROUNDS_MAX 100000 /* a round that makes no call at all still ends */
#define PRIO 50           /* above main(), so that main() sees it blocked or dead */
#define KEPT 16           /* pages that a CPU may keep */
#define UTCBS_TABLE 128   /* rounds that one page table is enough for */
#define LEAK_FIRST 0x1000000ul
#define LEAK_ORDER 20

/* Selectors in the fuzzer's PD: event portals at 0..31, then its things. */
enum { OWN_PD = 32, OTHER_PD, SM_A, SM_B, PT_ECHO, PT_SELF, EC_LOCAL, EC_GLOBAL, SC, KP, THINGS_END };

static volatile unsigned long calls_made, statuses[16], unknown_status;
static unsigned long round_seed;
static struct rt_ec fuzzer;

static uint64_t rnd(uint64_t n)
{
	return guest_random() % n;
}

static uint64_t edge(void)
{
	return edge_values[rnd(EDGE_VALUES)];
}

static uint64_t a_selector(void)
{
	switch (rnd(16)) {
	case 0:
		return edge();
	case 1:
		return guest_random() >> rnd(64);
	case 2:
	case 3:
		return rnd(256);
	case 4:
		return HEDRON_SEL_NUM - 8 + rnd(16);
	default:
		return OWN_PD + rnd(THINGS_END + 6 - OWN_PD);
	}
}

static uint64_t a_page(void)
{
	switch (rnd(8)) {
	case 0:
		return edge() >> 12;
	case 1:
		return guest_random() >> 12;
	case 2:
		return ((uint64_t)rt_image_start >> 12) + rnd(64); /* its own code and data */
	case 3:
		return (HEDRON_USER_END >> 12) - rnd(8);
	default:
		return 0x300000000 + rnd(1024);
	}
}

static crd_t a_crd(void)
{
	unsigned perm = rnd(4) ? PERM_ALL : (unsigned)rnd(32);
	unsigned order = rnd(3) ? (unsigned)rnd(5) : (unsigned)rnd(32);

	switch (rnd(8)) {
	case 0:
		return guest_random();
	case 1:
		return edge();
	case 2:
	case 3:
		return crd_make(CRD_MEM, a_page(), order, perm);
	case 4:
		return crd_make(CRD_PIO, rnd(0x10010), order, perm);
	default:
		return crd_make(CRD_OBJ, a_selector(), rnd(4) ? 0 : order, perm);
	}
}

static uint64_t an_argument(void)
{
	switch (rnd(8)) {
	case 0:
		return edge();
	case 1:
		return guest_random();
	case 2:
		return a_page() << 12 | rnd(4);
	case 3:
	case 4:
		return a_crd();
	case 5:
		return rnd(130) | rnd(3) << 12;
	default:
		return a_selector();
	}
}

static void make_message(struct utcb *u)
{
	unsigned typed = rnd(4) ? (unsigned)rnd(4) : (unsigned)rnd(0x10000);

	u->items = (rnd(4) ? rnd(16) : rnd(0x10000)) | (uint64_t)typed << 16 | (rnd(8) ? 0 : guest_random() << 32);
	u->xlt = a_crd();
	u->del = a_crd();
	for (unsigned i = 0; i < 6; i++)
		rt_item(u, i, a_crd(), rnd(2) ? rnd(0x1000) : an_argument());
}

static unsigned a_number(void)
{
	static const uint8_t often[] = {HC_REVOKE,    HC_PD_CTRL,   HC_PD_CTRL,  HC_CALL,
					HC_CREATE_EC, HC_CREATE_PT, HC_CREATE_SM};

	switch (rnd(8)) {
	case 0:
		return (unsigned)rnd(256);
	case 1:
	case 2:
		return often[rnd(sizeof(often))];
	default:
		return (unsigned)rnd(21);
	}
}

/* Replies park the thread and downs may block it: mostly it is an up instead. */
static void one_call(struct utcb *u)
{
	unsigned hc = a_number();
	struct hc_regs r = {HC_ARG1(hc, rnd(16), a_selector()), an_argument(), an_argument(), an_argument(),
			    an_argument()};
	enum status st;

	if ((hc == HC_REPLY || hc == HC_SM_CTRL) && rnd(50))
		r.rdi = HC_ARG1(HC_SM_CTRL, SM_CTRL_UP, a_selector()), r.rsi = r.rdx = 0;
	if (hc == HC_REVOKE && rnd(8))
		r.rsi = crd_make(CRD_OBJ, THINGS_END + rnd(8), (unsigned)rnd(3), (unsigned)rnd(32));
	if (hc == HC_PD_CTRL && rnd(2))
		r.rdi = HC_ARG1(HC_PD_CTRL, PD_CTRL_DELEGATE | rnd(2) << 2, OWN_PD + rnd(2)), r.rsi = OWN_PD + rnd(2);
	if (hc < HC_REVOKE && hc > HC_REPLY && rnd(2))
		r.rsi = OWN_PD;
	if (hc == HC_CREATE_SC || hc == HC_CREATE_EC)
		r.rdx &= rnd(2) ? ~0xffful : ~0ul; /* CPU 0 */
	make_message(u);
	calls_made++;
	st = hc_raw(&r);
	if (st < RT_ARRAY(statuses))
		statuses[st]++;
	else
		unknown_status++;
}

static void fuzz(void *utcb)
{
	for (unsigned i = 0; i < PER_ROUND; i++)
		one_call(utcb);
}

/* A PD with something of everything. */
static void give(sel_t pd, sel_t what, sel_t as)
{
	ASSERT_OK(delegate_obj(what, pd, as, PERM_ALL));
}

static void equip(sel_t pd)
{
	struct rt_ec local = {.pd = pd, .cpu = rt_cpu, .sel = sel_new()};
	sel_t other = sel_new(), pt = sel_new(), self = sel_new(), global = sel_new(), kp = sel_new();

	ASSERT_OK(hc_create_pd(other, RT_SEL_PD, 0, 0));
	ASSERT_OK(rt_ec_local(&local));
	ASSERT_OK(hc_create_pt(pt, RT_SEL_PD, local.sel, 0, (unsigned long)rt_portal_echo));
	ASSERT_OK(hc_create_pt(self, RT_SEL_PD, local.sel, ~0ul, 0x8000000000000000));
	ASSERT_OK(hc_create_ec(global, pd, rt_cpu, 0, 0, 0, CREATE_EC_GLOBAL));
	give(pd, pd, OWN_PD);
	give(pd, other, OTHER_PD);
	give(pd, sm_make(5), SM_A);
	give(pd, sm_make(1000), SM_B);
	give(pd, pt, PT_ECHO);
	give(pd, self, PT_SELF);
	give(pd, local.sel, EC_LOCAL);
	give(pd, global, EC_GLOBAL);
	if (hc_create_kp(kp, RT_SEL_PD) == SUCCESS)
		give(pd, kp, KP);
}

static void start_thread(struct utcb *u, RT_UNUSED void *unused)
{
	u->state.mtd = MTD_RIP_LEN;
	u->state.rip = (uint64_t)rt_thread_entry;
}

/* A PD whose faults are nobody's failure: no event portals but one that starts threads, of its own. */
static sel_t make_pd(void)
{
	uint64_t image = (uint64_t)rt_image_start;
	sel_t pd = sel_new();
	struct server starter;

	server_make(&starter, start_thread, NULL);
	ASSERT_OK(hc_create_pd(pd, RT_SEL_PD, 0, 0));
	ASSERT_OK(rt_mem_delegate(RT_SEL_PD, image, pd, image, (size_t)(rt_image_end - rt_image_start) / RT_PAGE,
				  RT_MEM_RWX, 0));
	ASSERT_OK(delegate_obj(starter.pt, pd, HEDRON_EXC_STARTUP, PERM_PT_CALL));
	return pd;
}

static void one_round(void)
{
	static uint8_t *stack;

	if (!stack)
		stack = rt_pages(RT_STACK_PAGES);
	fuzzer = (struct rt_ec){.pd = make_pd(),
				.cpu = rt_cpu,
				.sel = sel_new(),
				.sc = sel_new(),
				.stack = stack,
				.utcb = (struct utcb *)RT_UTCB - 1};
	equip(fuzzer.pd);
	guest_seed(round_seed);
	ASSERT_OK(rt_thread(&fuzzer, PRIO, fuzz, fuzzer.utcb));
}

static void answer(struct utcb *u, RT_UNUSED void *unused)
{
	u->words[0]++;
	rt_msg(u, 1, 0);
}

/* Ordinary things work, and main() has what it had. */
static bool sane(void)
{
	struct server s;
	sel_t sm = sm_make(1);

	server_make(&s, answer, NULL);
	rt_utcb()->words[0] = 41;
	rt_msg(rt_utcb(), 1, 0);
	return EXPECT_OK(hc_call(s.pt)) && EXPECT_EQ(rt_utcb()->words[0], 42) && EXPECT_OK(hc_sm_down(sm)) &&
	       EXPECT_EQ(rt_hip->signature, HIP_SIGNATURE) && EXPECT(!sel_empty(RT_SEL_PD)) &&
	       EXPECT(sel_empty(GUEST_NOTHING));
}

/* ECs are made of whole pages: how many fit tells what is left. */
static unsigned long capacity(void)
{
	unsigned long n = 0;

	while (hc_create_ec(LEAK_FIRST + n, RT_SEL_PD, rt_cpu, 0, 0, 0, 0) == SUCCESS)
		n++;
	EXPECT_OK(hc_revoke(rt_obj(LEAK_FIRST, LEAK_ORDER, PERM_ALL), REVOKE_SELF, 0));
	return n;
}

static void random_hypercalls(void)
{
	unsigned long seed = rt_arg("seed", 1), want = rt_arg("calls", CALLS), rounds = 0, before, after;

	one_round(); /* table pages of main()'s own are there from now on */
	guest_clean();
	before = capacity();
	for (calls_made = 0; calls_made < want && rounds < ROUNDS_MAX; rounds++) {
		round_seed = seed + rounds;
		guest_alive();
		one_round();
		hc_yield();
		if (!sane()) {
			rt_printf("seed=%lu\n", round_seed);
			return;
		}
		guest_clean();
	}
	after = capacity();
	rt_printf("%lu calls in %lu rounds; ok %lu hyp %lu cap %lu par %lu cpu %lu oom %lu; capacity %lu, then %lu\n",
		  calls_made, rounds, statuses[SUCCESS], statuses[BAD_HYP], statuses[BAD_CAP], statuses[BAD_PAR],
		  statuses[BAD_CPU], statuses[OOM], before, after);
	EXPECT(calls_made >= want);
	EXPECT_EQ(unknown_status, 0);
	EXPECT(statuses[SUCCESS] > want / 20);
	/* UTCB addresses are not used again, so their page tables stay; and a CPU keeps some of what it has freed. */
	EXPECT(after + rounds / UTCBS_TABLE + KEPT * rt_cpu_count() >= before);
}

static const struct test tests[] = {TEST(random_hypercalls)};

bool main(void)
{
	return guest_run("fuzz", tests, RT_ARRAY(tests));
}
