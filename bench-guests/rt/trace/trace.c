/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets tracing up, switches it on and off, and takes samples of the boot CPU from another one. */
#include "rt/trace/trace.h"

#include "rt/cpu.h"
#include "rt/fmt.h"
#include "rt/hip.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/pool.h"
#include "rt/size.h"
#include "rt/thread.h"
#include "rt/trace/trace_ctrl.h"
#include "rt/trace/trace_drain.h"
#include "rt/trace/trace_words.h"

static struct trace_plan plan;
static bool prepared;

static struct {
	struct rt_ec ec;
	volatile bool stop;
	sel_t stopped;
} sampler;

/* The order of rings that hold so many records. */
static unsigned order_of(unsigned long records)
{
	unsigned order = TRACE_ORDER_MIN;

	while (1ul << order < records)
		order++;
	return order;
}

static const char *map_areas(unsigned long pages)
{
	for (unsigned cpu = 0; cpu < HEDRON_CPU_MAX; cpu++) {
		uintptr_t va;

		if (!rt_cpu_enabled(cpu))
			continue;
		va = rt_va(pages, 1);
		if (hc_trace_map(cpu, va) != SUCCESS)
			return "a ring cannot be mapped";
		plan.areas[cpu] = (const struct trace_head *)va;
		if (plan.areas[cpu]->magic != TRACE_MAGIC || plan.areas[cpu]->version != TRACE_VERSION)
			return "the kernel records in another way than this program knows";
	}
	return NULL;
}

static const char *set_up(void)
{
	unsigned long pages;
	enum status st = hc_trace_setup(order_of(plan.records), &pages);

	if (st == BAD_HYP)
		return "the kernel has no tracing";
	if (st != SUCCESS)
		return st == OOM ? "the kernel has no memory for the rings" : "the rings cannot be set up";
	if (hc_trace_counters(plan.counters) != SUCCESS)
		return "the processors do not count that, or not so many";
	if (plan.period && (plan.period < TRACE_PERIOD_MIN || plan.period > TRACE_PERIOD_MAX))
		return "trace_period= is too small or too large";
	if (plan.sampler && rt_cpu_other() == HEDRON_CPU_MAX)
		return "there is no other CPU for trace_sampler=";
	return map_areas(pages);
}

bool trace_prepare(void)
{
	if (!trace_asked())
		return false;
	trace_words(&plan);
	if (!plan.why)
		plan.why = set_up();
	if (!plan.why)
		plan.list = rt_pages((TRACE_CASES * sizeof(*plan.list) + RT_PAGE - 1) / RT_PAGE);
	prepared = !plan.why;
	return prepared;
}

static void wait_us(unsigned long us)
{
	uint64_t start = rt_rdtsc(), ticks = us * rt_hip->freq_tsc / 1000;

	while (rt_rdtsc() - start < ticks)
		rt_pause();
}

/* It has its CPU for itself, so it may spin between the samples. */
static void take_samples(RT_UNUSED void *arg)
{
	while (!sampler.stop) {
		wait_us(plan.sampler);
		RT_MUST(hc_trace_sample(rt_cpu));
	}
	RT_MUST(hc_sm_up(sampler.stopped));
}

static void start_sampler(void)
{
	sampler.ec.cpu = rt_cpu_other();
	RT_MUST(rt_sm(&sampler.stopped, 0));
	RT_MUST(rt_thread(&sampler.ec, HEDRON_PRIO_MAX, take_samples, NULL));
}

/* Only the attempt shows whether the processors can do it. If not, the run goes on untraced and tells why. */
void trace_on(void)
{
	if (!prepared)
		return;
	if (hc_trace_switch(plan.events, plan.paths) != SUCCESS)
		plan.why = "tracing cannot be switched on";
	else if (plan.period && hc_trace_period(plan.period) != SUCCESS)
		plan.why = "the processors have no performance counter that interrupts";
	else if (plan.sampler)
		start_sampler();
}

void trace_case_begin(const char *name)
{
	if (!prepared || plan.cases == TRACE_CASES)
		return;
	rt_snprintf(plan.list[plan.cases].name, sizeof(plan.list->name), "%s", name);
	plan.list[plan.cases].begin = plan.list[plan.cases].end = rt_rdtsc();
	plan.cases++;
}

void trace_case_end(void)
{
	if (prepared && plan.cases)
		plan.list[plan.cases - 1].end = rt_rdtsc();
}

void trace_off(void)
{
	if (!prepared)
		return;
	if (sampler.stopped) {
		sampler.stop = true;
		RT_MUST(hc_sm_down(sampler.stopped));
	}
	if (plan.period)
		hc_trace_period(0);
	RT_MUST(hc_trace_switch(0, 0));
}

void trace_send(void)
{
	if (trace_asked())
		trace_drain(&plan);
}
