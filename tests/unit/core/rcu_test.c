/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Grace periods: when they begin, whom they ask, when they end. */
#include "core/rcu.h"

#include "core/ec.h"
#include "core/percpu.h"
#include "core/remote.h"
#include "host.h"

#include "unit.h"

#define BATCH 64 /* of core/rcu.c */
#define PIECE 32
#define ITEMS 200

static struct work work[ITEMS];
static unsigned done[ITEMS], done_count, done_on;

static void note(struct work *w)
{
	done[w - work]++;
	done_count++;
	done_on = cpu_current()->id;
	memset(w, 0xff, sizeof(*w)); /* it is free: nobody may look at it again */
}

static struct cpu *cpu(unsigned n)
{
	return &host_cpus[n];
}

static void sleep_from(unsigned first)
{
	for (unsigned n = first; n < cpu_count; n++)
		cpu(n)->sleeping = SLEEPING_MWAIT;
}

static void start(unsigned cpus)
{
	static struct ec running = {.obj.refs = 1};

	host_reset(MiB);
	host_set_cpus(cpus);
	for (unsigned n = 0; n < cpus; n++)
		cpu(n)->ec = &running;
	memset(work, 0, sizeof(work));
	memset(done, 0, sizeof(done));
	done_count = 0;
	done_on = ~0u;
}

/* What is queued outlives a test otherwise. */
UNIT_FIXTURE(teardown)
{
	host_set_cpu(0);
	for (unsigned n = 0; n < cpu_count; n++) {
		host_set_cpu(n);
		rcu_quiesce(cpu(n));
	}
	host_set_cpu(0);
	sleep_from(1);
	rcu_expedite(cpu(0));
	return rcu_expedite(cpu(0)) ? -1 : 0;
}

static void queue(unsigned from, unsigned count)
{
	for (unsigned i = from; i < from + count; i++)
		rcu_call(&work[i], note);
}

/* CPU n comes out of the kernel. */
static void quiesce(unsigned n)
{
	host_set_cpu(n);
	rcu_quiesce(cpu(n));
}

/* CPU n, which has begun a grace period that is over, frees all there is. */
static void free_all(unsigned n)
{
	host_set_cpu(n);
	for (unsigned i = 0; cpu(n)->rcu_ripe; i++) {
		assert_in_range(i, 0, 2 * ITEMS / PIECE);
		rcu_quiesce(cpu(n));
	}
}

/* ---- one CPU ---- */

UNIT_TEST(alone_nobody_is_waited_for)
{
	start(1);
	queue(0, 1);
	assert_int_equal(done_count, 0); /* not before the way out */
	assert_true(cpu(0)->hazard & HAZARD_RCU);
	quiesce(0);
	assert_int_equal(done_count, 1);
	assert_false(cpu(0)->hazard & HAZARD_RCU);
	assert_false(rcu_expedite(cpu(0)));
}

UNIT_TEST(each_is_called_once)
{
	start(1);
	queue(0, ITEMS);
	for (unsigned i = 0; i < 8; i++)
		quiesce(0);
	assert_int_equal(done_count, ITEMS);
	for (unsigned i = 0; i < ITEMS; i++)
		assert_int_equal(done[i], 1);
}

static struct work second;
static bool second_done;

static void note_second(struct work *w)
{
	(void)w;
	second_done = true;
}

static void queue_another(struct work *w)
{
	note(w);
	rcu_call(&second, note_second);
}

UNIT_TEST(a_callback_may_queue_for_the_next_period)
{
	start(1);
	second_done = false;
	rcu_call(&work[0], queue_another);
	quiesce(0);
	assert_int_equal(done_count, 1);
	assert_false(second_done);
	assert_true(cpu(0)->hazard & HAZARD_RCU); /* it will not be forgotten */
	quiesce(0);
	assert_true(second_done);
}

/* ---- several ---- */

