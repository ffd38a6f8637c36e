/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * This CPU reads its counter (`before`), then the other CPU reads its own (`stamp`), then this one once more
 * (`after`). So the other counter minus this one is at least stamp - after and at most stamp - before. Many rounds
 * narrow these bounds down to the time that a cache line takes from CPU to CPU. If 0 is not between them, the
 * counters are certainly different.
 */
#include "rt/bench/bench_skew.h"

#include "rt/attr.h"
#include "rt/cpu.h"
#include "rt/hip.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/thread.h"

enum { ROUNDS = 2000 };

static struct {
	unsigned long asked, answered; /* numbers of rounds; atomic */
	uint64_t stamp;                /* of the round `answered`, which is stored after it */
} talk __attribute__((aligned(64)));

static uint64_t ordered_tsc(void)
{
	uint64_t t;

	__asm__ volatile("lfence" : : : "memory");
	t = rt_rdtsc();
	__asm__ volatile("lfence" : : : "memory");
	return t;
}

static void wait_for(const unsigned long *word, unsigned long round)
{
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != round)
		rt_pause();
}

static void answer(RT_UNUSED void *arg)
{
	for (unsigned long round = 1; round <= ROUNDS; round++) {
		wait_for(&talk.asked, round);
		talk.stamp = ordered_tsc();
		__atomic_store_n(&talk.answered, round, __ATOMIC_RELEASE);
	}
}

static struct bench_skew ask(void)
{
	struct bench_skew skew = {.cpus = 1, .least = INT64_MIN, .most = INT64_MAX};

	for (unsigned long round = 1; round <= ROUNDS; round++) {
		uint64_t before = ordered_tsc(), after;

		__atomic_store_n(&talk.asked, round, __ATOMIC_RELEASE);
		wait_for(&talk.answered, round);
		after = ordered_tsc();
		if ((long)(talk.stamp - after) > skew.least)
			skew.least = (long)(talk.stamp - after);
		if ((long)(talk.stamp - before) < skew.most)
			skew.most = (long)(talk.stamp - before);
	}
	return skew;
}

struct bench_skew bench_skew_of(unsigned cpu, unsigned prio)
{
	struct rt_ec ec = {.cpu = cpu};
	struct bench_skew skew;

	talk.asked = talk.answered = 0;
	RT_MUST(rt_thread(&ec, prio, answer, NULL));
	skew = ask();
	RT_MUST(rt_revoke(ec.sc));
	RT_MUST(rt_revoke(ec.sel));
	skew.certain_cpu = cpu;
	skew.drifting = skew.least > skew.most; /* the bounds contradict each other: 0 moved meanwhile */
	if (skew.least > 0)
		skew.certain = (uint64_t)skew.least;
	else if (skew.most < 0)
		skew.certain = (uint64_t)-skew.most;
	return skew;
}

static struct {
	bool known;
	long least, most;
} before[HEDRON_CPU_MAX]; /* what bench_skew_measure() has found */

struct bench_skew bench_skew_measure(unsigned prio)
{
	struct bench_skew all = {0};

	for (unsigned cpu = 0; cpu < HEDRON_CPU_MAX; cpu++) {
		struct bench_skew one;

		if (cpu == rt_cpu || !rt_cpu_enabled(cpu))
			continue;
		one = bench_skew_of(cpu, prio);
		before[cpu].known = true;
		before[cpu].least = one.least;
		before[cpu].most = one.most;
		all.cpus++;
		all.drifting |= one.drifting;
		all.least = one.least < all.least ? one.least : all.least;
		all.most = one.most > all.most ? one.most : all.most;
		if (one.certain > all.certain) {
			all.certain = one.certain;
			all.certain_cpu = one.certain_cpu;
		}
	}
	return all;
}

/* If the bounds of then and now do not overlap, the counter has moved at least by the distance between them. */
uint64_t bench_skew_drift(unsigned prio)
{
	long worst = 0;

	for (unsigned cpu = 0; cpu < HEDRON_CPU_MAX; cpu++) {
		struct bench_skew now;

		if (!before[cpu].known)
			continue;
		now = bench_skew_of(cpu, prio);
		if (now.least - before[cpu].most > worst)
			worst = now.least - before[cpu].most;
		if (before[cpu].least - now.most > worst)
			worst = before[cpu].least - now.most;
	}
	return (uint64_t)worst;
}
