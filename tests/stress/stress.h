/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the stress tests share: threads that are CPUs of the fake machine, random numbers, and failing loudly. */
#pragma once

#include "core/percpu.h"
#include "host.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define STRESS_HEAP (64 * MiB)

/* How long something may take that takes microseconds when it works. */
#define STRESS_PATIENCE 300 /* seconds; the host may be busy with others */

#define must(cond)                                                                           \
	do {                                                                                 \
		if (!(cond)) {                                                               \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                             \
		}                                                                            \
	} while (0)

static inline double stress_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* In a loop that waits: fails when it takes too long. The state is zero at first. */
struct stress_wait {
	unsigned looks;
	double since;
};

static inline void stress_wait(struct stress_wait *w, const char *what)
{
	if (++w->looks % 64)
		return;
	struct timespec a_moment = {0, 20000}; /* there are fewer cores than threads */
	nanosleep(&a_moment, NULL);
	double now = stress_now();
	if (!w->since)
		w->since = now;
	if (now - w->since > STRESS_PATIENCE) {
		fprintf(stderr, "waited too long: %s\n", what);
		abort();
	}
}

/* xorshift64 of a thread */
struct stress_random {
	u64 x;
};

static inline unsigned stress_random(struct stress_random *r, unsigned n)
{
	r->x ^= r->x << 13;
	r->x ^= r->x >> 7;
	r->x ^= r->x << 17;
	return (unsigned)((r->x >> 32) % n);
}

/* Thread n is CPU n and runs fn; all begin at once. */
struct stress_thread {
	pthread_t id;
	unsigned cpu;
	void (*fn)(unsigned cpu, struct stress_random *r);
};

static pthread_barrier_t stress_barrier;

static inline void *stress_thread_main(void *arg)
{
	const struct stress_thread *t = arg;
	struct stress_random r = {0x9e3779b97f4a7c15ull * (t->cpu + 1)};

	host_set_cpu(t->cpu);
	pthread_barrier_wait(&stress_barrier);
	t->fn(t->cpu, &r);
	return NULL;
}

/* CPU n runs fn[n]; NULL ends the list. Returns when all have. */
static inline void stress_run(void (*const fn[])(unsigned cpu, struct stress_random *r))
{
	struct stress_thread threads[16];
	unsigned n = 0;

	while (fn[n])
		n++;
	must(n <= 16 && !pthread_barrier_init(&stress_barrier, NULL, n));
	for (unsigned i = 0; i < n; i++) {
		threads[i] = (struct stress_thread){.cpu = i, .fn = fn[i]};
		must(!pthread_create(&threads[i].id, NULL, stress_thread_main, &threads[i]));
	}
	for (unsigned i = 0; i < n; i++)
		must(!pthread_join(threads[i].id, NULL));
	pthread_barrier_destroy(&stress_barrier);
}
