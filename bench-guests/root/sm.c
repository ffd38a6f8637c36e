/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The suite "sm": waking threads on other CPUs. What an up costs the waker is counted; how long it takes until the
 * other runs can only be measured where time passes (docs/bench-protocol.md, "Several CPUs").
 */
#include "rt/bench/bench.h"
#include "rt/bench/bench_calibrate.h"
#include "rt/bench/partner.h"
#include "rt/bench/workers.h"
#include "rt/fmt.h"
#include "rt/hip.h"
#include "rt/object.h"
#include "rt/start.h"

enum { SM = RT_SEL_PROGRAM, BALL_A, BALL_B };
enum { ABOVE = BENCH_PRIO + 1 };
enum { ROUNDS = 100 };

static volatile unsigned long turns;
static volatile uint64_t ran; /* when the waiter got the CPU, as bench_start() has it */

/* ---- Pairs of CPUs: all ordered ones of the first PAIR_CPUS ---- */

enum { PAIR_CPUS = 16, PAIRS_MAX = PAIR_CPUS * (PAIR_CPUS - 1) };

static struct {
	unsigned count, from[PAIRS_MAX], to[PAIRS_MAX];
	char name[PAIRS_MAX][16];
	const char *texts[PAIRS_MAX];
} pairs;

static unsigned from, to; /* of the running case: numbers of workers */

static void add_pair(unsigned a, unsigned b)
{
	unsigned n = pairs.count++;

	pairs.from[n] = a;
	pairs.to[n] = b;
	rt_snprintf(pairs.name[n], sizeof(pairs.name[n]), "%u-%u", workers_cpu(a), workers_cpu(b));
	pairs.texts[n] = pairs.name[n];
}

static void make_pairs(void)
{
	for (unsigned a = 0; a < workers_count && a < PAIR_CPUS; a++)
		for (unsigned b = 0; b < workers_count && b < PAIR_CPUS; b++)
			if (a != b)
				add_pair(a, b);
	if (!pairs.count)
		add_pair(0, 0); /* to be skipped */
}

/* Null, or why there is none. */
static const char *use_pair(unsigned n)
{
	from = pairs.from[n];
	to = pairs.to[n];
	return from == to ? workers_need(2) : NULL;
}

/* ---- The waker's side ---- */

static void waiter(RT_UNUSED void *unused)
{
	while (hc_sm_down(SM) == SUCCESS) {
		ran = bench_ticks(0);
		__atomic_store_n(&turns, turns + 1, __ATOMIC_RELEASE);
	}
}

static const char *setup_waiter(void)
{
	const char *why = workers_need((from > to ? from : to) + 1);

	if (why)
		return why;
	BENCH_NEED(hc_create_sm(SM, RT_SEL_PD, 0));
	return partner_start(workers_cpu(to), ABOVE, waiter);
}

static const char *setup_idle(long pair)
{
	const char *why = use_pair((unsigned)pair);

	return why ? why : setup_waiter();
}

static void teardown_waiter(void)
{
	bench_status(rt_revoke(SM));
	partner_end();
}

static uint64_t wake(RT_UNUSED unsigned self)
{
	unsigned long before = turns;
	enum status st;
	uint64_t t;

	partner_until_asleep(partner_sc());
	t = BENCH(st = hc_sm_up(SM));
	bench_status(st);
	workers_until(&turns, before + 1);
	return t;
}

static uint64_t window_wake(void)
{
	return workers_do(from, wake);
}

/* The other CPU is busy with somebody less important. */

static volatile unsigned long busy;

static uint64_t spin(RT_UNUSED unsigned self)
{
	while (busy)
		rt_pause();
	return 0;
}

static const char *setup_busy(RT_UNUSED long unused)
{
	const char *why;

	from = 0;
	to = 1;
	why = setup_waiter();
	if (!why) {
		busy = 1;
		workers_start(to, spin);
	}
	return why;
}

static void teardown_busy(void)
{
	teardown_waiter();
	if (busy) {
		busy = 0;
		workers_wait(to);
	}
}

/* `count` threads wait, each on another CPU than the first; one of them is woken. */

static uint64_t wait(RT_UNUSED unsigned self)
{
	waiter(NULL);
	return 0;
}

static unsigned waiting;

static const char *setup_waiters(long count)
{
	const char *why = workers_need((unsigned)count + 1);

	waiting = 0;
	if (why)
		return why;
	BENCH_NEED(hc_create_sm(SM, RT_SEL_PD, 0));
	while (waiting < (unsigned)count)
		workers_start(++waiting, wait);
	return NULL;
}

static uint64_t wake_one(RT_UNUSED unsigned self)
{
	unsigned long before = turns;
	enum status st;
	uint64_t t;

	for (unsigned n = 1; n <= waiting; n++)
		partner_until_asleep(workers_sc(n));
	t = BENCH(st = hc_sm_up(SM));
	bench_status(st);
	workers_until(&turns, before + 1);
	return t;
}

