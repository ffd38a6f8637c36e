/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory runs out, and what was bound to another CPU is deleted: it has to be there for the next creation, although
 * that CPU, which may be asleep or in user mode, has to end and free it. Each round creates as many as there can be,
 * deletes all, and has to get about as many again, without waiting for anything.
 */
#include "smp.h"

#include "rt/console.h"
#include "rt/cpu.h"
#include "rt/exit.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/start.h"
#include "rt/thread.h"

enum { FIRST = 0x400000, ORDER = 19, LOW = 8, ROUNDS = 8 };

static unsigned target; /* worker on whose CPU things are made */
static sel_t helper, events;

static enum status new_ec(sel_t sel)
{
	return hc_create_ec(sel, RT_SEL_PD, smp_cpu(target), 0, 0, SMP_NOTHING, sel & 1 ? CREATE_EC_GLOBAL : 0);
}

static enum status new_sc(sel_t sel)
{
	return hc_create_sc(sel, RT_SEL_PD, helper, LOW, RT_QUANTUM);
}

/* A thread that starts, and then waits in its first hypercall or is about to: two selectors, EC and SC. */
static enum status new_thread(sel_t sel)
{
	enum status st = hc_create_ec(sel, RT_SEL_PD, smp_cpu(target), 0, 0, events, CREATE_EC_GLOBAL);

	return st == SUCCESS ? hc_create_sc(sel + (1ul << (ORDER - 1)), RT_SEL_PD, sel, LOW, RT_QUANTUM) : st;
}

static unsigned long fill(enum status (*create)(sel_t))
{
	unsigned long n = 0;
	enum status st = SUCCESS;

	while (n < 1ul << (ORDER - 1) && (st = create(FIRST + n)) == SUCCESS)
		n++;
	EXPECT_ST(st, OOM);
	return n;
}

static void rounds(enum status (*create)(sel_t))
{
	unsigned long first = 0;

	for (unsigned r = 0, n = (unsigned)smp_rounds(ROUNDS) + 1; r < n && !test_failed(); r++) {
		unsigned long count = fill(create);

		if (r == 1) /* now all tables are there */
			first = count;
		ASSERT(count >= first - first / 50);
		ASSERT_OK(hc_revoke(rt_obj(FIRST, ORDER, PERM_ALL), REVOKE_SELF, 0));
		for (unsigned i = 0; i < 3; i++) {
			ASSERT_OK(create(FIRST));
			ASSERT_OK(hc_revoke(rt_obj(FIRST, ORDER, PERM_ALL), REVOKE_SELF, 0));
		}
	}
	rt_printf("exhausted by %lu\n", first);
}

/* ---- What the other CPUs do meanwhile ---- */

static enum status (*create_what)(sel_t);
static volatile unsigned long leave;

static void spin_or_create(unsigned self)
{
	if (self) {
		while (!smp_load(&leave) && !test_failed())
			rt_pause();
		return;
	}
	rounds(create_what);
	smp_set(&leave, 1);
}

static void exhaust(enum status (*create)(sel_t), bool busy)
{
	NEED_CPUS(2);
	target = 1;
	create_what = create;
	leave = 0;
	if (busy)
		smp_run(smp_count, spin_or_create);
	else
		smp_run(1, spin_or_create);
}

static void ecs_of_a_sleeper(void)
{
	exhaust(new_ec, false);
}
static void ecs_of_a_busy_cpu(void)
{
	exhaust(new_ec, true);
}

static void park(RT_UNUSED void *unused)
{
	rt_block();
}

static void scs(bool busy)
{
	struct rt_ec ec = {0};

	NEED_CPUS(2);
	smp_thread(&ec, 1, LOW, park, NULL);
	helper = ec.sel;
	exhaust(new_sc, busy);
}
static void scs_of_a_sleeper(void)
{
	scs(false);
}
static void scs_of_a_busy_cpu(void)
{
	scs(true);
}

/* Without stack or UTCB: the first thing a thread does is to park itself. */
__asm__(".pushsection .text\n"
	"reply_at_once:\n"
	"	mov $1, %edi\n"
	"	syscall\n"
	"	ud2\n"
	".popsection\n");

static void start_up(struct utcb *u, RT_UNUSED void *unused)
{
	extern const uint8_t reply_at_once[];

	u->state.rip = (uint64_t)reply_at_once;
	u->state.mtd = MTD_RIP_LEN;
}

static void threads(bool busy)
{
	struct rt_ec ec = {0};

	NEED_CPUS(2);
	ec.cpu = smp_cpu(1);
	ec.sel = smp_sel();
	ec.events = SMP_NOTHING;
	ASSERT_OK(rt_ec_local(&ec));
	events = smp_sel() + HEDRON_SEL_EXC; /* away from all others */
	ASSERT_OK(rt_pt_at(events + HEDRON_EXC_STARTUP, &ec, 0, start_up, NULL));
	exhaust(new_thread, busy);
}
static void threads_of_a_sleeper(void)
{
	threads(false);
}
static void threads_of_a_busy_cpu(void)
{
	threads(true);
}

/* ---- All CPUs at once ---- */

/* Each deletes what it made for its neighbour, and may be told OOM only while others have it all. */
static void each_for_the_next(unsigned self)
{
	sel_t first = FIRST + ((sel_t)self << (ORDER - 3));

	for (unsigned long r = 0, n = smp_rounds(20); r < n; r++) {
		unsigned long made = 0;

		while (hc_create_ec(first + made, RT_SEL_PD, smp_cpu((self + 1) % smp_count), 0, 0, SMP_NOTHING, 0) ==
		       SUCCESS)
			made++;
		ASSERT_OK(hc_revoke(rt_obj(first, ORDER - 3, PERM_ALL), REVOKE_SELF, 0));
		smp_progress(self);
		if (!smp_barrier())
			return;
	}
}

static void everybody(void)
{
	NEED_CPUS(2);
	smp_run(smp_count, each_for_the_next);
	target = 0;
	rounds(new_ec);
}

static const struct test tests[] = {
	TEST(ecs_of_a_sleeper),     TEST(ecs_of_a_busy_cpu),     TEST(scs_of_a_sleeper), TEST(scs_of_a_busy_cpu),
	TEST(threads_of_a_sleeper), TEST(threads_of_a_busy_cpu), TEST(everybody),
};

bool main(void)
{
	return smp_test_run("smp_exhaust", tests, RT_ARRAY(tests));
}
