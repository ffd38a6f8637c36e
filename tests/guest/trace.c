/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tracing, an extension: who may, what is refused, and that a ring tells exactly what happened. Most tests switch
 * events on, do one thing, switch them off, and compare what was recorded with a list. The rings are set up once and
 * stay for good, so the order of the tests counts.
 */
#include "guest.h"

#include "rt/cpu.h"
#include "rt/hip.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/pool.h"
#include "rt/start.h"

#include <hedron/trace.h>

enum { ORDER = 8 };

static unsigned long pages;           /* of an area */
static const struct trace_head *head; /* the boot CPU's area */

static enum status ctrl(unsigned op, unsigned long a2, unsigned long a3)
{
	return hc_3(HC_ARG1(HC_TRACE_CTRL, op, 0), a2, a3);
}

static enum status setup(unsigned long order)
{
	struct hc_regs r = {HC_ARG1(HC_TRACE_CTRL, TRACE_CTRL_SETUP, 0), order, 0, 0, 0};
	enum status st = hc_raw(&r);

	if (st == SUCCESS)
		pages = r.rsi;
	return st;
}

static void announced(void)
{
	EXPECT(rt_hip->api_flg & HIP_EXT_TRACE);
}

static unsigned long ctrl_elsewhere(unsigned long op, unsigned long a2, unsigned long a3)
{
	return ctrl((unsigned)op, a2, a3);
}

/* Its PD is one without passthrough. */
static void only_the_trusted(void)
{
	struct agent a;

	agent_make(&a);
	for (unsigned op = 0; op < 16; op++)
		EXPECT_EQ(agent_do(&a, ctrl_elsewhere, op, ORDER, 0), BAD_CAP);
}

static void nothing_before_setup(void)
{
	unsigned long va = rt_va(64, 1);

	EXPECT_EQ(ctrl(TRACE_CTRL_MAP, rt_cpu, va), BAD_PAR);
	EXPECT_EQ(ctrl(TRACE_CTRL_SWITCH, 1, 0), BAD_PAR);
	EXPECT_EQ(ctrl(TRACE_CTRL_SWITCH, 0, 0), BAD_PAR);
	EXPECT_EQ(ctrl(TRACE_CTRL_COUNTERS, 0, 0), BAD_PAR);
	EXPECT_EQ(ctrl(TRACE_CTRL_SAMPLE, 0, 0), BAD_PAR);
	EXPECT_EQ(ctrl(TRACE_CTRL_PERIOD, 0, 0), BAD_PAR);
	for (unsigned op = TRACE_CTRL_PERIOD + 1; op < 16; op++)
		EXPECT_EQ(ctrl(op, 0, 0), BAD_PAR);
}

static void setting_up(void)
{
	EXPECT_EQ(setup(0), BAD_PAR);
	EXPECT_EQ(setup(TRACE_ORDER_MIN - 1), BAD_PAR);
	EXPECT_EQ(setup(TRACE_ORDER_MAX + 1), BAD_PAR);
	EXPECT_EQ(setup(1ul << 32 | ORDER), BAD_PAR);
	ASSERT_OK(setup(ORDER));
	ASSERT_OK(setup(ORDER));
	EXPECT_EQ(setup(ORDER + 1), BUSY);
}

