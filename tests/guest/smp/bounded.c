/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a CPU keeps a more important thread waiting, whatever a thread of low priority has built and now asks for
 * (docs/design/bounded.md). On the CPU of worker 0 somebody important sleeps on a semaphore, and the worker does
 * something that takes long; worker 1 wakes the important one again and again, and looks at the time. The
 * time-stamp counter counts instructions only where the emulator is told so; there "limit=N" on the command line
 * says how many may pass between the up and the wake-up. Elsewhere it is only looked at that all is done in the end.
 */
#include "smp.h"

#include "rt/cmdline.h"
#include "rt/console.h"
#include "rt/cpu.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/pool.h"
#include "rt/size.h"
#include "rt/start.h"
#include "rt/thread.h"

enum { IMPORTANT = SMP_PRIO + 20 };

static sel_t wake, root;
static struct rt_ec important_ec;
static volatile unsigned long sent, woken, asked, finished, worst, cost;
static unsigned long limit;
static unsigned order; /* so many capabilities, as a power of two */

static void important(RT_UNUSED void *unused)
{
	while (hc_sm_down(wake) == SUCCESS) {
		unsigned long took = rt_rdtsc() - smp_load(&sent);
		if (took > worst)
			smp_set(&worst, took);
		smp_inc(&woken);
	}
}

/* Gives worker 0 time for some instructions. Where CPUs take turns of a few instructions it might otherwise be
 * interrupted before its next one each time, for ever. No PAUSE: with it QEMU goes on to the other CPU for long. */
static void let_work(uint64_t *seed)
{
	for (uint64_t n = smp_random(seed) % 256; n; n--)
		__asm__ volatile("");
}

/* Worker 1. The important one is asleep again, or about to be, when it has counted the wake-up. */
static void pester(void)
{
	uint64_t seed = smp_seed(1);

	while (!smp_load(&finished) && !test_failed()) {
		smp_set(&sent, rt_rdtsc());
		ASSERT_OK(hc_sm_up(wake));
		smp_inc(&asked);
		while (smp_load(&woken) != smp_load(&asked) && !test_failed())
			__builtin_ia32_pause();
		let_work(&seed);
	}
}

static void (*work)(void);

static void run(unsigned self)
{
	if (self == 1)
		pester();
	if (self)
		return;
	while (!smp_load(&asked) && smp_count > 1) /* worker 1 is there */
		__builtin_ia32_pause();
	smp_set(&worst, 0);
	unsigned long before = rt_rdtsc();
	work();
	smp_set(&cost, rt_rdtsc() - before);
	smp_set(&finished, 1);
}

/* Runs fn on CPU 0 while its important thread is woken all the time. */
static void measure(const char *what, void (*fn)(void))
{
	wake = smp_sm(0);
	sent = woken = asked = finished = worst = 0;
	work = fn;
	smp_thread(&important_ec, 0, IMPORTANT, important, NULL);
	smp_run(smp_count < 2 ? 1 : 2, run);
	rt_printf("%s: %lu ticks, %lu wake-ups, the slowest after %lu\n", what, cost, woken, worst);
	if (limit) {
		EXPECT(woken > 3);
		EXPECT(worst <= limit);
	}
}

/* A tree of capabilities, in which each power of two of them lies below all before it. */
static void grow(void)
{
	root = SMP_SEL + (1ul << order);
	ASSERT_OK(hc_create_sm(root, RT_SEL_PD, 0));
	for (unsigned i = 0; i < order; i++)
		ASSERT_OK(hc_delegate(RT_SEL_PD, RT_SEL_PD, rt_obj(root, i, PERM_ALL), ITEM_DELEGATE,
				      rt_obj(root + (1ul << i), i, PERM_ALL), NULL));
}

static unsigned sel_perm_at(sel_t sel)
{
	crd_t found;

	EXPECT_OK(hc_lookup(rt_obj(sel, 0, 0), &found));
	return crd_perm(found);
}

