/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine checks that hit user code. Each test says in a line `MCA name CPU` that a victim runs on that CPU, in user
 * mode and for ever; somebody outside (tests/integration/mca_test.py) then causes machine checks there, of which the
 * last one is to end the victim and nobody else.
 */
#include "guest.h"

#include "rt/console.h"
#include "rt/cpu.h"
#include "rt/hip.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/start.h"
#include "rt/thread.h"

static volatile unsigned long turns;

static void spin(const char *name, unsigned cpu)
{
	rt_printf("MCA %s %u\n", name, cpu);
	for (;;)
		turns++;
}

static void spin_as_server(RT_UNUSED struct utcb *u, RT_UNUSED void *arg)
{
	spin("called", rt_cpu);
}

static void count(struct utcb *u, RT_UNUSED void *arg)
{
	u->words[0]++;
	rt_msg(u, 1, 0);
}

static bool counts(sel_t pt)
{
	struct utcb *u = rt_utcb();

	u->words[0] = 41;
	rt_msg(u, 1, 0);
	return EXPECT_OK(hc_call(pt)) && EXPECT_EQ(u->words[0], 42);
}

/* The portal for vector 18 is there, and hears nothing: the guest library would fail the test. */
static void called(void)
{
	struct server victim, other;

	server_make(&victim, spin_as_server, NULL);
	server_make(&other, count, NULL);
	ASSERT(counts(other.pt));
	ASSERT_ST(hc_call(victim.pt), ABORT);
	ASSERT_ST(hc_call(victim.pt), TIMEOUT); /* it is dead */
	ASSERT(counts(other.pt));
}

static volatile unsigned long go;

static void spin_as_thread(void *cpu)
{
	for (turns = 1; !go;)
		rt_pause();
	spin("thread", *(unsigned *)cpu);
}

static void say(void *flag)
{
	__atomic_store_n((unsigned long *)flag, 1, __ATOMIC_RELEASE);
}

/* Who waits for the victim's CPU gets it. The kernel has nothing to do there when the machine check comes. */
static void thread(void)
{
	static unsigned long heir_ran;
	static unsigned cpu;
	struct rt_ec victim, heir;

	cpu = rt_cpu_other();
	if (cpu == HEDRON_CPU_MAX)
		SKIP("one CPU only");
	victim = (struct rt_ec){.cpu = cpu, .sel = sel_new(), .sc = sel_new()};
	heir = (struct rt_ec){.cpu = cpu, .sel = sel_new(), .sc = sel_new()};
	turns = go = 0;
	ASSERT_OK(rt_thread(&victim, RT_PRIO + 1, spin_as_thread, &cpu));
	while (!turns)
		rt_pause();
	ASSERT_OK(rt_thread(&heir, RT_PRIO, say, &heir_ran));
	go = 1;
	while (!__atomic_load_n(&heir_ran, __ATOMIC_ACQUIRE))
		rt_pause();
	unsigned long then = turns;
	for (int i = 0; i < 100000; i++)
		rt_pause();
	ASSERT_EQ(turns, then);
}

static uint8_t page[RT_PAGE] __attribute__((aligned(4096)));
#define PLACE 0x600000000000ul

/* The next shootdown is the one that is meant: a debugger stops here. */
__attribute__((noinline)) enum status unmap_now(void);
__attribute__((noinline)) enum status unmap_now(void)
{
	return rt_mem_revoke(PLACE, 1);
}

/*
 * The victim gets an NMI about nothing but a translation, and then no other one. Whatever a machine check in the
 * handler of that NMI leaves to be done has to be done before the victim goes on, since it does not come back into
 * the kernel. Does not end.
 */
static void flushed(void)
{
	static unsigned cpu;
	struct rt_ec victim = {.cpu = rt_cpu_other(), .sel = sel_new(), .sc = sel_new()};

	cpu = victim.cpu;
	if (cpu == HEDRON_CPU_MAX)
		SKIP("one CPU only");
	turns = go = 0;
	ASSERT_OK(rt_mem_delegate(RT_SEL_PD, (uint64_t)page, RT_SEL_PD, PLACE, 1, RT_MEM_RW, 0));
	ASSERT_OK(rt_thread(&victim, RT_PRIO + 1, spin_as_thread, &cpu));
	go = 1;
	for (unsigned long then = turns; turns < then + 10;)
		rt_pause();
	ASSERT_OK(unmap_now());
	for (;;)
		rt_pause();
}

static const struct test tests[] = {TEST(called), TEST(thread), TEST(flushed)};

bool main(void)
{
	return guest_run("mca", tests, RT_ARRAY(tests));
}
