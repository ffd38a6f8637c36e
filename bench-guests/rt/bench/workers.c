/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/bench/workers.h"

#include "rt/bench/bench.h"
#include "rt/hip.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/thread.h"

static struct member {
	struct rt_ec ec;
	sel_t go, done;
	crew_fn *fn;
	uint64_t result;
} __attribute__((aligned(64))) members[HEDRON_CPU_MAX];

static struct {
	unsigned count;
	unsigned long arrived, generation;
} meeting;

unsigned crew_size;

unsigned crew_cpu(unsigned n)
{
	return members[n].ec.cpu;
}
struct utcb *crew_utcb(unsigned n)
{
	return members[n].ec.utcb;
}
sel_t crew_sc(unsigned n)
{
	return members[n].ec.sc;
}
sel_t crew_sel(unsigned n, unsigned i)
{
	return CREW_SEL + ((sel_t)n << CREW_SEL_ORDER) + i;
}

const char *crew_need(unsigned count)
{
	return crew_size < count ? "the machine has not so many CPUs" : NULL;
}

static void work(void *arg)
{
	struct member *m = arg;

	while (hc_sm_down(m->go) == SUCCESS) {
		m->result = m->fn((unsigned)(m - members));
		RT_MUST(hc_sm_up(m->done));
	}
}

static void add(unsigned cpu)
{
	struct member *m = &members[crew_size++];

	m->ec.cpu = cpu;
	RT_MUST(rt_sm(&m->go, 0));
	RT_MUST(rt_sm(&m->done, 0));
	RT_MUST(rt_thread(&m->ec, BENCH_PRIO, work, m));
}

void crew_init(void)
{
	add(rt_cpu);
	for (unsigned cpu = 0; cpu < HEDRON_CPU_MAX; cpu++)
		if (cpu != rt_cpu && rt_cpu_enabled(cpu))
			add(cpu);
}

void crew_start(unsigned n, crew_fn *fn)
{
	members[n].fn = fn;
	RT_MUST(hc_sm_up(members[n].go));
}

uint64_t crew_wait(unsigned n)
{
	RT_MUST(hc_sm_down(members[n].done));
	return members[n].result;
}

uint64_t crew_do_all(unsigned count, crew_fn *fn)
{
	uint64_t most = 0;

	meeting.count = count;
	for (unsigned n = 0; n < count; n++)
		crew_start(n, fn);
	for (unsigned n = 0; n < count; n++) {
		uint64_t result = crew_wait(n);

		most = result > most ? result : most;
	}
	return most;
}

void crew_meet(void)
{
	unsigned long now = crew_load(&meeting.generation);

	if (__atomic_add_fetch(&meeting.arrived, 1, __ATOMIC_ACQ_REL) < meeting.count) {
		crew_until(&meeting.generation, now + 1);
		return;
	}
	meeting.arrived = 0;
	__atomic_store_n(&meeting.generation, now + 1, __ATOMIC_RELEASE);
}
