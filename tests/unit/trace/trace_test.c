/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rings, times, and what TRACE_CTRL refuses. What is set up stays for good, so the order of the tests counts. */
#include "../core/world.h"
#include "../hog.h"
#include "trace/trace.h"

#define ORDER TRACE_ORDER_MIN
#define RECORDS (1u << ORDER)
#define VA 0x400000

static struct trace_cpu *here(void)
{
	return &cpu_current()->trace;
}

UNIT_TEST(before_setup)
{
	u64 pages;
	struct ec self = {.pd = world_pd};

	assert_int_equal(trace_switch(0, 0), BAD_PAR);
	assert_int_equal(trace_counters(0), BAD_PAR);
	assert_int_equal(trace_period(0), BAD_PAR);
	assert_int_equal(trace_sample(1), BAD_PAR);
	assert_int_equal(trace_map(0, VA, &self), BAD_PAR);
	assert_int_equal(trace_setup(&pd_kernel, TRACE_ORDER_MIN - 1, &pages), BAD_PAR);
	assert_int_equal(trace_setup(&pd_kernel, TRACE_ORDER_MAX + 1, &pages), BAD_PAR);
	assert_int_equal(trace_setup(&pd_kernel, ~0ul, &pages), BAD_PAR);
}

/* Whatever is missing, all is given back. */
UNIT_TEST(out_of_memory)
{
	static struct hog hog;
	u64 pages;

	for (u64 leave = 0; leave < 4 * 16; leave++) {
		hog_take(&hog, leave);
		u64 free = page_free_count();
		assert_int_equal(trace_setup(&pd_kernel, ORDER, &pages), OOM);
		assert_int_equal(page_free_count(), free);
		assert_null(world_cpu(0)->trace.head);
		hog_release(&hog);
	}
}

UNIT_TEST(setting_up)
{
	u64 pages = 0, again = 0, free = page_free_count();

	assert_int_equal(trace_setup(&pd_kernel, ORDER, &pages), SUCCESS);
	assert_int_equal(trace_setup(&pd_kernel, ORDER, &again), SUCCESS);
	assert_int_equal(trace_setup(&pd_kernel, ORDER + 1, &again), BUSY);
	assert_int_equal(pages, again);
	for (unsigned n = 0; n < WORLD_CPUS; n++) {
		const struct trace_head *head = world_cpu(n)->trace.head;
		assert_int_equal(head->magic, TRACE_MAGIC);
		assert_int_equal(head->cpu, n);
		assert_int_equal(head->pages, pages);
		assert_int_equal(head->ring_offset, (pages - 1) * PAGE_SIZE);
		assert_int_equal(head->path_offset + head->paths * head->path_size, head->ring_offset);
	}
	world_pages -= free - page_free_count(); /* they stay: world_teardown() is not to miss them */
}

UNIT_TEST(mapping)
{
	struct ec self = {.pd = world_pd};
	const struct trace_cpu *t = &world_cpu(2)->trace;
	u64 entry, pages = t->head->pages;
	unsigned order;

	assert_int_equal(trace_map(WORLD_CPUS, VA, &self), BAD_CPU);
	assert_int_equal(trace_map(~0ul, VA, &self), BAD_CPU);
	const u64 wrong[] = {0, 1, VA + 8, HEDRON_USER_END, HEDRON_USER_END - (pages - 1) * PAGE_SIZE, -PAGE_SIZE};
	for (unsigned i = 0; i < array_size(wrong); i++)
		assert_int_equal(trace_map(2, wrong[i], &self), BAD_PAR);
	assert_int_equal(trace_map(2, HEDRON_USER_END - pages * PAGE_SIZE, &self), SUCCESS);
	assert_int_equal(trace_map(2, VA, &self), SUCCESS);
	for (u64 i = 0; i < pages; i++) {
		const void *want = i < pages - 1 ? (u8 *)t->head + i * PAGE_SIZE : (u8 *)t->ring;
		entry = ptab_lookup(&world_pd->mem.host, (VA >> PAGE_BITS) + i, &order);
		assert_int_equal(entry & PTE_ADDR, heap_phys(want).v);
		assert_int_equal(entry & PTE_W, 0);
	}
}

UNIT_TEST(only_what_is_on)
{
	const struct trace_head *head = here()->head;

	assert_int_equal(trace_switch(1ul << TRACE_EVENTS, 0), BAD_PAR);
	assert_int_equal(trace_switch(0, 1ul << TRACE_PATHS), BAD_PAR);
	assert_int_equal(trace_switch(TRACE_BIT(CALL) | TRACE_BIT(NMI), TRACE_PATH_BIT(NMI)), SUCCESS);
	assert_int_equal(head->events, TRACE_BIT(CALL) | TRACE_BIT(NMI));
	assert_int_equal(head->measured, TRACE_PATH_BIT(NMI));
	assert_int_equal(host_trace.events, head->events);
	trace_record(TRACE_REPLY, 1, 2, 3);
	assert_int_equal(head->written, 0);
	trace_record(TRACE_CALL, 1, 2, 3);
	assert_int_equal(head->written, 1);
	const struct trace_record *r = here()->ring;
	assert_int_equal(r->seq, 1);
	assert_int_equal(r->event, TRACE_CALL);
	assert_int_equal(r->extra, 1);
	assert_int_equal(r->a, 2);
	assert_int_equal(r->b, 3);
	assert_int_equal(trace_switch(0, 0), SUCCESS);
	trace_record(TRACE_CALL, 1, 2, 3);
	assert_int_equal(head->written, 1);
}

