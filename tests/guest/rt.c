/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The runtime itself: what the other roottasks rely on (docs/roottask.md). */
#include "rt/bench/bench_skew.h"
#include "rt/cpu.h"
#include "rt/event.h"
#include "rt/fmt.h"
#include "rt/hip.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/pool.h"
#include "rt/probe.h"
#include "rt/sel.h"
#include "rt/start.h"
#include "rt/string.h"
#include "rt/test.h"
#include "rt/thread.h"

#define UD 6

static sel_t done;
static unsigned long trace; /* a digit for each thing that happened, in order */

static void note(unsigned long digit)
{
	trace = trace * 10 + digit;
}

static bool same(const char *want, const char *fmt, ...) RT_PRINTF(2, 3);

static bool same(const char *want, const char *fmt, ...)
{
	char text[64];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = rt_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!strcmp(text, want) && n == (int)strlen(want))
		return true;
	test_fail(__FILE__, __LINE__, "\"%s\" became \"%s\" instead of \"%s\"", fmt, text, want);
	return false;
}

static void text_numbers(void)
{
	same("0 7 -7", "%d %u %i", 0, 7u, -7);
	same("-9223372036854775808", "%ld", (long)(1ul << 63));
	same("18446744073709551615", "%lu", ~0ul);
	same("ff 0xff 0x1234", "%x %#x %p", 255u, 255u, (void *)0x1234);
	same("00042|   42|42   |-0042", "%05d|%5d|%-5d|%05d", 42, 42, 42, -42);
	same("000000000000cafe", "%016lx", 0xcafeul);
}

static void text_strings(void)
{
	char small[4] = "xxx";

	same("a|  b|c  |de|%", "%s|%3s|%-3s|%.2s|%%", "a", "b", "c", "def");
	same("z ab", "%c %.*s", 'z', 2, "abc");
	ASSERT_EQ(rt_snprintf(small, sizeof(small), "%s", "12345"), 5);
	ASSERT(!strcmp(small, "123"));
	ASSERT_EQ(rt_snprintf(NULL, 0, "%d", 100), 3);
}

static void bytes(void)
{
	char a[] = "0123456789";

	memmove(a + 2, a, 5);
	ASSERT(!strcmp(a, "0101234789"));
	memmove(a, a + 2, 5);
	ASSERT(!strcmp(a, "0123434789"));
	ASSERT(memcmp("ab\xff", "ab\x01", 3) > 0 && memcmp("ab", "ac", 1) == 0);
	ASSERT(strcmp("a", "ab") < 0 && strncmp("ab", "ac", 1) == 0);
}

static void hip(void)
{
	ASSERT(rt_hip_valid());
	ASSERT(rt_cpu_enabled(rt_cpu) && !rt_cpu_enabled(HEDRON_CPU_MAX));
	ASSERT(rt_cpu_count() >= 1 && (rt_cpu_other() == HEDRON_CPU_MAX) == (rt_cpu_count() == 1));
}

/* The same RAM seen through another mapping; pages are zeroed, aligned and distinct. */
static void memory(void)
{
	uint64_t *one = rt_pages(1), *many = rt_pages_aligned(8, 8), *again = (uint64_t *)rt_va(1, 1);

	ASSERT(many && (uint64_t)many % (8 * RT_PAGE) == 0 && many >= one + RT_PAGE / 8);
	for (size_t i = 0; i < RT_PAGE; i++)
		ASSERT_EQ(many[i], 0);
	ASSERT_OK(rt_mem_delegate(RT_SEL_PD, rt_phys(many), RT_SEL_PD, (uint64_t)again, 1, PERM_MEM_R,
				  ITEM_HYPERVISOR));
	many[5] = 0x1234;
	ASSERT_EQ(again[5], 0x1234);
	ASSERT(!rt_can_write(again));
	ASSERT_OK(rt_mem_revoke((uint64_t)again, 1));
	ASSERT(!rt_can_read(again) && rt_can_write(many));
	ASSERT(!rt_pages_aligned(1ul << 40, 1));
}

static void probes(void)
{
	static const int constant = 1;
	static int variable;

	ASSERT(rt_can_write(&variable) && rt_can_read(&constant));
	ASSERT(!rt_can_write((void *)&constant) && !rt_can_write((void *)(uintptr_t)main));
	ASSERT(rt_can_write((void *)HEDRON_ROOT_UTCB));
	ASSERT(rt_can_read((void *)HEDRON_ROOT_HIP) && !rt_can_write((void *)HEDRON_ROOT_HIP));
	ASSERT(!rt_can_read((void *)RT_VA) && !rt_can_read((void *)(1ul << 63)));
}

static void selectors(void)
{
	sel_t a = rt_sel(), b = rt_sels(4), c = rt_sel();

	ASSERT(a < b && b % 16 == 0 && c >= b + 16 && c < RT_SEL_PROGRAM);
}

static void add(struct utcb *u, void *arg)
{
	u->words[0] += u->words[1] + (uint64_t)arg;
	rt_msg(u, 1, 0);
}

/* Two portals of one EC have handlers and arguments of their own; the stack is as before after each reply. */
static void portals(void)
{
	struct rt_ec ec = {.cpu = rt_cpu};
	struct utcb *u = rt_utcb();
	sel_t pt[2];

	ASSERT_OK(rt_ec_local(&ec));
	ASSERT_OK(rt_pt(&pt[0], &ec, 0, add, (void *)100));
	ASSERT_OK(rt_pt(&pt[1], &ec, 0, add, (void *)1000));
	for (unsigned i = 0; i < 5000; i++) {
		u->words[0] = i;
		u->words[1] = 7;
		rt_msg(u, 2, 0);
		ASSERT_OK(hc_call(pt[i % 2]));
		ASSERT_EQ(u->words[0], i + 7 + (i % 2 ? 1000 : 100));
		ASSERT_EQ(rt_msg_words(u), 1);
	}
}