static void revoke_tree(void)
{
	ASSERT_OK(hc_revoke(rt_obj(root, 0, PERM_ALL), 0, 0));
}

static void revoke(void)
{
	grow();
	measure("REVOKE of a tree", revoke_tree);
	EXPECT_EQ(sel_perm_at(root), PERM_SM_ALL);
	for (unsigned i = 1; i < 1u << order; i++)
		ASSERT(!sel_perm_at(root + i));
}

static void revoke_range(void)
{
	ASSERT_OK(hc_revoke(rt_obj(root, order, PERM_SM_UP), REVOKE_SELF, 0));
}

static void weaken(void)
{
	grow();
	measure("REVOKE of a range, one below the other", revoke_range);
	for (unsigned i = 0; i < 1u << order; i++)
		ASSERT_EQ(sel_perm_at(root + i), PERM_SM_DOWN);
}

/* What it costs to revoke a chain from high selectors down, a power of two of them: each one lies below the next. */
static unsigned long chain_cost(unsigned long length)
{
	unsigned bits = (unsigned)__builtin_ctzl(length);

	EXPECT_OK(hc_create_sm(SMP_SEL + length - 1, RT_SEL_PD, 0));
	for (unsigned long i = length - 1; i; i--)
		EXPECT_OK(hc_delegate(RT_SEL_PD, RT_SEL_PD, rt_obj(SMP_SEL + i, 0, PERM_ALL), ITEM_DELEGATE,
				      rt_obj(SMP_SEL + i - 1, 0, PERM_ALL), NULL));
	unsigned long before = rt_rdtsc();
	EXPECT_OK(hc_revoke(rt_obj(SMP_SEL, bits, PERM_SM_UP), 0, 0));
	unsigned long ticks = rt_rdtsc() - before;
	for (unsigned long i = 0; i < length - 1; i++)
		EXPECT_EQ(sel_perm_at(SMP_SEL + i), PERM_SM_DOWN);
	EXPECT_EQ(sel_perm_at(SMP_SEL + length - 1), PERM_SM_ALL);
	EXPECT_OK(hc_revoke(rt_obj(SMP_SEL, bits, PERM_ALL), REVOKE_SELF, 0));
	return ticks;
}

static void linear(void)
{
	unsigned long length = 1ul << (order - 4), one = chain_cost(length), four = chain_cost(4 * length);

	rt_printf("REVOKE of a range of a chain: %lu ticks for %lu, %lu for four times as many\n", one, length, four);
	if (limit)
		EXPECT(four < 6 * one);
}

/* ---- Delegation: all of the tree's capabilities once more, behind them ---- */

#define ITEM_ORDER (order - 6)
enum { ITEMS = 64 };

static sel_t copy(void)
{
	return root + (1ul << order);
}

static void expect_copy(unsigned perm)
{
	for (unsigned i = 0; i < 1u << order; i++)
		ASSERT_EQ(sel_perm_at(copy() + i), perm);
}

static void delegate_all(void)
{
	struct utcb_item got;

	ASSERT_OK(hc_delegate(RT_SEL_PD, RT_SEL_PD, rt_obj(root, order, PERM_SM_UP), ITEM_DELEGATE,
			      rt_obj(copy(), order, PERM_ALL), &got));
	EXPECT_EQ(got.crd, rt_obj(copy(), order, PERM_SM_UP));
}

static void delegate(void)
{
	grow();
	measure("delegation of a range", delegate_all);
	expect_copy(PERM_SM_UP);
}

/* Each item has some pages of slots. */
static void put_items(struct utcb *u, unsigned perm)
{
	rt_msg(u, 0, ITEMS);
	for (unsigned i = 0; i < ITEMS; i++)
		rt_item(u, i, rt_obj(root + ((sel_t)i << ITEM_ORDER), ITEM_ORDER, perm),
			(copy() + ((sel_t)i << ITEM_ORDER)) << 12 | ITEM_DELEGATE);
}