static void mapping(void)
{
	unsigned long va = rt_va(pages, 1);

	head = (const struct trace_head *)va;
	EXPECT_EQ(ctrl(TRACE_CTRL_MAP, HEDRON_CPU_MAX, va), BAD_CPU);
	EXPECT_EQ(ctrl(TRACE_CTRL_MAP, 1ul << 32 | rt_cpu, va), BAD_CPU);
	EXPECT_EQ(ctrl(TRACE_CTRL_MAP, rt_cpu_count(), va), BAD_CPU);
	EXPECT_EQ(ctrl(TRACE_CTRL_MAP, rt_cpu, va + 1), BAD_PAR);
	EXPECT_EQ(ctrl(TRACE_CTRL_MAP, rt_cpu, 0), BAD_PAR);
	EXPECT_EQ(ctrl(TRACE_CTRL_MAP, rt_cpu, HEDRON_USER_END), BAD_PAR);
	EXPECT_EQ(ctrl(TRACE_CTRL_MAP, rt_cpu, HEDRON_USER_END - (pages - 1) * RT_PAGE), BAD_PAR);
	EXPECT_EQ(ctrl(TRACE_CTRL_MAP, rt_cpu, 0xffff800000000000), BAD_PAR);
	ASSERT_OK(ctrl(TRACE_CTRL_MAP, rt_cpu, va));
	EXPECT_EQ(head->magic, TRACE_MAGIC);
	EXPECT_EQ(head->version, TRACE_VERSION);
	EXPECT_EQ(head->cpu, rt_cpu);
	EXPECT_EQ(head->pages, pages);
	EXPECT_EQ(head->records, 1ul << ORDER);
	EXPECT_EQ(head->record_size, sizeof(struct trace_record));
	EXPECT_EQ(head->paths, TRACE_PATHS);
	EXPECT_EQ(head->path_size, sizeof(struct trace_path));
	EXPECT_EQ(head->tsc_khz, rt_hip->freq_tsc);
	EXPECT_EQ(head->ring_offset + head->records * head->record_size, pages * RT_PAGE);
	EXPECT_EQ(head->written | head->events | head->measured, 0);
	for (unsigned long i = 0; i < pages; i++) {
		EXPECT(can_read(va + i * RT_PAGE));
		EXPECT(!can_write(va + i * RT_PAGE));
		EXPECT(!can_exec(va + i * RT_PAGE));
	}
}

/* It goes away like any other memory, and may be passed on, without the right to write. */
static void mapping_is_memory(void)
{
	unsigned long va = rt_va(pages, 1);
	struct agent a;

	ASSERT_OK(ctrl(TRACE_CTRL_MAP, rt_cpu, va));
	agent_make(&a);
	ASSERT_OK(rt_mem_delegate(RT_SEL_PD, va, a.pd, va, 1, RT_MEM_RW, 0));
	EXPECT(agent_can_read(&a, va));
	EXPECT(!agent_can_write(&a, va));
	ASSERT_OK(rt_mem_revoke(va, pages));
	EXPECT(!can_read(va));
	EXPECT(!can_read(va + (pages - 1) * RT_PAGE));
	EXPECT_EQ(head->magic, TRACE_MAGIC);
}

/* ---- What is recorded ---- */

static uint64_t begun;
static struct trace_record got[1 << ORDER];
static unsigned got_count;

static const struct trace_record *ring(void)
{
	return (const struct trace_record *)((const uint8_t *)head + head->ring_offset);
}

static const struct trace_path *path(unsigned n)
{
	return (const struct trace_path *)((const uint8_t *)head + head->path_offset) + n;
}

static void on(uint64_t events, uint64_t paths)
{
	begun = head->written;
	ASSERT_OK(ctrl(TRACE_CTRL_SWITCH, events, paths));
	EXPECT_EQ(head->events, events);
	EXPECT_EQ(head->measured, paths);
}

/* Events off; what was recorded since then, as far as it is still there. */
static void off(void)
{
	ASSERT_OK(ctrl(TRACE_CTRL_SWITCH, 0, 0));
	uint64_t end = head->written, first = end > head->records + begun ? end - head->records : begun;

	got_count = 0;
	for (uint64_t n = first; n < end; n++) {
		got[got_count] = ring()[n % head->records];
		EXPECT_EQ(got[got_count].seq, (uint32_t)(n + 1));
		if (got_count)
			EXPECT(got[got_count].tsc >= got[got_count - 1].tsc);
		got_count++;
	}
}

#define BIT(name) (1ul << TRACE_##name)

/* The records are of these events, in this order; ends with TRACE_EVENTS. */
static void expect_events(const unsigned *events)
{
	unsigned n = 0;

	for (; events[n] != TRACE_EVENTS && n < got_count; n++)
		if (!EXPECT_EQ(got[n].event, events[n]))
			return;
	EXPECT_EQ(events[n], TRACE_EVENTS);
	EXPECT_EQ(n, got_count);
}

#define EXPECT_EVENTS(...) expect_events((const unsigned[]){__VA_ARGS__, TRACE_EVENTS})

