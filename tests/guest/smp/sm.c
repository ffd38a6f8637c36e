/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Semaphores across CPUs. Nothing is lost (each up lets one down through, whoever sleeps is woken, also if the CPU is
 * just about to go to sleep), waiters are served first come first served, and a semaphore that goes wakes them all.
 */
#include "smp.h"

#include "rt/object.h"
#include "rt/size.h"
#include "rt/start.h"

enum { ABOVE = SMP_PRIO + 10 };

static sel_t sm[SMP_MAX], lock;
static uint64_t seeds[SMP_MAX];
static volatile unsigned long counter, order[4 * SMP_MAX], order_n;

static void seed_all(void)
{
	for (unsigned i = 0; i < SMP_MAX; i++)
		seeds[i] = smp_seed(0x1000 + i);
}

/* ---- Ping-pong ---- */

static struct {
	unsigned a, b, delay;
	unsigned long rounds;
	volatile unsigned long word;
} game;

static void ping_pong(unsigned self)
{
	unsigned long mine = self == game.b;

	if (self != game.a && self != game.b)
		return;
	for (unsigned long r = 0; r < game.rounds; r++) {
		if (mine)
			ASSERT_OK(hc_sm_down(sm[game.b]));
		ASSERT_EQ(game.word, 2 * r + mine);
		game.word++;
		smp_delay(&seeds[self], game.delay);
		ASSERT_OK(hc_sm_up(sm[mine ? game.a : game.b]));
		if (!mine)
			ASSERT_OK(hc_sm_down(sm[game.a]));
		smp_progress(self);
	}
}

static void play(unsigned a, unsigned b, unsigned delay, unsigned long rounds, bool asleep)
{
	game.a = a;
	game.b = b;
	game.delay = delay;
	game.rounds = smp_rounds(rounds);
	game.word = 0;
	(asleep ? smp_run_asleep : smp_run)(smp_count, ping_pong);
	EXPECT_EQ(game.word, 2 * game.rounds);
}

static void make_sms(void)
{
	for (unsigned i = 0; i < smp_count; i++)
		sm[i] = smp_sm(0);
	seed_all();
}

static void ping_pong_pairs(void)
{
	NEED_CPUS(2);
	make_sms();
	for (unsigned a = 0; a < smp_count; a++)
		for (unsigned b = 0; b < smp_count; b++)
			if (a != b)
				play(a, b, 0, 100, false);
}

/* Both CPUs go to sleep in each round, at varying distances from the work item that wakes them. */
static void ping_pong_asleep(void)
{
	NEED_CPUS(2);
	make_sms();
	play(0, 1, 0, 500, true);
	play(0, 1, 30, 500, true);
	play(smp_count - 1, 0, 200, 300, true);
	play(1, smp_count > 2 ? 2 : 0, 1000, 200, true);
}

/* Tokens wander through all CPUs, so that several work items are under way at any time. */
static struct {
	unsigned tokens;
	unsigned long rounds;
} ring;

static void pass_on(unsigned self)
{
	unsigned next = (self + 1) % smp_count;

	if (self == 0)
		for (unsigned i = 0; i < ring.tokens; i++)
			ASSERT_OK(hc_sm_up(sm[0]));
	for (unsigned long r = 0; r < ring.rounds * ring.tokens; r++) {
		ASSERT_OK(hc_sm_down(sm[self]));
		smp_delay(&seeds[self], 20);
		ASSERT_OK(hc_sm_up(sm[next]));
		smp_progress(self);
	}
}

static void token_ring(void)
{
	NEED_CPUS(2);
	for (ring.tokens = 1; ring.tokens <= smp_count + 1; ring.tokens += smp_count / 2) {
		make_sms();
		ring.rounds = smp_rounds(100);
		smp_run_asleep(smp_count, pass_on);
	}
}

/* ---- Counting ---- */

static volatile unsigned long through;

static void take_one(void *sel)
{
	if (hc_sm_down((sel_t)sel) == SUCCESS)
		smp_set(&through, 1);
}

/* A down blocks, and one up lets it through: the count is zero. */
static bool is_empty(sel_t sel)
{
	struct rt_ec ec = {0};
	bool blocked;

	smp_set(&through, 0);
	smp_thread(&ec, 0, ABOVE, take_one, (void *)sel);
	blocked = !smp_load(&through);
	EXPECT_OK(hc_sm_up(sel));
	return blocked && smp_load(&through);
}

static unsigned long each;

static void ups(unsigned self)
{
	for (unsigned long i = 0; i < each; i++) {
		ASSERT_OK(hc_sm_up(lock));
		smp_progress(self);
	}
}

static void downs(unsigned self)
{
	for (unsigned long i = 0; i < each; i++) {
		ASSERT_OK(hc_sm_down(lock));
		smp_progress(self);
	}
}

