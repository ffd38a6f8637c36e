/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attacks by threads: many that wait for one semaphore or one server, chains of calls, many SCs of one EC. Their code
 * needs no stack. The threads are more important than the one that attacks, so each runs at once until it waits.
 */
#include "latency.h"

#include "rt/event.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/thread.h"

enum { THREADS, SCS, PORTALS, FEW }; /* areas */
enum { EVENTS_ORDER = 5, UNDEFINED = 6 };
#define SM latency_area(FEW)
#define HEAD (latency_area(FEW) + 1) /* EC and SC of the thread at the head of a chain */
#define LATE (latency_area(FEW) + 3) /* ... and of one that gets its time later */

#define DOWN HC_ARG1(HC_SM_CTRL, SM_CTRL_DOWN, SM)
#define CALL(n) HC_ARG1(HC_CALL, 0, latency_area(PORTALS) + (n))

/* Of threads, with the ARG1 of a hypercall in RBX. It is repeated as long as it succeeds, or done once; then the
 * thread stops for good. If it is to fault, it does so where the hypercall fails. */
void latency_repeat(void);
void latency_once(void);
void latency_repeat_fault(void);
/* At portals, with it in their id. The reply comes after the hypercall, or a fault; or the id is how often to loop.
 */
void latency_link(void);
void latency_link_fault(void);
void latency_link_busy(void);
void latency_fault(void);

_Static_assert(HC_REPLY == 1, "who has nobody to reply to stops for good");
__asm__(".pushsection .text\n"
	".global latency_repeat, latency_once, latency_repeat_fault, latency_link, latency_link_fault, "
	"latency_link_busy, latency_fault\n"
	".macro latency_hypercall\n"
	"	mov %rbx, %rdi\n"
	"	xor %esi, %esi\n"
	"	xor %edx, %edx\n"
	"	syscall\n"
	".endm\n"
	".macro latency_reply\n"
	"	mov $1, %edi\n"
	"	syscall\n"
	".endm\n"

	"latency_repeat:\n"
	"	latency_hypercall\n"
	"	test %dil, %dil\n"
	"	jz latency_repeat\n"
	"	latency_reply\n"
	"latency_once:\n"
	"	latency_hypercall\n"
	"	latency_reply\n"
	"latency_repeat_fault:\n"
	"	latency_hypercall\n"
	"	test %dil, %dil\n"
	"	jz latency_repeat_fault\n"
	"	ud2\n"

	"latency_link:\n"
	"	mov %rdi, %rbx\n"
	"	latency_hypercall\n"
	"	latency_reply\n"
	"latency_link_fault:\n"
	"	mov %rdi, %rbx\n"
	"	latency_hypercall\n"
	"	ud2\n"
	"latency_fault:\n"
	"	ud2\n"
	"latency_link_busy:\n"
	"	dec %rdi\n"
	"	jnz latency_link_busy\n"
	"	latency_reply\n"
	".popsection\n");

static sel_t events; /* only one portal is there, which starts threads: who faults is killed */
static struct rt_ec starter;
static void (*entry)(void); /* of threads that start now ... */
static unsigned long job;   /* ... and their hypercall */

static void start(struct utcb *u, RT_UNUSED void *unused)
{
	u->state.rip = (uint64_t)entry;
	u->state.rbx = job;
	u->state.mtd = MTD_RIP_LEN | MTD_GPR_ACDB;
}

static const char *setup(RT_UNUSED unsigned long size)
{
	if (events)
		return NULL;
	starter.cpu = latency_cpu();
	BENCH_NEED(rt_ec_local(&starter));
	events = rt_sels(EVENTS_ORDER);
	BENCH_NEED(rt_pt_at(events + HEDRON_EXC_STARTUP, &starter, 0, start, NULL));
	return NULL;
}

static void thread_without_time(sel_t ec)
{
	bench_status(hc_create_ec(ec, RT_SEL_PD, latency_cpu(), 0, 0, events, CREATE_EC_GLOBAL));
}

static void time_for(sel_t ec, sel_t sc)
{
	bench_status(hc_create_sc(sc, RT_SEL_PD, ec, LATENCY_ABOVE, RT_QUANTUM));
}

/* The threads run at once until they have to wait. */
static void threads(unsigned long from, unsigned long count)
{
	for (unsigned long i = from; i < from + count; i++) {
		thread_without_time(latency_area(THREADS) + i);
		time_for(latency_area(THREADS) + i, latency_area(SCS) + i);
	}
}

static void will(void (*its_entry)(void), unsigned long its_job)
{
	entry = its_entry;
	job = its_job;
}

static void make_sm(void)
{
	bench_status(hc_create_sm(SM, RT_SEL_PD, 0));
}

static void attack_up(RT_UNUSED unsigned long size)
{
	bench_status(hc_sm_up(SM));
}

/* Whoever waits for it fails. */
static void attack_sm(RT_UNUSED unsigned long size)
{
	bench_status(rt_revoke(SM));
}

static void clean(RT_UNUSED unsigned long size)
{
	for (unsigned n = THREADS; n <= FEW; n++)
		latency_revoke_area(n);
}

/* ---- Threads that wait for a semaphore ---- */

static void build_waiters(unsigned long count)
{
	make_sm();
	will(latency_repeat, DOWN);
	threads(0, count);
}

static void attack_threads(unsigned long count)
{
	bench_status(hc_revoke(rt_obj(latency_area(THREADS), latency_order(count), PERM_ALL), REVOKE_SELF, 0));
	bench_status(hc_revoke(rt_obj(latency_area(SCS), latency_order(count), PERM_ALL), REVOKE_SELF, 0));
}

