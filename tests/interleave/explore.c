/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "explore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHOICES_MAX 20000
#define CPUS_MAX 8
#define OPTIONS_MAX 6 /* of one choice; others are not tried */
#define CHANGES 3     /* moments at which the CPU that runs in a random run falls behind the others */

static enum { EXHAUSTIVE, RANDOM, REPLAY } mode;

/* The run's list. In a search and a replay, the first `fixed` choices are given; what comes after them is 0. */
static struct choice {
	uint8_t taken, options, cost;
	uint8_t costs[OPTIONS_MAX]; /* of all options */
} list[CHOICES_MAX];
static unsigned length, fixed, spent, bound; /* spent: costs of the choices so far, at most the bound in a search */
static bool truncated;

/* ---- random ---- */

static uint64_t random_state;
static unsigned priority[CPUS_MAX], change_at[CHANGES], lowest, cpu_points, last_points = 200;

static uint64_t random_next(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static unsigned random_below(unsigned n)
{
	return (unsigned)(random_next() >> 33) % n;
}

/* ---- lists ---- */

static unsigned record(unsigned taken, unsigned options, unsigned cost, const uint8_t *costs)
{
	if (length == CHOICES_MAX) {
		truncated = true;
		return taken;
	}
	list[length] = (struct choice){(uint8_t)taken, (uint8_t)options, (uint8_t)cost, {0}};
	memcpy(list[length].costs, costs, options < OPTIONS_MAX ? options : OPTIONS_MAX);
	length++;
	spent += cost;
	return taken;
}

static unsigned choose_listed(unsigned options, const uint8_t *cost)
{
	unsigned taken = length < fixed ? list[length].taken : 0;

	if (taken >= options)
		taken = 0; /* a list of another kernel: replays what it can */
	return record(taken, options, cost[taken], cost);
}

unsigned explore_choose(unsigned options, const uint8_t *cost)
{
	if (options > OPTIONS_MAX)
		options = OPTIONS_MAX;
	if (options == 1)
		return 0;
	if (mode == RANDOM) {
		unsigned taken = random_below(4) ? 0 : random_below(options);
		return record(taken, options, cost[taken], cost);
	}
	return choose_listed(options, cost);
}

static unsigned highest(unsigned options, const uint8_t *cpu)
{
	unsigned best = 0;

	for (unsigned i = 1; i < options; i++)
		if (priority[cpu[i]] > priority[cpu[best]])
			best = i;
	return best;
}

unsigned explore_choose_cpu(unsigned options, const uint8_t *cpu, bool first_free)
{
	uint8_t cost[CPUS_MAX];

	if (mode == RANDOM) {
		for (unsigned i = 0; i < CHANGES; i++)
			if (change_at[i] == cpu_points)
				priority[cpu[0]] = lowest--;
		cpu_points++;
	}
	if (options == 1)
		return 0;
	for (unsigned i = 0; i < options; i++)
		cost[i] = i && !first_free;
	if (mode == RANDOM)
		return record(highest(options, cpu), options, 0, cost);
	return choose_listed(options, cost);
}

void explore_yield(unsigned cpu)
{
	if (mode == RANDOM)
		priority[cpu] = lowest--;
}

/* ---- searches ---- */

static void begin_run(void)
{
	length = spent = 0;
	truncated = false;
	if (cpu_points)
		last_points = cpu_points;
	cpu_points = 0;
}

void explore_begin_exhaustive(unsigned most)
{
	mode = EXHAUSTIVE;
	bound = most;
	fixed = 0;
	begin_run();
}

/* The next alternative of the last choice that has one within the bound; what comes after it is open again. */
bool explore_next(void)
{
	for (; length; length--) {
		struct choice *c = &list[length - 1];
		spent -= c->cost;
		for (unsigned next = c->taken + 1u; next < c->options; next++) {
			if (spent + c->costs[next] > bound)
				continue;
			c->taken = (uint8_t)next;
			fixed = length;
			begin_run();
			return true;
		}
	}
	return false;
}

void explore_begin_random(uint64_t seed)
{
	mode = RANDOM;
	begin_run();
	random_state = seed * 0x2545f4914f6cdd1d + 1;
	for (unsigned i = 0; i < CPUS_MAX; i++)
		priority[i] = 1000 + random_below(1000);
	lowest = 999;
	for (unsigned i = 0; i < CHANGES; i++)
		change_at[i] = random_below(last_points + 1);
}

bool explore_begin_replay(const char *text)
{
	mode = REPLAY;
	fixed = 0;
	for (char *end; *text; text = *end ? end + 1 : end) {
		unsigned long v = strtoul(text, &end, 10);
		if (end == text || v > 255 || (*end && *end != '.') || fixed == CHOICES_MAX)
			return false;
		list[fixed++].taken = (uint8_t)v;
	}
	begin_run();
	return true;
}

const char *explore_text(void)
{
	static char text[4 * CHOICES_MAX + 1];
	unsigned n = length;
	char *p = text;

	*p = 0;
	while (n && !list[n - 1].taken)
		n--;
	for (unsigned i = 0; i < n; i++)
		p += sprintf(p, i ? ".%u" : "%u", list[i].taken);
	return text;
}

bool explore_truncated(void)
{
	return truncated;
}