static void both(unsigned self)
{
	if (self % 2)
		ups(self);
	else
		downs(self);
}

/* Ups and downs without waiters, then against each other: the sum is right. */
static void count_is_exact(void)
{
	unsigned n = smp_count & -2u;

	lock = smp_sm(0);
	each = smp_rounds(2000);
	smp_run(smp_count, ups);
	smp_run(smp_count, downs);
	ASSERT(is_empty(lock));
	for (unsigned i = 0; i < 5 && n; i++) {
		smp_run(n, both);
		ASSERT(is_empty(lock));
	}
	smp_run(smp_count, ups);
	ASSERT_OK(hc_sm_zero(lock));
	ASSERT(is_empty(lock));
}

static volatile unsigned long consumed;

static void consumer(RT_UNUSED void *unused)
{
	for (unsigned long i = 0; i < each; i++) {
		if (hc_sm_down(lock) != SUCCESS)
			test_fail(__FILE__, __LINE__, "down failed");
		smp_inc(&consumed);
	}
}

/* As many waiters as wakers, on all CPUs; the waiters preempt the wakers. */
static void consumers_everywhere(void)
{
	struct rt_ec ec[SMP_MAX] = {0};

	lock = smp_sm(0);
	each = smp_rounds(1000);
	consumed = 0;
	for (unsigned i = 0; i < smp_count; i++)
		smp_thread(&ec[i], i, ABOVE, consumer, NULL);
	smp_run(smp_count, ups);
	ASSERT(SMP_WAIT(smp_load(&consumed) == smp_count * each));
	ASSERT(is_empty(lock));
}

static void critical(unsigned self)
{
	for (unsigned long i = 0; i < each; i++) {
		unsigned long seen;

		ASSERT_OK(hc_sm_down(lock));
		seen = counter;
		smp_delay(&seeds[self], 5);
		counter = seen + 1;
		ASSERT_OK(hc_sm_up(lock));
		smp_progress(self);
	}
}

static void mutual_exclusion(void)
{
	lock = smp_sm(1);
	each = smp_rounds(300);
	counter = 0;
	seed_all();
	smp_run(smp_count, critical);
	ASSERT_EQ(counter, smp_count * each);
	ASSERT_OK(hc_sm_down(lock));
	ASSERT(is_empty(lock));
}

/* ---- A down that meets an up ---- */

static volatile unsigned long important_turns;

static void important(RT_UNUSED void *unused)
{
	while (hc_sm_down(lock) == SUCCESS) {
		smp_inc(&important_turns);
		if (hc_sm_down(sm[0]) != SUCCESS)
			return;
	}
}

/*
 * On CPU 0 somebody important waits at the beginning of each round, and worker 0 comes to wait, too, while the last
 * CPU lets one through. The important one must get its turn, and the CPU, also if the less important one was about
 * to queue at that moment.
 */
static void queue_behind_important(unsigned self)
{
	unsigned last = smp_count - 1;

	for (unsigned long r = 0; r < each; r++) {
		if (!smp_barrier())
			return;
		smp_delay(&seeds[self], 20);
		if (self == last)
			ASSERT_OK(hc_sm_up(lock));
		else if (self == 0)
			ASSERT_OK(r % 2 ? hc_sm_zero(lock) : hc_sm_down(lock));
		ASSERT(self == 0 || SMP_WAIT(smp_load(&important_turns) == r + 1));
		if (self == last)
			ASSERT_OK(hc_sm_up(lock)); /* for worker 0 */
		if (!smp_barrier())
			return;
		if (self == 0)
			ASSERT_OK(hc_sm_up(sm[0])); /* it waits for the lock again before this returns */
		smp_progress(self);
	}
}

static void a_down_meets_an_up(void)
{
	struct rt_ec ec = {0};

	NEED_CPUS(2);
	make_sms();
	lock = smp_sm(0);
	each = smp_rounds(2000);
	important_turns = 0;
	seed_all();
	smp_thread(&ec, 0, ABOVE, important, NULL);
	smp_run(smp_count, queue_behind_important);
	ASSERT_EQ(important_turns, each);
	ASSERT_OK(rt_revoke(lock));
}

/* ---- Order ---- */

static void note(RT_UNUSED void *unused)
{
	smp_set(&through, 1);
}

/* Threads of that CPU that are more important than ABOVE - 1 have come to rest. */
static void settle(unsigned worker)
{
	struct rt_ec ec = {0};

	smp_set(&through, 0);
	smp_thread(&ec, worker, ABOVE - 1, note, NULL);
	SMP_WAIT(smp_load(&through));
}

static void wait_in_line(void *place)
{
	enum status st = hc_sm_down(lock);

	order[smp_inc(&order_n)] = (unsigned long)place | (unsigned long)st << 8;
}