UNIT_TEST(small_batches_do_not_disturb_others)
{
	start(3);
	for (unsigned i = 0; i < BATCH - 1; i++) {
		queue(i, 1);
		quiesce(0);
	}
	assert_int_equal(done_count, 0);
	assert_int_equal(host_calls[1].kicks + host_calls[2].kicks, 0);
	assert_false(cpu(0)->hazard & HAZARD_RCU);

	queue(BATCH - 1, 1);
	quiesce(0);
	assert_int_equal(done_count, 0);
	assert_int_equal(host_calls[0].kicks, 0);
	assert_int_equal(host_calls[1].kicks, 1);
	assert_int_equal(host_calls[2].kicks, 1);
	assert_int_equal(cpu(1)->rcu_asked, 1);
	assert_int_equal(cpu(2)->rcu_asked, 1);

	quiesce(1);
	assert_int_equal(done_count, 0);
	assert_int_equal(cpu(1)->rcu_asked, 0);
	quiesce(2);
	assert_int_equal(done_count, 0); /* the last one who answers did not delete */
	assert_non_null(cpu(0)->mailbox.newest);
	quiesce(0);
	assert_int_equal(done_count, PIECE);
	free_all(0);
	assert_int_equal(done_count, BATCH);
	assert_int_equal(done_on, 0);
}

UNIT_TEST(an_answer_counts_once)
{
	start(3);
	queue(0, BATCH);
	quiesce(0);
	for (unsigned i = 0; i < 5; i++)
		quiesce(1);
	assert_int_equal(done_count, 0);
	for (unsigned i = 0; i < 5; i++)
		quiesce(0); /* the leader has answered already */
	assert_int_equal(done_count, 0);
	quiesce(2);
	free_all(0);
	assert_int_equal(done_count, BATCH);
}

UNIT_TEST(those_who_come_later_wait_for_the_next_period)
{
	start(2);
	queue(0, BATCH);
	quiesce(0);
	host_set_cpu(1);
	queue(BATCH, BATCH); /* while one runs */
	host_set_cpu(0);
	quiesce(0);
	assert_int_equal(host_calls[1].kicks, 1);
	quiesce(1); /* the answer ends the first period; this CPU leads the second */
	assert_int_equal(done_count, 0);
	free_all(0);
	assert_int_equal(done_count, BATCH);
	for (unsigned i = 0; i < 2 * BATCH; i++)
		assert_int_equal(done[i], i < BATCH);
	assert_int_equal(host_calls[0].kicks, 1);
	free_all(1);
	assert_int_equal(done_count, 2 * BATCH);
}

UNIT_TEST(sleepers_are_not_asked)
{
	start(4);
	cpu(1)->sleeping = SLEEPING_HALTED;
	cpu(3)->sleeping = SLEEPING_MWAIT;
	queue(0, BATCH);
	quiesce(0);
	assert_int_equal(host_calls[1].kicks, 0);
	assert_int_equal(host_calls[2].kicks, 1);
	assert_int_equal(host_calls[3].kicks, 0);
	assert_int_equal(cpu(1)->rcu_asked | cpu(3)->rcu_asked, 0);
	quiesce(2);
	free_all(0);
	assert_int_equal(done_count, BATCH);
}

UNIT_TEST(among_sleepers_nothing_is_put_off)
{
	start(4);
	sleep_from(1);
	queue(0, 1);
	quiesce(0);
	assert_int_equal(done_count, 1);
	cpu(2)->sleeping = SLEEPING_NOT;
	queue(1, 1);
	quiesce(0);
	assert_int_equal(done_count, 1);
}

UNIT_TEST(cpus_that_did_not_start_are_not_asked)
{
	start(128);
	memset(cpus_online, 0, sizeof(cpus_online));
	cpus_online[0] = 1 | 1ull << 63;
	cpus_online[1] = 1ull << 63;
	queue(0, BATCH);
	quiesce(0);
	for (unsigned n = 1; n < 128; n++)
		assert_int_equal(host_calls[n].kicks, n == 63 || n == 127);
	quiesce(127);
	quiesce(63);
	free_all(0);
	assert_int_equal(done_count, BATCH);
}

