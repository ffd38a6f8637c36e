/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One CPU writes lines while the others make the kernel say something all the time. Whether a line was broken is seen
 * outside (tests/integration/CMakeLists.txt): each has a shape that the others cannot have.
 */
#include "smp.h"

#include "rt/console.h"
#include "rt/size.h"
#include "rt/start.h"
#include "rt/thread.h"

enum { DEATHS = 24 }; /* on each of the other CPUs; the kernel keeps quiet after the first 64 */

static sel_t victims[SMP_MAX][DEATHS];
static volatile unsigned long dead, others;

static void raise_ud(void)
{
	__asm__ volatile("ud2");
}

static void make_victims(unsigned worker)
{
	for (unsigned i = 0; i < DEATHS; i++) {
		struct rt_ec ec = {.cpu = smp_cpu(worker), .events = SMP_NOTHING, .no_utcb = true, .sel = smp_sel()};

		victims[worker][i] = smp_sel();
		ASSERT_OK(rt_ec_local(&ec));
		ASSERT_OK(hc_create_pt(victims[worker][i], RT_SEL_PD, ec.sel, 0, (unsigned long)raise_ud));
	}
}

/* A line goes out between two deaths at least: the emulator may run one CPU for long. */
static void kill_or_write(unsigned self)
{
	static volatile unsigned long lines;
	uint64_t seed = smp_seed(self + 1);

	if (!self) {
		while (smp_load(&dead) < others * DEATHS) {
			rt_printf("LINE %lu abcdefghijklmnopqrstuvwxyz0123456789 end\n", lines);
			smp_inc(&lines);
			smp_progress(self);
		}
		return;
	}
	for (unsigned i = 0; i < DEATHS; i++) {
		unsigned long then = smp_load(&lines);

		ASSERT(SMP_WAIT(smp_load(&lines) != then));
		smp_delay(&seed, 20000);
		EXPECT_ST(hc_call(victims[self][i]), ABORT);
		smp_inc(&dead);
		smp_progress(self);
	}
}

static void lines_and_messages(void)
{
	NEED_CPUS(2);
	dead = 0;
	others = rt_min(smp_count, 3) - 1;
	for (unsigned worker = 1; worker <= others; worker++)
		make_victims(worker);
	smp_run((unsigned)others + 1, kill_or_write);
	EXPECT_EQ(dead, others * DEATHS);
}

static const struct test tests[] = {
	TEST(lines_and_messages),
};

bool main(void)
{
	return smp_test_run("smp_console", tests, RT_ARRAY(tests));
}
