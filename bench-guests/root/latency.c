/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The suite's harness: each attack becomes a case with a parameter, its size. A window is a run with another distance
 * between wake-ups, and its value the longest wait in all runs so far; the warm-up goes through all distances, so
 * the one value that is reported is the longest of all.
 */
#include "latency.h"

#include "latency_wake.h"
#include "rt/bench/workers.h"
#include "rt/cmdline.h"
#include "rt/fmt.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/start.h"

/* From waking the important one as soon as the attack has gone on, so that each piece of it delays a wake-up, to
 * rarely enough to meet it anywhere. */
static const uint64_t distances[LATENCY_RUNS] = {1300, 300, 23300, 800, 8900, 500, 3400, 2100};

_Static_assert(LATENCY_RUNS <= BENCH_WARMUP, "the value that is reported is that of all runs");

enum { CASES_MAX = 64 };

static const struct latency_case *attacks[CASES_MAX];
static struct bench_case cases[CASES_MAX + 1];
static long places[2 * CASES_MAX]; /* what setup() is told: twice the case's place, and which size */
static char texts[2 * CASES_MAX][16];
static const char *names[2 * CASES_MAX];

static const struct latency_case *running;
static unsigned long size;
static unsigned run;
static uint64_t longest;

static const char *setup(long place)
{
	const char *why = latency_wake_need();

	running = attacks[place / 2];
	size = running->sizes[place % 2];
	run = 0;
	longest = 0;
	return !why && running->setup ? running->setup(size) : why;
}

static unsigned runs(void)
{
	if (rt_arg("watch_all", 0))
		return 1;
	return running->runs ? running->runs : LATENCY_RUNS;
}

static uint64_t window(void)
{
	if (run < runs()) {
		uint64_t distance = rt_arg("watch_all", distances[run++]);
		uint64_t took = latency_wake_run(running, size, distance);

		longest = took > longest ? took : longest;
	}
	return longest;
}

static void teardown(void)
{
	if (running->teardown)
		running->teardown();
}

static void add(const struct latency_case *attack)
{
	static unsigned count;
	unsigned n = count++;

	rt_assert(count <= CASES_MAX);
	attacks[n] = attack;
	cases[n] = (struct bench_case){.name = attack->name,
				       .values = &places[2 * n],
				       .count = attack->sizes[1] ? 2 : 1,
				       .windows = 1,
				       .setup = setup,
				       .window = window,
				       .teardown = teardown};
	if (attack->sizes[1]) {
		cases[n].param = "size";
		cases[n].texts = &names[2 * n];
	}
	for (unsigned i = 2 * n; i < 2 * n + 2; i++) {
		places[i] = (long)i;
		names[i] = texts[i];
		rt_snprintf(texts[i], sizeof(texts[i]), "%lu", attack->sizes[i % 2]);
	}
}

void latency_revoke_area(unsigned n)
{
	bench_status(hc_revoke(rt_obj(latency_area(n), LATENCY_AREA_ORDER, PERM_ALL), REVOKE_SELF, 0));
}

unsigned latency_perm(sel_t sel)
{
	crd_t found;

	bench_status(hc_lookup(rt_obj(sel, 0, 0), &found));
	return crd_perm(found);
}

unsigned latency_order(unsigned long n)
{
	return (unsigned)__builtin_ctzl(n);
}

const struct latency_case *const latency_tables[] = {
	latency_floor_cases, latency_memory_cases, latency_object_cases, latency_message_cases,
	latency_port_cases,  latency_thread_cases, latency_free_cases,   NULL,
};

bool main(void)
{
	static const struct bench_case *const all[] = {cases, latency_all_cases, NULL};

	for (const struct latency_case *const *table = latency_tables; *table; table++)
		for (const struct latency_case *c = *table; c->name; c++)
			add(c);
	workers_init();
	latency_wake_init();
	return bench_run("latency", all);
}