static void watch_wakes(RT_UNUSED unsigned long count)
{
	latency_spin_wakes(3);
}

static void ups(unsigned long count)
{
	while (count--)
		bench_status(hc_sm_up(SM));
}

/* ---- One EC with many SCs ---- */

static void build_scs(unsigned long count)
{
	make_sm();
	will(latency_repeat_fault, DOWN);
	thread_without_time(LATE);
	for (unsigned long i = 0; i < count; i++)
		time_for(LATE, latency_area(SCS) + i);
}

/* ---- Servers: the EC of link n is thread n, its portal portal n ---- */

static void link_with_events(unsigned long n, void (*at)(void), unsigned long id, sel_t its_events)
{
	sel_t ec = latency_area(THREADS) + n, pt = latency_area(PORTALS) + n;

	bench_status(hc_create_ec(ec, RT_SEL_PD, latency_cpu(), 0, 0, its_events, 0));
	bench_status(hc_create_pt(pt, RT_SEL_PD, ec, 0, (uint64_t)at));
	bench_status(hc_pt_ctrl(pt, id));
}

static void link(unsigned long n, void (*at)(void), unsigned long id)
{
	link_with_events(n, at, id, events);
}

/* A server that waits, and as many clients that help it. */

static void build_helpers(unsigned long count)
{
	make_sm();
	link(0, latency_link, DOWN);
	will(latency_repeat, CALL(0));
	threads(1, count);
}

static void build_helpers_fault(unsigned long count)
{
	make_sm();
	link(0, latency_link_fault, DOWN);
	will(latency_once, CALL(0));
	threads(1, count);
}

/* Links that call each other, from 0 on; what the last one does differs. A thread that calls the first has no time
 * yet. */
static void links(unsigned long count, void (*last)(void), unsigned long last_id)
{
	for (unsigned long i = 0; i < count - 1; i++)
		link(i, latency_link, CALL(i + 1));
	link(count - 1, last, last_id);
	will(latency_once, CALL(0));
	thread_without_time(LATE);
}

static void attack_late(RT_UNUSED unsigned long count)
{
	time_for(LATE, LATE + 1);
}

static void build_chain(unsigned long count)
{
	make_sm();
	links(count, latency_link, DOWN);
	attack_late(count);
}

static void build_chain_fault(unsigned long count)
{
	make_sm();
	links(count, latency_link_fault, DOWN);
	attack_late(count);
}

/* Somebody else calls the first one, which is busy, and so finds the last. */
static void build_chain_and_head(unsigned long count)
{
	make_sm();
	links(count, latency_link, DOWN);
	thread_without_time(HEAD);
	time_for(HEAD, HEAD + 1);
}

/* The last one calls the first. */
static void build_loop(unsigned long count)
{
	links(count, latency_link, CALL(0));
}

/* Each one but the last faults and has the next one for a handler. When the last one dies, all do. */
static void build_chain_of_exceptions(unsigned long count)
{
	make_sm();
	for (unsigned long i = 0; i < count; i++)
		link_with_events(i, i + 1 < count ? latency_fault : latency_link_fault, DOWN,
				 latency_area(PORTALS) + i + 1 - UNDEFINED);
	will(latency_once, CALL(0));
	thread_without_time(LATE);
	attack_late(count);
}

/* Who attacks is at the end of a chain that he has called, and is interrupted there. */
static void build_busy(unsigned long count)
{
	links(count, latency_link_busy, 50000);
	rt_msg(latency_utcb(), 0, 0);
}

static void attack_busy(RT_UNUSED unsigned long count)
{
	bench_status(hc_call(latency_area(PORTALS)));
}

/* ---- Threads that fault: the kernel says so on its console ---- */

static void attack_fault(unsigned long count)
{
	will(latency_repeat_fault, DOWN);
	threads(0, count);
}

#define CASE(its_name, small, full, builds, attacks)                                                          \
	{                                                                                                     \
		.name = its_name, .sizes = {small, full}, .setup = setup, .build = builds, .attack = attacks, \
		.clean = clean, .runs = 4                                                                     \
	}

const struct latency_case latency_thread_cases[] = {
	CASE("sm_waiters", 16, 1024, build_waiters, attack_sm),
	CASE("revoke_threads", 16, 1024, build_waiters, attack_threads),
	{.name = "wake_ups",
	 .sizes = {16, 1024},
	 .setup = setup,
	 .build = build_waiters,
	 .attack = watch_wakes,
	 .beside = ups,
	 .clean = clean,
	 .runs = 4},
	CASE("ec_scs_up", 16, 2048, build_scs, attack_up),
	CASE("ec_scs_fault", 16, 2048, build_scs, attack_sm),
	CASE("helpers_up", 16, 1024, build_helpers, attack_up),
	CASE("helpers_fault", 16, 1024, build_helpers_fault, attack_sm),
	CASE("chain_up", 16, 2048, build_chain, attack_up),
	CASE("chain_fault", 16, 2048, build_chain_fault, attack_sm),
	CASE("chain_exceptions", 16, 120, build_chain_of_exceptions, attack_sm),
	CASE("chain_help", 16, 2048, build_chain_and_head, attack_late),
	CASE("chain_loop", 16, 2048, build_loop, attack_late),
	CASE("chain_busy", 16, 2048, build_busy, attack_busy),
	CASE("fault_message", 1, 16, NULL, attack_fault),
	{},
};
