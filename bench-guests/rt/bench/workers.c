/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/bench/workers.h"

#include "rt/bench/bench.h"
#include "rt/hip.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/thread.h"

static struct worker {
	struct rt_ec ec;
	sel_t go, done;  /* semaphores; their ups and downs order accesses to what follows */
	workers_fn *fn;  /* written before `go` is upped */
	uint64_t result; /* read after `done` was downed */
} __attribute__((aligned(64))) workers[HEDRON_CPU_MAX];

/* A barrier that can be used again and again. */
static struct {
	unsigned count;           /* who has to come; constant while functions run */
	unsigned long arrived;    /* in this generation; atomic */
	unsigned long generation; /* atomic; changes when all have arrived, after `arrived` was reset */
} meeting;

unsigned workers_count;

unsigned workers_cpu(unsigned n)
{
	return workers[n].ec.cpu;
}
struct utcb *workers_utcb(unsigned n)
{
	return workers[n].ec.utcb;
}
sel_t workers_sc(unsigned n)
{
	return workers[n].ec.sc;
}
sel_t workers_sel(unsigned n, unsigned i)
{
	return WORKERS_SEL + ((sel_t)n << WORKERS_SEL_ORDER) + i;
}

const char *workers_need(unsigned count)
{
	return workers_count < count ? "the machine has not so many CPUs" : NULL;
}

static void work(void *arg)
{
	struct worker *w = arg;

	while (hc_sm_down(w->go) == SUCCESS) {
		w->result = w->fn((unsigned)(w - workers));
		RT_MUST(hc_sm_up(w->done));
	}
}

static void add(unsigned cpu)
{
	struct worker *w = &workers[workers_count++];

	w->ec.cpu = cpu;
	RT_MUST(rt_sm(&w->go, 0));
	RT_MUST(rt_sm(&w->done, 0));
	RT_MUST(rt_thread(&w->ec, BENCH_PRIO, work, w));
}

void workers_init(void)
{
	add(rt_cpu);
	for (unsigned cpu = 0; cpu < HEDRON_CPU_MAX; cpu++)
		if (cpu != rt_cpu && rt_cpu_enabled(cpu))
			add(cpu);
}

void workers_start(unsigned n, workers_fn *fn)
{
	workers[n].fn = fn;
	RT_MUST(hc_sm_up(workers[n].go));
}

uint64_t workers_wait(unsigned n)
{
	RT_MUST(hc_sm_down(workers[n].done));
	return workers[n].result;
}

uint64_t workers_do_all(unsigned count, workers_fn *fn)
{
	uint64_t most = 0;

	meeting.count = count;
	for (unsigned n = 0; n < count; n++)
		workers_start(n, fn);
	for (unsigned n = 0; n < count; n++) {
		uint64_t result = workers_wait(n);

		most = result > most ? result : most;
	}
	return most;
}

void workers_meet(void)
{
	unsigned long now = workers_load(&meeting.generation);

	if (__atomic_add_fetch(&meeting.arrived, 1, __ATOMIC_ACQ_REL) < meeting.count) {
		workers_until(&meeting.generation, now + 1);
		return;
	}
	meeting.arrived = 0;
	__atomic_store_n(&meeting.generation, now + 1, __ATOMIC_RELEASE);
}