static unsigned line_up(struct rt_ec *ec, unsigned n)
{
	order_n = 0;
	for (unsigned i = 0; i < n; i++) {
		smp_thread(&ec[i], i * 5 % smp_count, ABOVE, wait_in_line, (void *)(unsigned long)i);
		settle(i * 5 % smp_count);
	}
	return n;
}

static unsigned upper;

static void up_by_one(unsigned self)
{
	if (self == upper)
		ASSERT_OK(hc_sm_up(lock));
}

static void first_come_first_served(void)
{
	struct rt_ec ec[2 * SMP_MAX] = {0};
	unsigned n;

	lock = smp_sm(0);
	n = line_up(ec, 2 * smp_count);
	for (unsigned i = 0; i < n; i++) {
		upper = i * 3 % smp_count;
		smp_run(smp_count, up_by_one);
		ASSERT(SMP_WAIT(smp_load(&order_n) > i));
		ASSERT_EQ(order[i], i);
	}
	ASSERT_EQ(order_n, n);
	ASSERT(is_empty(lock));
}

/* A waiter that is killed leaves the line: the next up is for the one behind it. */
static void killed_in_line(void)
{
	struct rt_ec ec[2 * SMP_MAX] = {0};
	unsigned n, left = 0;

	lock = smp_sm(0);
	n = line_up(ec, 2 * smp_count);
	for (unsigned i = 0; i < n; i += 2) {
		ASSERT_OK(rt_revoke(ec[i].sc));
		ASSERT_OK(rt_revoke(ec[i].sel));
	}
	for (unsigned i = 0; i < smp_count; i++)
		settle(i);
	for (unsigned i = 1; i < n; i += 2) {
		ASSERT_OK(hc_sm_up(lock));
		ASSERT(SMP_WAIT(smp_load(&order_n) > left));
		ASSERT_EQ(order[left++], i);
	}
	ASSERT(is_empty(lock));
}

/* ---- The end of a semaphore ---- */

static void ended_with_waiters(void)
{
	struct rt_ec ec[2 * SMP_MAX] = {0};
	unsigned n;

	lock = smp_sm(0);
	n = line_up(ec, 2 * smp_count);
	ASSERT_OK(rt_revoke(lock));
	ASSERT(SMP_WAIT(smp_load(&order_n) == n));
	for (unsigned i = 0; i < n; i++)
		ASSERT_EQ(order[i] >> 8, BAD_CAP);
	ASSERT_ST(hc_sm_down(lock), BAD_CAP);
	ASSERT_ST(hc_sm_up(lock), BAD_CAP);
}

/* The last worker makes and destroys, the others wait for what is there or not there any more. */
static void down_or_gone(unsigned self)
{
	bool owner = self == smp_count - 1;

	for (unsigned long r = 0; r < each; r++) {
		if (owner)
			ASSERT_OK(hc_create_sm(lock, RT_SEL_PD, 0));
		if (!smp_barrier())
			return;
		smp_delay(&seeds[self], 100);
		if (owner)
			ASSERT_OK(rt_revoke(lock));
		else
			ASSERT_ST(hc_sm_down(lock), BAD_CAP);
		smp_progress(self);
		if (!smp_barrier())
			return;
	}
}

static void ended_while_going_to_wait(void)
{
	NEED_CPUS(2);
	lock = smp_sel();
	each = smp_rounds(300);
	seed_all();
	smp_run(smp_count, down_or_gone);
}

/* Ups that meet the end of their semaphore, whose waiters they wake or do not. */
static void up_or_gone(unsigned self)
{
	for (unsigned long r = 0; r < each; r++) {
		enum status st;

		if (!self)
			ASSERT_OK(hc_create_sm(lock, RT_SEL_PD, 0));
		if (!smp_barrier())
			return;
		smp_delay(&seeds[self], 50);
		st = !self ? rt_revoke(lock) : self % 2 ? hc_sm_up(lock) : hc_sm_down(lock);
		ASSERT(st == SUCCESS || (self && st == BAD_CAP));
		smp_progress(self);
		if (!smp_barrier())
			return;
	}
}

static void ended_while_waking(void)
{
	NEED_CPUS(3);
	lock = smp_sel();
	each = smp_rounds(300);
	seed_all();
	smp_run(smp_count, up_or_gone);
}

static const struct test tests[] = {
	TEST(ping_pong_pairs),    TEST(ping_pong_asleep),          TEST(token_ring),
	TEST(count_is_exact),     TEST(consumers_everywhere),      TEST(mutual_exclusion),
	TEST(a_down_meets_an_up), TEST(first_come_first_served),   TEST(killed_in_line),
	TEST(ended_with_waiters), TEST(ended_while_going_to_wait), TEST(ended_while_waking),
};

bool main(void)
{
	return smp_test_run("smp_sm", tests, RT_ARRAY(tests));
}