static void expect_items(const struct utcb *u, unsigned perm)
{
	EXPECT_EQ(rt_msg_items(u), ITEMS);
	for (unsigned i = 0; i < ITEMS; i++)
		EXPECT_EQ(UTCB_TYPED(u, i)->crd, rt_obj(copy() + ((sel_t)i << ITEM_ORDER), ITEM_ORDER, perm));
}

static struct rt_ec server;
static sel_t server_pt;

static void take_items(struct utcb *u, RT_UNUSED void *unused)
{
	expect_items(u, PERM_SM_UP);
	rt_msg(u, 0, 0);
}

static void give_items(struct utcb *u, RT_UNUSED void *unused)
{
	put_items(u, PERM_SM_DOWN);
}

static void call_with_items(void)
{
	put_items(smp_utcb(0), PERM_SM_UP);
	ASSERT_OK(hc_call(server_pt));
}

static void message(void)
{
	grow();
	server_pt = smp_server(&server, 0, take_items, NULL);
	server.utcb->del = rt_obj(copy(), order, PERM_ALL);
	measure("a call with items", call_with_items);
	expect_copy(PERM_SM_UP);
}

static void call_for_items(void)
{
	struct utcb *u = smp_utcb(0);

	rt_msg(u, 0, 0);
	u->del = rt_obj(copy(), order, PERM_ALL);
	ASSERT_OK(hc_call(server_pt));
	expect_items(u, PERM_SM_DOWN);
	u->del = 0;
}

static void answer(void)
{
	grow();
	server_pt = smp_server(&server, 0, give_items, NULL);
	measure("an answer with items", call_for_items);
	expect_copy(PERM_SM_DOWN);
}

/* One item is a range of many pages of slots. */
static void call_with_large_item(void)
{
	struct utcb *u = smp_utcb(0);

	rt_msg(u, 0, 1);
	rt_item(u, 0, rt_obj(root, order, PERM_SM_UP), copy() << 12 | ITEM_DELEGATE);
	ASSERT_OK(hc_call(server_pt));
}

static void take_large_item(struct utcb *u, RT_UNUSED void *unused)
{
	EXPECT_EQ(UTCB_TYPED(u, 0)->crd, rt_obj(copy(), order, PERM_SM_UP));
	rt_msg(u, 0, 0);
}

static void large_item(void)
{
	grow();
	server_pt = smp_server(&server, 0, take_large_item, NULL);
	server.utcb->del = rt_obj(copy(), order, PERM_ALL);
	measure("a call with a large item", call_with_large_item);
	expect_copy(PERM_SM_UP);
}

/* ---- Semaphores ---- */

enum { WAITERS = 256 };

/* Without stack or UTCB: takes a unit, and waits for ever when that is over. */
__asm__(".pushsection .text\n"
	"take_a_unit:\n"
	"	syscall\n"
	"	mov $1, %edi\n"
	"	syscall\n"
	"	ud2\n"
	".popsection\n");

static sel_t crowded;

static void begin_to_wait(struct utcb *u, RT_UNUSED void *unused)
{
	extern const uint8_t take_a_unit[];

	u->state.rip = (uint64_t)take_a_unit;
	u->state.rdi = HC_ARG1(HC_SM_CTRL, SM_CTRL_DOWN, crowded);
	u->state.mtd = MTD_RIP_LEN | MTD_GPR_BSD;
}

static void revoke_crowded(void)
{
	ASSERT_OK(hc_revoke(rt_obj(crowded, 0, PERM_ALL), REVOKE_SELF, 0));
}