static void unknown_bits(void)
{
	EXPECT_EQ(ctrl(TRACE_CTRL_SWITCH, 1ul << TRACE_EVENTS, 0), BAD_PAR);
	EXPECT_EQ(ctrl(TRACE_CTRL_SWITCH, 0, 1ul << TRACE_PATHS), BAD_PAR);
	EXPECT_EQ(ctrl(TRACE_CTRL_SWITCH, ~0ul, ~0ul), BAD_PAR);
	EXPECT_EQ(head->events | head->measured, 0);
}

static void nothing_when_off(void)
{
	on(0, 0);
	for (unsigned i = 0; i < 10; i++)
		EXPECT_OK(hc_yield());
	off();
	EXPECT_EQ(got_count, 0);
}

/* The one that ends it begins while it is on, and is not seen to end. */
static void hypercalls(void)
{
	on(BIT(HYPERCALL) | BIT(HYPERCALL_END), 0);
	EXPECT_EQ(hc_3(HC_ARG1(250, 3, 77), 1, 2), BAD_HYP);
	off();
	EXPECT_EVENTS(TRACE_HYPERCALL, TRACE_HYPERCALL_END, TRACE_HYPERCALL);
	EXPECT_EQ(got[0].extra, 250);
	EXPECT_EQ(got[0].a, HC_ARG1(250, 3, 77));
	EXPECT(can_exec(0) || got[0].b);
	EXPECT_EQ(got[1].extra, BAD_HYP);
	EXPECT_EQ(got[2].extra, HC_TRACE_CTRL);
}

/* Those that take a way of their own when they are not traced. */
static void short_hypercalls(void)
{
	sel_t sm = sm_make(0);

	on(BIT(HYPERCALL) | BIT(HYPERCALL_END), 0);
	EXPECT_OK(hc_sm_up(sm));
	EXPECT_OK(hc_sm_down(sm));
	off();
	EXPECT_EVENTS(TRACE_HYPERCALL, TRACE_HYPERCALL_END, TRACE_HYPERCALL, TRACE_HYPERCALL_END, TRACE_HYPERCALL);
	EXPECT_EQ(got[0].extra, HC_SM_CTRL);
	EXPECT_EQ(got[1].extra, SUCCESS);
	EXPECT_EQ(got[2].a, HC_ARG1(HC_SM_CTRL, SM_CTRL_DOWN, sm));
}

static void nothing(RT_UNUSED struct utcb *utcb, RT_UNUSED void *arg) {}

static void calls(void)
{
	struct server s;

	server_make(&s, nothing, NULL);
	rt_msg(rt_utcb(), 0, 0);
	on(BIT(CALL) | BIT(REPLY), 0);
	EXPECT_OK(hc_call(s.pt));
	EXPECT_OK(hc_call(s.pt));
	EXPECT_EQ(hc_call(GUEST_NOTHING), BAD_CAP);
	off();
	EXPECT_EVENTS(TRACE_CALL, TRACE_REPLY, TRACE_CALL, TRACE_REPLY);
	EXPECT_EQ(got[0].a, got[1].b);
	EXPECT_EQ(got[0].b, got[1].a);
	EXPECT(got[0].a != got[0].b);
	EXPECT_EQ(got[0].a, got[2].a);
}

static void sleeper(void *sm)
{
	EXPECT_OK(hc_sm_down((sel_t)sm));
}

/* Woken, it preempts who wakes it, and sleeps for good: back to that one. */
static void decisions(void)
{
	sel_t sm = sm_make(0);
	struct rt_ec ec;

	thread_make(&ec, 9, sleeper, (void *)sm);
	on(BIT(READY) | BIT(DISPATCH) | BIT(RESUME), 0);
	EXPECT_OK(hc_sm_up(sm));
	off();
	EXPECT_EVENTS(TRACE_READY, TRACE_DISPATCH, TRACE_RESUME, TRACE_DISPATCH, TRACE_RESUME);
	EXPECT_EQ(got[0].extra, 9);
	EXPECT_EQ(got[0].a, got[2].a);
	EXPECT_EQ(got[1].a, got[4].a);
	EXPECT_EQ(got[3].a, got[2].a);
	EXPECT_EQ(got[2].b, got[4].b);
}

