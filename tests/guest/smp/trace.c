/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tracing is switched on and off while all CPUs are busy: points are rewritten under the feet of code that runs
 * through them. Nothing may break, and each CPU's ring must tell a story that makes sense.
 */
#include "smp.h"

#include "rt/message.h"
#include "rt/pool.h"
#include "rt/start.h"

#include <hedron/trace.h>

enum { ORDER = 9 };

static const struct trace_head *head[SMP_MAX];
static sel_t sm[SMP_MAX], pt[SMP_MAX];
static struct rt_ec server[SMP_MAX];
static volatile unsigned long stop;

static enum status ctrl(unsigned op, unsigned long a2, unsigned long a3)
{
	return hc_3(HC_ARG1(HC_TRACE_CTRL, op, 0), a2, a3);
}

static void answer(RT_UNUSED struct utcb *utcb, RT_UNUSED void *arg) {}

static bool set_up(void)
{
	struct hc_regs r = {HC_ARG1(HC_TRACE_CTRL, TRACE_CTRL_SETUP, 0), ORDER, 0, 0, 0};

	if (head[0])
		return true;
	if (!EXPECT_OK(hc_raw(&r)))
		return false;
	for (unsigned i = 0; i < smp_count; i++) {
		uintptr_t va = rt_va(r.rsi, 1);
		if (!EXPECT_OK(ctrl(TRACE_CTRL_MAP, smp_cpu(i), va)))
			return false;
		head[i] = (const struct trace_head *)va;
		EXPECT_EQ(head[i]->cpu, smp_cpu(i));
	}
	return true;
}

static void make_objects(void)
{
	for (unsigned i = 0; i < smp_count; i++) {
		sm[i] = smp_sm(0);
		pt[i] = smp_server(&server[i], i, answer, NULL);
	}
	stop = 0;
}

/* Calls, ups to the neighbour that may be asleep, exceptions in another PD's stead: unmapped memory. */
static void work(unsigned self)
{
	volatile unsigned long *nothing = (volatile unsigned long *)0x1000;
	unsigned next = (self + 1) % smp_count;
	unsigned long v;

	while (!smp_load(&stop)) {
		rt_msg(smp_utcb(self), 0, 0);
		ASSERT_OK(hc_call(pt[self]));
		ASSERT_OK(hc_sm_up(sm[next]));
		ASSERT_OK(hc_sm_down(sm[self]));
		ASSERT(!smp_try_load(nothing, &v));
		ASSERT_EQ(hc_1(0x99), BAD_HYP);
		smp_progress(self);
	}
	hc_sm_up(sm[next]); /* who waits for us goes home, too */
}

static const struct trace_record *record(unsigned i, uint64_t n)
{
	return (const struct trace_record *)((const uint8_t *)head[i] + head[i]->ring_offset) + n % head[i]->records;
}

/* With everything off: what is in the ring is whole, in order, and of known kinds. */
static void check_ring(unsigned i)
{
	uint64_t end = head[i]->written, first = end > head[i]->records ? end - head[i]->records : 0, tsc = 0;

	for (uint64_t n = first; n < end; n++) {
		const struct trace_record *r = record(i, n);

		ASSERT_EQ(r->seq, (uint32_t)(n + 1));
		ASSERT(r->event < TRACE_EVENTS);
		/* An NMI between a record's place and its time gets the later place and the earlier time. */
		ASSERT(r->tsc >= tsc || r->event == TRACE_NMI || record(i, n - 1)->event == TRACE_NMI ||
		       r->event == TRACE_SAMPLE || record(i, n - 1)->event == TRACE_SAMPLE);
		tsc = r->tsc;
	}
}

static void check_paths(unsigned i)
{
	const struct trace_path *p = (const struct trace_path *)((const uint8_t *)head[i] + head[i]->path_offset);

	for (unsigned n = 0; n < TRACE_PATHS; n++) {
		uint64_t sum = 0;

		for (unsigned b = 0; b < TRACE_BINS; b++)
			sum += p[n].bins[b];
		ASSERT_EQ(sum, p[n].count);
	}
}

/* Worker 0 switches, the others work. */
static void switch_and_work(unsigned self)
{
	uint64_t seed = smp_seed(77);

	if (self) {
		work(self);
		return;
	}
	for (unsigned long r = smp_rounds(400); r--;) {
		uint64_t events = smp_random(&seed) & ((1ul << TRACE_EVENTS) - 1);
		uint64_t paths = smp_random(&seed) & ((1ul << TRACE_PATHS) - 1);

		ASSERT_OK(ctrl(TRACE_CTRL_SWITCH, events, paths));
		for (unsigned i = 1; i < smp_count; i++)
			ASSERT_OK(ctrl(TRACE_CTRL_SAMPLE, smp_cpu(i), 0));
		hc_sm_up(sm[1 % smp_count]); /* whoever waits for worker 0 */
		rt_msg(smp_utcb(self), 0, 0);
		ASSERT_OK(hc_call(pt[self]));
		smp_delay(&seed, 50);
		smp_progress(self);
	}
	ASSERT_OK(ctrl(TRACE_CTRL_SWITCH, 0, 0));
	smp_set(&stop, 1);
	hc_sm_up(sm[1 % smp_count]);
}