/* More important than the worker, so that they wait as soon as they are there. */
static void end_of_a_semaphore(void)
{
	sel_t events = smp_sel() + HEDRON_SEL_EXC, first = SMP_SEL + (1ul << order);
	struct rt_ec ec = {.cpu = smp_cpu(0), .sel = smp_sel(), .events = SMP_NOTHING};

	ASSERT_OK(rt_ec_local(&ec));
	ASSERT_OK(rt_pt_at(events + HEDRON_EXC_STARTUP, &ec, 0, begin_to_wait, NULL));
	crowded = smp_sm(0);
	for (unsigned i = 0; i < 2 * WAITERS; i += 2) {
		ASSERT_OK(hc_create_ec(first + i, RT_SEL_PD, smp_cpu(0), 0, 0, events, CREATE_EC_GLOBAL));
		ASSERT_OK(hc_create_sc(first + i + 1, RT_SEL_PD, first + i, SMP_PRIO + 1, RT_QUANTUM));
	}
	measure("the end of a semaphore", revoke_crowded);
}

/* ---- Ports: another PD has every second one of a range, each as a piece of its own; and chains of PDs ---- */

enum { PORTS = 0x4000, PORT_PDS = SMP_SEL + 0x1000 };

static sel_t owner;
static crd_t ports;

static void expect_ports(bool even, bool odd)
{
	for (unsigned i = 0; i < 1u << order; i++) {
		crd_t found, port = rt_pio((uint16_t)(PORTS + i), 0);

		ASSERT_OK(hc_lookup(port, &found));
		ASSERT_EQ(found, (i & 1 ? odd : even) ? port : 0);
	}
}

/* What is not there yet: the others. */
static void delegate_other_ports(void)
{
	ASSERT_OK(hc_delegate(RT_SEL_PD, RT_SEL_PD, ports, ITEM_DELEGATE | ITEM_HYPERVISOR, ports, NULL));
}

static void delegate_ports(void)
{
	ASSERT_OK(hc_delegate(owner, RT_SEL_PD, ports, ITEM_DELEGATE, ports, NULL));
}

static void revoke_ports(void)
{
	ASSERT_OK(hc_revoke(ports, REVOKE_REMOTE | REVOKE_SELF, owner));
}

static void port_pieces(void)
{
	owner = PORT_PDS;
	ports = rt_pio(PORTS, order);
	ASSERT_OK(hc_create_pd(owner, RT_SEL_PD, 0, 0));
	for (unsigned i = 0; i < 1u << order; i += 2) {
		crd_t port = rt_pio((uint16_t)(PORTS + i), 0);

		ASSERT_OK(hc_delegate(RT_SEL_PD, owner, port, ITEM_DELEGATE | ITEM_HYPERVISOR, port, NULL));
	}
	measure("delegation of ports", delegate_ports);
	expect_ports(true, false);
	measure("delegation of the hypervisor's ports", delegate_other_ports);
	expect_ports(true, true);
	measure("REVOKE of ports", revoke_ports);
	expect_ports(false, true);
	ASSERT_OK(hc_revoke(ports, REVOKE_SELF, 0));
	expect_ports(false, false);
}

/* A port out of a range that has been handed on from PD to PD: it falls into pieces everywhere. */
static void revoke_one_port(void)
{
	ASSERT_OK(hc_revoke(rt_pio(PORTS + 5, 0), REVOKE_REMOTE, owner));
}

static void delete_pds(void)
{
	ASSERT_OK(hc_revoke(rt_obj(PORT_PDS, 8, PERM_ALL), REVOKE_SELF, 0));
}

static void port_chain(void)
{
	enum { PDS = 80 };
	crd_t all = rt_pio(PORTS, 14);

	owner = PORT_PDS;
	for (sel_t i = 0; i < PDS; i++) {
		ASSERT_OK(hc_create_pd(PORT_PDS + i, RT_SEL_PD, 0, 0));
		ASSERT_OK(hc_delegate(i ? PORT_PDS + i - 1 : RT_SEL_PD, PORT_PDS + i, all,
				      ITEM_DELEGATE | (i ? 0 : ITEM_HYPERVISOR), all, NULL));
	}
	measure("REVOKE of a port of many PDs", revoke_one_port);
	measure("the end of PDs with ports", delete_pds);
}

/* ---- Memory: a page at each of many addresses, so that each has a page table of its own ---- */