/* It had been asked before it was lost, and would be the last to answer. */
UNIT_TEST(a_lost_cpu_is_not_awaited)
{
	start(3);
	queue(0, BATCH);
	quiesce(0);
	quiesce(1);
	assert_int_equal(done_count, 0);
	cpus_online[0] &= ~bit(2);
	host_set_cpu(0);
	rcu_lose_cpu(cpu(2));
	free_all(0);
	assert_int_equal(done_count, BATCH);
	rcu_lose_cpu(cpu(2));
	queue(0, BATCH);
	quiesce(0);
	quiesce(1);
	free_all(0);
	assert_int_equal(done_count, 2 * BATCH);
}

UNIT_TEST(whoever_asks_may_answer_meanwhile)
{
	start(3);
	queue(0, BATCH);
	quiesce(0);
	host_set_cpu(1);
	rcu_call(&work[BATCH], note);
	assert_true(cpu(1)->hazard & HAZARD_RCU);
	quiesce(1);
	quiesce(2);
	free_all(0);
	assert_int_equal(done_count, BATCH);
	assert_int_equal(cpu(0)->rcu_asked, 0);
}

/* ---- when memory is short ---- */

UNIT_TEST(expediting_frees_at_once)
{
	start(3);
	sleep_from(1);
	assert_false(rcu_expedite(cpu(0)));
	queue(0, 3);
	assert_true(rcu_expedite(cpu(0)));
	assert_int_equal(done_count, 3);
	assert_false(rcu_expedite(cpu(0)));
}

UNIT_TEST(expediting_takes_work_items)
{
	start(2);
	sleep_from(1);
	queue(0, 1);
	remote_call(0, &work[1], note); /* as another CPU would, to free something here */
	assert_true(rcu_expedite(cpu(0)));
	assert_int_equal(done_count, 2);
}

/* Its own answer to somebody else's period is what is missing. */
UNIT_TEST(expediting_answers)
{
	start(2);
	host_set_cpu(1);
	queue(0, BATCH);
	quiesce(1);
	assert_int_equal(cpu(0)->rcu_asked, 1);
	host_set_cpu(0);
	assert_true(rcu_expedite(cpu(0)));
	assert_int_equal(done_count, BATCH);
	assert_int_equal(done_on, 0);
}

/* What another CPU may free, but has not yet, because it runs user code. */
UNIT_TEST(expediting_frees_what_others_leave)
{
	start(2);
	host_set_cpu(1);
	queue(0, ITEMS);
	quiesce(1);
	quiesce(0);
	assert_int_equal(done_count, 0);
	assert_true(rcu_expedite(cpu(0)));
	assert_int_equal(done_count, ITEMS);
	assert_int_equal(done_on, 0);
	host_set_cpu(1);
	rcu_quiesce(cpu(1));
	assert_int_equal(done_count, ITEMS);
	assert_false(rcu_expedite(cpu(1)));
}

/* It only answers. */
UNIT_TEST(who_deletes_nothing_leads_nothing)
{
	start(3);
	queue(0, BATCH - 1);
	quiesce(0);
	host_set_cpu(1);
	queue(BATCH, 1);
	quiesce(2);
	assert_int_equal(host_calls[0].kicks + host_calls[1].kicks, 0);
	quiesce(1);
	assert_int_equal(host_calls[0].kicks, 1);
	quiesce(0);
	quiesce(2);
	free_all(1);
	assert_int_equal(done_count, BATCH);
	assert_int_equal(done_on, 1);
}

/* The memory of a whole machine may depend on it. */
UNIT_TEST(a_large_one_is_a_batch)
{
	start(2);
	rcu_call_large(&work[0], note);
	quiesce(0);
	quiesce(1);
	free_all(0);
	assert_int_equal(done_count, 1);
}

static unsigned calls;

/* Takes three pieces. */
static void note_third(struct work *w)
{
	struct work *next = w->next;

	calls++;
	if (calls == 3)
		note(w);
	rcu_stop_before(calls == 3 ? next : w);
}