static uint64_t window_waiters(void)
{
	return workers_do(0, wake_one);
}

static void teardown_waiters(void)
{
	bench_status(rt_revoke(SM));
	while (waiting)
		workers_wait(waiting--);
}

/* ---- The other side, where CPUs take turns: from the waker's pause to the thread that was woken ---- */

static uint64_t wake_and_pause(RT_UNUSED unsigned self)
{
	unsigned long before = turns;
	uint64_t start;

	partner_until_asleep(partner_sc());
	bench_status(hc_sm_up(SM));
	start = bench_start();
	workers_until(&turns, before + 1);
	return ran - start;
}

static const char *setup_woken(RT_UNUSED long unused)
{
	from = 0;
	to = 1;
	return bench_counts_instructions() ? setup_waiter()
					   : "the CPUs do not take turns, ticks are not instructions";
}

static uint64_t window_woken(void)
{
	return workers_do(from, wake_and_pause);
}

/* ---- Ping-pong: there and back ---- */

static uint64_t serve(RT_UNUSED unsigned self)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		bench_status(hc_sm_up(BALL_B));
		bench_status(hc_sm_down(BALL_A));
	}
	return 0;
}

static uint64_t timed_serve(unsigned self)
{
	return BENCH(serve(self));
}

static void back(RT_UNUSED void *unused)
{
	while (hc_sm_down(BALL_B) == SUCCESS)
		hc_sm_up(BALL_A);
}

static const char *start_game(void)
{
	BENCH_NEED(hc_create_sm(BALL_A, RT_SEL_PD, 0));
	BENCH_NEED(hc_create_sm(BALL_B, RT_SEL_PD, 0));
	return partner_start(workers_cpu(to), BENCH_PRIO, back);
}

static const char *setup_same(RT_UNUSED long unused)
{
	from = to = 0;
	return start_game();
}

static const char no_time[] = "a latency, and ticks are instructions here";

static const char *setup_pingpong(long pair)
{
	const char *why = use_pair((unsigned)pair);

	if (!why && bench_counts_instructions())
		why = no_time;
	return why ? why : start_game();
}

/* Two threads of one core; none if the machine has no such pair, or does not tell. */
static bool find_siblings(void)
{
	for (unsigned n = 0; n < pairs.count; n++) {
		const struct hip_cpu *a = &rt_hip->cpu[workers_cpu(pairs.from[n])],
				     *b = &rt_hip->cpu[workers_cpu(pairs.to[n])];

		if (!use_pair(n) && a->package == b->package && a->core == b->core && a->thread != b->thread)
			return true;
	}
	return false;
}

static const char *setup_siblings(RT_UNUSED long unused)
{
	if (bench_counts_instructions())
		return no_time;
	return find_siblings() ? start_game() : "no core has two threads";
}

static uint64_t window_pingpong(void)
{
	return workers_do(from, timed_serve);
}

static void teardown_pingpong(void)
{
	bench_status(rt_revoke(BALL_A));
	bench_status(rt_revoke(BALL_B));
	partner_end();
}

static struct bench_case cases[] = {
	{.name = "up_idle",
	 .param = "pair",
	 .texts = pairs.texts,
	 .setup = setup_idle,
	 .window = window_wake,
	 .teardown = teardown_waiter},
	{.name = "up_busy", .setup = setup_busy, .window = window_wake, .teardown = teardown_busy},
	{.name = "up_waiters",
	 .param = "waiters",
	 BENCH_VALUES(1, 2, 3),
	 .setup = setup_waiters,
	 .window = window_waiters,
	 .teardown = teardown_waiters},
	{.name = "woken", .setup = setup_woken, .window = window_woken, .teardown = teardown_waiter},
	{.name = "pingpong_same_cpu",
	 .batch = ROUNDS,
	 .setup = setup_same,
	 .window = window_pingpong,
	 .teardown = teardown_pingpong},
	{.name = "pingpong_siblings",
	 .batch = ROUNDS,
	 .setup = setup_siblings,
	 .window = window_pingpong,
	 .teardown = teardown_pingpong},
	{.name = "pingpong",
	 .param = "pair",
	 .texts = pairs.texts,
	 .batch = ROUNDS,
	 .setup = setup_pingpong,
	 .window = window_pingpong,
	 .teardown = teardown_pingpong},
	{},
};

bool main(void)
{
	static const struct bench_case *const tables[] = {cases, NULL};

	workers_init();
	make_pairs();
	for (struct bench_case *c = cases; c->name; c++)
		if (c->texts)
			c->count = pairs.count;
	return bench_run("sm", tables);
}