static void exceptions(void)
{
	on(BIT(EXCEPTION), 0);
	EXPECT(!can_read(0x1000));
	off();
	EXPECT_EVENTS(TRACE_EXCEPTION);
	EXPECT_EQ(got[0].extra, 14);
	EXPECT_EQ(got[0].a, guest_fault.rip);
	EXPECT_EQ(got[0].b, 4);
}

/* The newest stay. */
static void ring_wraps(void)
{
	unsigned long us;

	on(BIT(HYPERCALL), 0);
	for (unsigned i = 0; i < 1u << ORDER; i++)
		EXPECT_OK(hc_sc_ctrl(RT_SEL_SC, &us));
	EXPECT_EQ(hc_1(251), BAD_HYP);
	off();
	EXPECT_EQ(got_count, 1u << ORDER);
	for (unsigned i = 0; i + 2 < got_count; i++)
		EXPECT_EQ(got[i].extra, HC_SC_CTRL);
	EXPECT_EQ(got[got_count - 2].extra, 251);
}

/* ---- Times ---- */

static unsigned long in_bins(const struct trace_path *p)
{
	unsigned long n = 0;

	for (unsigned i = 0; i < TRACE_BINS; i++)
		n += p->bins[i];
	return n;
}

static void times(void)
{
	enum { ROUNDS = 100 };
	const struct trace_path *looks = path(HC_SC_CTRL), *ups = path(HC_SM_CTRL),
				*unknown = path(TRACE_PATH_EXTENSION);
	uint64_t had = looks->count, ticks = looks->sum, had_ups = ups->count, had_unknown = unknown->count;
	sel_t sm = sm_make(0);
	unsigned long us;

	on(0, 1ul << HC_SC_CTRL | 1ul << TRACE_PATH_EXTENSION);
	for (unsigned i = 0; i < ROUNDS; i++) {
		EXPECT_OK(hc_sc_ctrl(RT_SEL_SC, &us));
		EXPECT_OK(hc_sm_up(sm));
		EXPECT_EQ(hc_1(0x55), BAD_HYP);
	}
	off();
	EXPECT_EQ(got_count, 0);
	EXPECT_EQ(looks->count, had + ROUNDS);
	EXPECT(looks->sum - ticks >= ROUNDS);
	EXPECT_EQ(in_bins(looks), looks->count);
	EXPECT_EQ(ups->count, had_ups);
	EXPECT_EQ(unknown->count, had_unknown + ROUNDS);
}

static void times_of_decisions(void)
{
	const struct trace_path *p = path(TRACE_PATH_DISPATCH);
	sel_t sm = sm_make(0);
	uint64_t had = p->count;
	struct rt_ec ec;

	thread_make(&ec, 9, sleeper, (void *)sm);
	on(0, 1ul << TRACE_PATH_DISPATCH);
	EXPECT_OK(hc_sm_up(sm));
	off();
	EXPECT_EQ(p->count, had + 2);
	EXPECT_EQ(in_bins(p), p->count);
}

static void times_of_exceptions(void)
{
	const struct trace_path *p = path(TRACE_PATH_EXCEPTION);
	uint64_t had = p->count;

	on(0, 1ul << TRACE_PATH_EXCEPTION);
	for (unsigned i = 0; i < 5; i++)
		EXPECT(!can_read(0x1000));
	off();
	EXPECT_EQ(p->count, had + 5);
}

/* ---- Counters: emulators have none ---- */

static void counters(void)
{
	bool intel = rt_cpuid(0, 0).eax >= 10 && rt_cpuid(10, 0).eax & 0xff;
	bool amd = rt_cpu_is_amd() && !(rt_cpuid(1, 0).ecx >> 31); /* all of them, unless a hypervisor has none */

	EXPECT_EQ(ctrl(TRACE_CTRL_COUNTERS, 0x0101010101, 0), BAD_PAR);
	EXPECT_EQ(ctrl(TRACE_CTRL_COUNTERS, TRACE_COUNTER_KINDS + 1, 0), BAD_PAR);
	EXPECT_EQ(ctrl(TRACE_CTRL_COUNTERS, 0x010001, 0), BAD_PAR);
	EXPECT_EQ(ctrl(TRACE_CTRL_PERIOD, TRACE_PERIOD_MIN - 1, 0), BAD_PAR);
	EXPECT_EQ(ctrl(TRACE_CTRL_PERIOD, TRACE_PERIOD_MAX + 1ul, 0), BAD_PAR);
	EXPECT_EQ(ctrl(TRACE_CTRL_PERIOD, TRACE_PERIOD_MIN, 0), BAD_PAR); /* samples are off */
	on(BIT(SAMPLE), 0);
	if (!intel && !amd) {
		EXPECT_EQ(ctrl(TRACE_CTRL_COUNTERS, TRACE_COUNTER_CYCLES + 1, 0), BAD_FTR);
		EXPECT_EQ(ctrl(TRACE_CTRL_PERIOD, TRACE_PERIOD_MIN, 0), BAD_FTR);
	}
	EXPECT_OK(ctrl(TRACE_CTRL_COUNTERS, 0, 0));
	EXPECT_OK(ctrl(TRACE_CTRL_PERIOD, 0, 0));
	off();
	EXPECT_EQ(head->counters, 0);
}