UNIT_TEST(rings_are_apart_and_wrap)
{
	u64 had = here()->head->written;

	assert_int_equal(trace_switch(TRACE_BIT(GRACE), 0), SUCCESS);
	host_set_cpu(1);
	for (u64 i = 0; i < 3 * RECORDS + 5; i++)
		trace_record(TRACE_GRACE, 0, i, 0);
	const struct trace_cpu *t = here();
	assert_int_equal(t->head->written, 3 * RECORDS + 5);
	for (u64 n = 2 * RECORDS + 5; n < 3 * RECORDS + 5; n++) {
		assert_int_equal(t->ring[n % RECORDS].seq, n + 1);
		assert_int_equal(t->ring[n % RECORDS].a, n);
	}
	host_set_cpu(0);
	assert_int_equal(here()->head->written, had);
	assert_int_equal(trace_switch(0, 0), SUCCESS);
}

static enum status nested;

static void switch_again(void)
{
	nested = trace_switch(0, 0);
}

UNIT_TEST(one_at_a_time)
{
	unsigned stops = host_trace.stops;

	host_trace.while_stopped = switch_again;
	assert_int_equal(trace_switch(0, 0), SUCCESS);
	assert_int_equal(nested, BUSY);
	assert_int_equal(host_trace.stops, stops + 1);
	host_trace.while_stopped = NULL;
}

/* ---- times ---- */

UNIT_TEST(bins)
{
	assert_int_equal(trace_bin(0), 0);
	assert_int_equal(trace_bin(~0ul), TRACE_BINS - 1);
	for (unsigned i = 0; i < TRACE_BINS; i++) {
		u64 low = trace_bin_low(i), high = i + 1 < TRACE_BINS ? trace_bin_low(i + 1) - 1 : ~0ul;
		assert_int_equal(trace_bin(low), i);
		assert_int_equal(trace_bin(high), i);
		assert_true(low <= high);
	}
}

UNIT_TEST(measured)
{
	struct trace_path *p = &here()->paths[TRACE_PATH_NMI];
	struct trace_span s = {0};

	assert_int_equal(trace_switch(0, TRACE_PATH_BIT(NMI)), SUCCESS);
	trace_end(TRACE_PATH_NMI, &s); /* nothing has begun */
	assert_int_equal(p->count, 0);
	host_tsc = 1000;
	trace_begin(&s);
	host_tsc = 1100;
	trace_end(TRACE_PATH_NMI, &s);
	assert_int_equal(p->count, 1);
	assert_int_equal(p->sum, 100);
	assert_int_equal(p->bins[trace_bin(100)], 1);
	trace_end(TRACE_PATH_NMI, &s); /* it is over */
	assert_int_equal(p->count, 1);
	trace_begin(&s);
	trace_end(TRACE_PATH_GRACE, &s); /* not measured */
	assert_int_equal(here()->paths[TRACE_PATH_GRACE].count, 0);
	trace_end_elsewhere(TRACE_PATH_NMI, &s); /* that did not change it: it is over */
	assert_int_equal(p->count, 1);
	host_tsc = 2000;
	trace_begin(&s);
	host_tsc = 2007;
	trace_end_elsewhere(TRACE_PATH_NMI, &s);
	assert_int_equal(p->count, 2);
	assert_int_equal(p->sum, 107);
}

/* After sleep the TSC starts over. */
UNIT_TEST(ended_before_the_beginning)
{
	struct trace_path *p = &here()->paths[TRACE_PATH_NMI];
	struct trace_span s;
	u64 had = p->count;

	host_tsc = 1000;
	trace_begin(&s);
	host_tsc = 10;
	trace_end(TRACE_PATH_NMI, &s);
	host_tsc = 1000;
	trace_begin(&s);
	host_tsc = 10;
	trace_end_elsewhere(TRACE_PATH_NMI, &s);
	assert_int_equal(p->count, had);
}

/* What began under other rules is not comparable. */
UNIT_TEST(begun_before_a_change)
{
	struct trace_path *p = &here()->paths[TRACE_PATH_NMI];
	struct trace_span s;
	u64 had = p->count;

	trace_begin(&s);
	assert_int_equal(trace_switch(0, TRACE_PATH_BIT(NMI)), SUCCESS);
	trace_end(TRACE_PATH_NMI, &s);
	assert_int_equal(p->count, had);
	trace_begin(&s);
	assert_int_equal(trace_switch(0, 0), SUCCESS);
	assert_int_equal(trace_switch(0, TRACE_PATH_BIT(NMI)), SUCCESS);
	trace_end_elsewhere(TRACE_PATH_NMI, &s);
	assert_int_equal(p->count, had);
}