static void thread_fn(void *digit)
{
	note((unsigned long)digit);
	hc_sm_up(done);
}

/* A more important thread runs before its creation returns, an equal one when main() blocks. */
static void threads(void)
{
	struct rt_ec high = {.cpu = rt_cpu}, equal = {.cpu = rt_cpu};

	trace = 0;
	ASSERT_OK(rt_sm(&done, 0));
	ASSERT_OK(rt_thread(&high, RT_PRIO + 1, thread_fn, (void *)1));
	note(2);
	ASSERT_OK(rt_thread(&equal, RT_PRIO, thread_fn, (void *)4));
	note(3);
	ASSERT_OK(hc_sm_down(done));
	ASSERT_OK(hc_sm_down(done));
	ASSERT_EQ(trace, 1234);
}

static void thread_elsewhere(void)
{
	struct rt_ec ec = {.cpu = rt_cpu_other()};

	if (ec.cpu == HEDRON_CPU_MAX)
		SKIP("one CPU only");
	trace = 0;
	ASSERT_OK(rt_sm(&done, 0));
	ASSERT_OK(rt_thread(&ec, 5, thread_fn, (void *)1));
	ASSERT_OK(hc_sm_down(done));
	ASSERT_EQ(trace, 1);
}

/* The image is shared, selectors are not. */
static void other_pd(void)
{
	struct rt_ec server = {.cpu = rt_cpu}, thread = {.cpu = rt_cpu};
	struct utcb *u = rt_utcb();
	sel_t pt;

	ASSERT_OK(rt_pd(&server.pd));
	ASSERT_OK(rt_ec_local(&server));
	ASSERT_OK(rt_pt(&pt, &server, 0, add, (void *)5));
	u->words[0] = 30;
	u->words[1] = 7;
	rt_msg(u, 2, 0);
	ASSERT_OK(hc_call(pt));
	ASSERT_EQ(u->words[0], 42);

	trace = 0;
	ASSERT_OK(rt_sm(&done, 0));
	ASSERT_OK(rt_delegate(done, server.pd, done, PERM_ALL));
	thread.pd = server.pd;
	ASSERT_OK(rt_thread(&thread, RT_PRIO + 1, thread_fn, (void *)6));
	ASSERT_OK(hc_sm_down(done));
	ASSERT_EQ(trace, 6);
}

static void skip_ud2(struct utcb *u, void *digit)
{
	note((unsigned long)digit);
	u->state.rip += 2;
	u->state.mtd = MTD_RIP_LEN;
}

static void events(void)
{
	struct rt_ec ec = {.cpu = rt_cpu};

	trace = 0;
	ASSERT_OK(rt_ec_local(&ec));
	ASSERT_OK(rt_event(rt_events(rt_cpu), UD, &ec, MTD_RIP_LEN, skip_ud2, (void *)8));
	__asm__ volatile("ud2; ud2" : : : "memory");
	ASSERT_OK(rt_event_default(rt_cpu, UD));
	ASSERT_EQ(trace, 88);
	ASSERT(!rt_can_read((void *)RT_VA));
}

#define MSR_TSC 0x10
#define SHIFT 5000000ul /* ticks */

static bool shifted;

static void shift_counter(void *by)
{
	uint64_t before = rt_rdtsc(), want = before + (uint64_t)by;

	shifted = hc_msr_write(MSR_TSC, want) == SUCCESS && rt_rdtsc() - before > SHIFT / 2;
	ASSERT_OK(hc_sm_up(done));
}

/* Not in every emulator a counter can be set. */
static void shift_on(unsigned cpu, uint64_t by)
{
	struct rt_ec ec = {.cpu = cpu};

	ASSERT_OK(rt_thread(&ec, RT_PRIO, shift_counter, (void *)by));
	ASSERT_OK(hc_sm_down(done));
}

static void counters(void)
{
	unsigned other = rt_cpu_other();
	struct bench_skew skew;

	if (other == HEDRON_CPU_MAX)
		SKIP("one CPU");
	ASSERT_OK(rt_sm(&done, 0));
	skew = bench_skew_measure(RT_PRIO);
	ASSERT_EQ(skew.cpus, rt_cpu_count() - 1);
	ASSERT(skew.least <= skew.most && !skew.drifting);
	ASSERT(skew.certain < SHIFT / 2);
	ASSERT(bench_skew_drift(RT_PRIO) < SHIFT / 2);
	shift_on(other, SHIFT);
	if (!shifted)
		SKIP("the counter cannot be set here");
	ASSERT(bench_skew_drift(RT_PRIO) > SHIFT / 2);
	skew = bench_skew_of(other, RT_PRIO);
	ASSERT(skew.certain > SHIFT / 2);
	shift_on(other, -SHIFT);
	ASSERT(bench_skew_drift(RT_PRIO) < SHIFT / 2);
}

static const struct test tests[] = {
	TEST(text_numbers), TEST(text_strings), TEST(bytes),    TEST(hip),     TEST(memory),
	TEST(probes),       TEST(selectors),    TEST(portals),  TEST(threads), TEST(thread_elsewhere),
	TEST(other_pd),     TEST(events),       TEST(counters),
};

bool main(void)
{
	return test_run("rt", tests, RT_ARRAY(tests));
}