static void switched_under_load(void)
{
	NEED_CPUS(2);
	if (!set_up())
		return;
	make_objects();
	smp_run(smp_count, switch_and_work);
	for (unsigned i = 0; i < smp_count; i++) {
		EXPECT(head[i]->written);
		check_ring(i);
		check_paths(i);
	}
}

/* All switch at once: one wins, the others are told. */
static volatile unsigned long wins;

static void compete(unsigned self)
{
	for (unsigned long r = smp_rounds(200); r--;) {
		enum status st = ctrl(TRACE_CTRL_SWITCH, r & 1 ? (1ul << TRACE_EVENTS) - 1 : 0, 0);

		ASSERT(st == SUCCESS || st == BUSY);
		if (st == SUCCESS)
			smp_inc(&wins);
		smp_progress(self);
	}
}

static void all_switch(void)
{
	if (!set_up())
		return;
	wins = 0;
	smp_run(smp_count, compete);
	EXPECT(wins);
	EXPECT_OK(ctrl(TRACE_CTRL_SWITCH, 0, 0));
	for (unsigned i = 0; i < smp_count; i++)
		check_ring(i);
}

/* Samples of a CPU that spins in user land are there, and in user land. */
static volatile unsigned long spinning;

static void sample(unsigned i)
{
	uint64_t n = __atomic_load_n(&head[i]->written, __ATOMIC_ACQUIRE);
	const struct trace_record *r = record(i, n);

	ASSERT_OK(ctrl(TRACE_CTRL_SAMPLE, smp_cpu(i), 0));
	if (!SMP_WAIT(__atomic_load_n(&r->seq, __ATOMIC_ACQUIRE) == (uint32_t)(n + 1)))
		return;
	ASSERT_EQ(r->event, TRACE_SAMPLE);
	ASSERT_EQ(r->extra, TRACE_MODE_USER);
	ASSERT(r->a < HEDRON_USER_END);
}

static void spin_or_sample(unsigned self)
{
	if (self) {
		smp_inc(&spinning);
		while (!smp_load(&stop))
			smp_progress(self);
		return;
	}
	if (SMP_WAIT(smp_load(&spinning) == smp_count - 1))
		for (unsigned r = 0; r < 10; r++)
			for (unsigned i = 1; i < smp_count; i++)
				sample(i);
	smp_set(&stop, 1);
}

static void samples_of_user_code(void)
{
	NEED_CPUS(2);
	if (!set_up())
		return;
	stop = spinning = 0;
	EXPECT_OK(ctrl(TRACE_CTRL_SWITCH, 1ul << TRACE_SAMPLE, 0));
	smp_run(smp_count, spin_or_sample);
	EXPECT_OK(ctrl(TRACE_CTRL_SWITCH, 0, 0));
}

/* Who switches takes NMIs like everybody else, and must not hold itself. One worker sends them, with pauses: an
 * emulator would get to nothing else. */
static void switch_or_kick(unsigned self)
{
	uint64_t seed = smp_seed(78);

	if (self) {
		while (!smp_load(&stop)) {
			if (self == 1)
				ASSERT_OK(ctrl(TRACE_CTRL_SAMPLE, smp_cpu(0), 0));
			smp_delay(&seed, 300);
			smp_progress(self);
		}
		return;
	}
	for (unsigned long r = smp_rounds(100); r--;) {
		ASSERT_OK(ctrl(TRACE_CTRL_SWITCH, r & 1 ? (1ul << TRACE_EVENTS) - 1 : 0, 0));
		smp_progress(self);
	}
	smp_set(&stop, 1);
}

static void kicked_while_switching(void)
{
	NEED_CPUS(2);
	if (!set_up())
		return;
	stop = 0;
	smp_run(smp_count, switch_or_kick);
	EXPECT_OK(ctrl(TRACE_CTRL_SWITCH, 0, 0));
	for (unsigned i = 0; i < smp_count; i++)
		check_ring(i);
}

static const struct test tests[] = {
	TEST(switched_under_load),
	TEST(all_switch),
	TEST(kicked_while_switching),
	TEST(samples_of_user_code),
};

bool main(void)
{
	return smp_test_run("smp_trace", tests, RT_ARRAY(tests));
}