UNIT_TEST(counters)
{
	struct trace_path *p = &here()->paths[TRACE_PATH_NMI];
	struct trace_span s;

	host_trace.counters = 3;
	assert_int_equal(trace_counters(0x01010101), BAD_FTR);
	assert_int_equal(trace_counters(0x0101010101), BAD_PAR);
	assert_int_equal(trace_counters(TRACE_COUNTER_KINDS + 1), BAD_PAR);
	assert_int_equal(trace_counters(0x010001), BAD_PAR);
	assert_int_equal(trace_counters(0x0201), SUCCESS);
	assert_int_equal(host_trace.chosen, 2);
	assert_int_equal(here()->head->counters, 0x0201);
	trace_begin(&s);
	host_trace.counter[0] += 10;
	host_trace.counter[1] += 20;
	trace_end(TRACE_PATH_NMI, &s);
	assert_int_equal(p->counters[0], 10 + 1); /* looking at one adds to it */
	assert_int_equal(p->counters[1], 20 + 2);
	assert_int_equal(p->counters[2], 0);
	assert_int_equal(trace_counters(0), SUCCESS);
	assert_int_equal(p->counters[0], 0);
	assert_int_equal(trace_switch(0, 0), SUCCESS);
}

UNIT_TEST(period)
{
	assert_int_equal(trace_period(TRACE_PERIOD_MIN - 1), BAD_PAR);
	assert_int_equal(trace_period(TRACE_PERIOD_MAX + 1ul), BAD_PAR);
	assert_int_equal(trace_period(TRACE_PERIOD_MAX), BAD_PAR); /* samples are off */
	assert_int_equal(trace_switch(TRACE_BIT(SAMPLE), 0), SUCCESS);
	assert_int_equal(trace_period(TRACE_PERIOD_MAX), SUCCESS);
	assert_int_equal(host_trace.period, TRACE_PERIOD_MAX);
	assert_int_equal(trace_period(0), SUCCESS);
	assert_int_equal(host_trace.period, 0);
	assert_int_equal(trace_period(TRACE_PERIOD_MIN), SUCCESS);
	assert_int_equal(trace_switch(TRACE_BIT(CALL), 0), SUCCESS); /* which ends it */
	assert_int_equal(host_trace.period, 0);
	assert_int_equal(trace_switch(TRACE_BIT(SAMPLE), 0), SUCCESS);
	host_trace.counters = 0;
	assert_int_equal(trace_period(TRACE_PERIOD_MIN), BAD_FTR);
}

UNIT_TEST(samples)
{
	u32 kicks = host_calls[1].kicks;

	assert_int_equal(trace_sample(0), BAD_CPU);
	assert_int_equal(trace_sample(WORLD_CPUS), BAD_CPU);
	assert_int_equal(trace_sample(~0ul), BAD_CPU);
	assert_int_equal(trace_sample(1), SUCCESS);
	assert_true(world_cpu(1)->trace.sample_asked);
	assert_int_equal(host_calls[1].kicks, kicks + 1);
	assert_int_equal(trace_switch(0, 0), SUCCESS);
	assert_false(world_cpu(1)->trace.sample_asked);
}

/* The points in core. */
UNIT_TEST(points)
{
	struct trace_cpu *t = here();
	u64 n = t->head->written;

	assert_int_equal(trace_switch(TRACE_BIT(WAKE_REMOTE) | TRACE_BIT(READY), 0), SUCCESS);
	struct ec ec = {.pd = world_pd};
	struct sc sc = {.prio = 5, .ec = &ec};
	list_init(&sc.link);
	dispatch_ready(cpu_current(), &sc);
	assert_int_equal(t->head->written, n + 1);
	assert_int_equal(t->ring[n % RECORDS].event, TRACE_READY);
	assert_int_equal(t->ring[n % RECORDS].extra, 5);
	assert_int_equal(t->ring[n % RECORDS].a, (u64)&ec);
	sched_dequeue(&cpu_current()->sched, &sc.link, sc.prio);
	hazard_clear(cpu_current(), HAZARD_SCHED);
	assert_int_equal(trace_switch(0, 0), SUCCESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_setup),
		cmocka_unit_test(out_of_memory),
		cmocka_unit_test(setting_up),
		cmocka_unit_test(mapping),
		cmocka_unit_test(only_what_is_on),
		cmocka_unit_test(rings_are_apart_and_wrap),
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(bins),
		cmocka_unit_test(measured),
		cmocka_unit_test(ended_before_the_beginning),
		cmocka_unit_test(begun_before_a_change),
		cmocka_unit_test(counters),
		cmocka_unit_test(period),
		cmocka_unit_test(samples),
		cmocka_unit_test(points),
	};
	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