/* ---- Other CPUs ---- */

static void sample_refused(void)
{
	EXPECT_EQ(ctrl(TRACE_CTRL_SAMPLE, rt_cpu, 0), BAD_CPU);
	EXPECT_EQ(ctrl(TRACE_CTRL_SAMPLE, rt_cpu_count(), 0), BAD_CPU);
	EXPECT_EQ(ctrl(TRACE_CTRL_SAMPLE, HEDRON_CPU_MAX, 0), BAD_CPU);
	EXPECT_EQ(ctrl(TRACE_CTRL_SAMPLE, ~0ul, 0), BAD_CPU);
}

/* The other CPU idles: the sample is in the kernel, and so says the NMI that brought it. */
static void samples_of_idleness(void)
{
	enum { SAMPLES = 5 };
	const unsigned long turns_max = 1ul << 32; /* turns: whoever emulates the other CPU may be busy */
	unsigned other = rt_cpu_other();
	unsigned long va = rt_va(pages, 1);

	if (other == HEDRON_CPU_MAX) {
		test_skip("one CPU");
		return;
	}
	ASSERT_OK(ctrl(TRACE_CTRL_MAP, other, va));
	const struct trace_head *there = (const struct trace_head *)va;
	EXPECT_EQ(there->cpu, other);
	const struct trace_record *r = (const struct trace_record *)(va + there->ring_offset);
	uint64_t n = there->written;
	on(BIT(NMI) | BIT(SAMPLE), 1ul << TRACE_PATH_NMI);
	for (unsigned i = 0; i < SAMPLES; i++) {
		uint64_t before = __atomic_load_n(&there->written, __ATOMIC_ACQUIRE), last = 0;
		ASSERT_OK(ctrl(TRACE_CTRL_SAMPLE, other, 0));
		for (unsigned long wait = turns_max; wait && last != before + 2; wait--) {
			last = __atomic_load_n(&there->written, __ATOMIC_ACQUIRE);
			rt_pause();
		}
		EXPECT_EQ(last, before + 2);
	}
	off();
	EXPECT_EQ(there->written, n + 2 * SAMPLES);
	for (unsigned i = 0; i < SAMPLES; i++) {
		EXPECT_EQ(r[(n + 2 * i) % there->records].event, TRACE_NMI);
		EXPECT_EQ(r[(n + 2 * i + 1) % there->records].event, TRACE_SAMPLE);
		EXPECT_EQ(r[(n + 2 * i + 1) % there->records].extra, TRACE_MODE_KERNEL);
		EXPECT(r[(n + 2 * i + 1) % there->records].a >> 63);
	}
}

static const struct test tests[] = {
	TEST(announced),
	TEST(only_the_trusted),
	TEST(nothing_before_setup),
	TEST(setting_up),
	TEST(mapping),
	TEST(mapping_is_memory),
	TEST(unknown_bits),
	TEST(nothing_when_off),
	TEST(hypercalls),
	TEST(short_hypercalls),
	TEST(calls),
	TEST(decisions),
	TEST(exceptions),
	TEST(ring_wraps),
	TEST(times),
	TEST(times_of_decisions),
	TEST(times_of_exceptions),
	TEST(counters),
	TEST(sample_refused),
	TEST(samples_of_idleness),
};

bool main(void)
{
	return guest_run("trace", tests, RT_ARRAY(tests));
}