/* It comes again, before the others, and nothing is freed behind any piece of it. */
UNIT_TEST(a_long_one_is_freed_in_pieces)
{
	start(1);
	calls = 0;
	queue(0, 2);
	rcu_call_large(&work[2], note_third);
	queue(3, 2);
	quiesce(0);
	assert_int_equal(calls, 1);
	assert_int_equal(done_count, 2); /* the last ones come first */
	quiesce(0);
	assert_int_equal(calls, 2);
	assert_int_equal(done_count, 2);
	quiesce(0);
	assert_int_equal(done_count, 3);
	assert_int_equal(done[2], 1);
	assert_true(cpu(0)->hazard & HAZARD_RCU);
	quiesce(0);
	assert_int_equal(done_count, 5);
	assert_int_equal(calls, 3);
	assert_false(cpu(0)->hazard & HAZARD_RCU);
}

/* Whoever waits for memory gets all of it. */
UNIT_TEST(expediting_frees_all_pieces)
{
	start(2);
	calls = 0;
	sleep_from(1);
	host_set_cpu(0);
	rcu_call_large(&work[0], note_third);
	queue(1, 1);
	assert_true(rcu_expedite(cpu(0)));
	assert_int_equal(calls, 3);
	assert_int_equal(done_count, 2);
}

/* Piece after piece, until the CPU is wanted. Others are not held up by it. */
UNIT_TEST(who_has_deleted_goes_on)
{
	struct ec *deleter, other = {.obj.refs = 1};

	start(1);
	deleter = cpu(0)->ec;
	queue(0, 4 * PIECE);
	quiesce(0);
	assert_int_equal(done_count, PIECE);
	assert_true(cpu(0)->hazard & HAZARD_RCU);

	cpu(0)->ec = &other;
	quiesce(0);
	assert_int_equal(done_count, 2 * PIECE);
	assert_false(cpu(0)->hazard & HAZARD_RCU);

	cpu(0)->ec = deleter;
	hazard_set(cpu(0), HAZARD_SCHED);
	quiesce(0);
	assert_int_equal(done_count, 2 * PIECE + 1);
	assert_false(cpu(0)->hazard & HAZARD_RCU);

	hazard_clear(cpu(0), HAZARD_SCHED);
	quiesce(0);
	assert_true(cpu(0)->hazard & HAZARD_RCU);
	quiesce(0);
	assert_int_equal(done_count, 4 * PIECE);
	assert_false(cpu(0)->hazard & HAZARD_RCU);
}

/* What another one has deleted is not a reason to pay for the rest. */
UNIT_TEST(who_deletes_later_pays_for_a_piece)
{
	struct ec other = {.obj.refs = 1};

	start(1);
	queue(0, 3 * PIECE);
	quiesce(0);
	cpu(0)->ec = &other;
	queue(3 * PIECE, 1);
	quiesce(0);
	assert_int_equal(done_count, 2 * PIECE);
	assert_false(cpu(0)->hazard & HAZARD_RCU);
	quiesce(0);
	assert_int_equal(done_count, 3 * PIECE + 1);
}

#define T(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(alone_nobody_is_waited_for),
		T(each_is_called_once),
		T(a_callback_may_queue_for_the_next_period),
		T(small_batches_do_not_disturb_others),
		T(an_answer_counts_once),
		T(those_who_come_later_wait_for_the_next_period),
		T(sleepers_are_not_asked),
		T(among_sleepers_nothing_is_put_off),
		T(cpus_that_did_not_start_are_not_asked),
		T(a_lost_cpu_is_not_awaited),
		T(whoever_asks_may_answer_meanwhile),
		T(expediting_frees_at_once),
		T(expediting_takes_work_items),
		T(expediting_answers),
		T(expediting_frees_what_others_leave),
		T(who_deletes_nothing_leads_nothing),
		T(a_large_one_is_a_batch),
		T(a_long_one_is_freed_in_pieces),
		T(expediting_frees_all_pieces),
		T(who_has_deleted_goes_on),
		T(who_deletes_later_pays_for_a_piece),
	};
	return cmocka_run_group_tests_name("core/rcu", tests, NULL, NULL);
}
