/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Three threads. The one that attacks, a worker, and the important one are on the CPU that is watched; the one that
 * runs the cases wakes the important one from the boot CPU, and notes when. The important one looks at the time as
 * soon as it runs: what lies between is what it waited. It counts the wake-up and pauses, which gives the waker its
 * turn, before it goes to sleep. The waker is on the boot CPU because QEMU begins with that one when a turn has
 * ended.
 */
#include "latency_wake.h"

#include "latency_turn.h"
#include "rt/bench/workers.h"
#include "rt/cmdline.h"
#include "rt/cpu.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/thread.h"

#include <limits.h>

#define WAKES_MAX 2500ul /* in a run: whoever makes no progress between two of them is left alone at last */
static unsigned long wakes_max;

/* What an attack leaves to be done later, such as freeing, is done while so many wake-ups come behind it. */
enum { AFTER = 4 };

static struct rt_ec important_ec;
static sel_t wake, back; /* semaphores: for the important one; for a waker that sleeps meanwhile */
static const char *why_not;

static volatile unsigned long ready, asked, woken, finished;
static volatile uint64_t sent, longest;
static volatile bool waker_sleeps;

/* The running case, and the part of it that is watched. */
static const struct latency_case *running;
static void (*part)(unsigned long size);
static unsigned long size;
static uint64_t distance;

static void important(RT_UNUSED void *unused)
{
	while (hc_sm_down(wake) == SUCCESS) {
		uint64_t took = rt_rdtsc() - sent;

		if (took > longest)
			longest = took;
		__atomic_store_n(&woken, woken + 1, __ATOMIC_RELEASE);
		if (waker_sleeps)
			bench_status(hc_sm_up(back));
		else
			rt_pause();
	}
}

static void wake_once(void)
{
	sent = rt_rdtsc();
	bench_status(hc_sm_up(wake));
	__atomic_store_n(&asked, asked + 1, __ATOMIC_RELEASE);
	workers_until(&woken, asked);
}

/* Wakes the important one until what is watched is over. */
static void pester(void)
{
	workers_until(&ready, 1);
	latency_turn(distance);
	do {
		wake_once();
		if (asked == 1 && part == running->attack && running->beside)
			running->beside(size);
		latency_turn(distance);
	} while (!workers_load(&finished) && asked < wakes_max);
}

/* The worker's side. */
static uint64_t do_watched(RT_UNUSED unsigned self)
{
	__atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
	rt_pause();
	part(size);
	if (part == running->attack)
		latency_spin_wakes(workers_load(&asked) + AFTER);
	__atomic_store_n(&finished, 1, __ATOMIC_RELEASE);
	return 0;
}

static uint64_t do_alone(RT_UNUSED unsigned self)
{
	part(size);
	return 0;
}

/* What the run has deleted is freed when there is more of it, which is not to be in the middle of the next one. */
static void settle(RT_UNUSED unsigned long unused)
{
	enum { MORE = 130 };
	sel_t sel = latency_area(LATENCY_AREAS - 1);

	for (unsigned i = 0; i < MORE; i++) {
		bench_status(hc_create_sm(sel, RT_SEL_PD, 0));
		bench_status(rt_revoke(sel));
	}
}

static void run_part(void (*fn)(unsigned long size), bool watched)
{
	part = fn;
	ready = asked = woken = finished = 0;
	if (fn && watched) {
		workers_start(LATENCY_WATCHED, do_watched);
		pester();
		workers_wait(LATENCY_WATCHED);
	} else if (fn) {
		workers_do(LATENCY_WATCHED, do_alone);
	}
}

uint64_t latency_wake_run(const struct latency_case *c, unsigned long n, uint64_t ticks)
{
	bool all = rt_arg("watch_all", 0);

	wakes_max = all ? ULONG_MAX : WAKES_MAX;
	running = c;
	size = n;
	distance = ticks;
	longest = 0;
	run_part(c->build, all);
	run_part(c->attack, true);
	if (c->check)
		bench_fail(c->check(n));
	run_part(c->clean, all);
	run_part(settle, false);
	return longest;
}

uint64_t latency_wake_asleep(void)
{
	longest = 0;
	waker_sleeps = true;
	sent = rt_rdtsc();
	bench_status(hc_sm_up(wake));
	bench_status(hc_sm_down(back));
	waker_sleeps = false;
	return longest;
}

unsigned latency_cpu(void)
{
	return workers_cpu(LATENCY_WATCHED);
}

struct utcb *latency_utcb(void)
{
	return workers_utcb(LATENCY_WATCHED);
}

void latency_wake_init(void)
{
	why_not = workers_need(LATENCY_WATCHED + 1);
	if (!why_not)
		why_not = latency_turn_init();
	if (why_not)
		return;
	RT_MUST(rt_sm(&wake, 0));
	RT_MUST(rt_sm(&back, 0));
	important_ec.cpu = workers_cpu(LATENCY_WATCHED);
	RT_MUST(rt_thread(&important_ec, LATENCY_IMPORTANT, important, NULL));
}

const char *latency_wake_need(void)
{
	return why_not;
}

void latency_spin(unsigned long turns)
{
	while (turns--)
		__asm__ volatile("");
}

void latency_spin_wakes(unsigned long wakes)
{
	while (workers_load(&asked) < wakes && workers_load(&asked) < wakes_max) {
		latency_spin(100);
		rt_pause();
	}
}