#define SPARSE_VA 0x500000000000ul
#define VA_STEP 0x200000ul

#define COPY_VA 0x600000000000ul
#define SPARSE_ORDER 28 /* 2^40 bytes */

static void delegate_memory(void)
{
	ASSERT_OK(hc_delegate(RT_SEL_PD, RT_SEL_PD, rt_mem(SPARSE_VA, SPARSE_ORDER, PERM_MEM_R), ITEM_DELEGATE,
			      rt_mem(COPY_VA, SPARSE_ORDER, PERM_MEM_R), NULL));
}

static void call_with_memory(void)
{
	struct utcb *u = smp_utcb(0);

	rt_msg(u, 0, 1);
	rt_item(u, 0, rt_mem(SPARSE_VA, SPARSE_ORDER, PERM_MEM_R), ITEM_DELEGATE);
	ASSERT_OK(hc_call(server_pt));
}

static void take_memory(struct utcb *u, RT_UNUSED void *unused)
{
	EXPECT_EQ(UTCB_TYPED(u, 0)->crd, rt_mem(COPY_VA, SPARSE_ORDER, PERM_MEM_R));
	rt_msg(u, 0, 0);
}

/* All that users may have, of the hypervisor's. */
static void delegate_physical_memory(void)
{
	ASSERT_OK(hc_delegate(RT_SEL_PD, RT_SEL_PD, rt_mem(0, SPARSE_ORDER - 1, PERM_MEM_R),
			      ITEM_DELEGATE | ITEM_HYPERVISOR, rt_mem(COPY_VA, SPARSE_ORDER - 1, PERM_MEM_R), NULL));
}

static void revoke_memory(void)
{
	ASSERT_OK(hc_revoke(rt_mem(SPARSE_VA, SPARSE_ORDER, PERM_ALL), 0, 0));
}

static void revoke_copy(void)
{
	ASSERT_OK(hc_revoke(rt_mem(COPY_VA, SPARSE_ORDER, PERM_ALL), 0, 0));
}

/* Each page is where the first one is. */
static void expect_memory(const volatile unsigned long *page, unsigned long va)
{
	for (unsigned long i = 0; i < 1ul << (order - 3); i += 37)
		ASSERT_EQ(*(volatile unsigned long *)(va + i * VA_STEP), *page);
}

static void page_tables(void)
{
	volatile unsigned long *memory = rt_pages(1);
	unsigned long page = (unsigned long)memory;

	*memory = 0x5a5a1234;
	for (unsigned long i = 0; i < 1ul << (order - 3); i++)
		ASSERT_OK(hc_delegate(RT_SEL_PD, RT_SEL_PD, rt_mem(page, 0, PERM_MEM_R), ITEM_DELEGATE,
				      rt_mem(SPARSE_VA + i * VA_STEP, 0, PERM_MEM_R), NULL));
	measure("delegation of memory with many page tables", delegate_memory);
	expect_memory(memory, COPY_VA);
	revoke_copy();
	server_pt = smp_server(&server, 0, take_memory, NULL);
	server.utcb->del = rt_mem(COPY_VA, SPARSE_ORDER, PERM_MEM_R);
	measure("a call with memory", call_with_memory);
	expect_memory(memory, COPY_VA);
	measure("delegation of physical memory", delegate_physical_memory);
	expect_memory(memory, SPARSE_VA);
	measure("REVOKE of memory with many page tables", revoke_memory);
	revoke_copy();
}

static const struct test tests[] = {
	TEST(linear),
	TEST(revoke),
	TEST(weaken),
	TEST(delegate),
	TEST(message),
	TEST(answer),
	TEST(large_item),
	TEST(page_tables),
	TEST(port_pieces),
	TEST(port_chain),
	TEST(end_of_a_semaphore),
};

bool main(void)
{
	limit = rt_arg("limit", 0);
	order = smp_rounds(100) < 100 ? 9 : 14;
	return smp_test_run("smp_bounded", tests, RT_ARRAY(tests));
}
