/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Semaphores: the count, the queue, the end, and waking across CPUs. Many CPUs at once: tests/stress. */
#include "world.h"

#include "hog.h"

enum { A = 100, B = 110, C = 120, D = 130, SM = 140 };

static struct hog hog;

/* ---- the count ---- */

UNIT_TEST(counts)
{
	struct ec *a = world_thread(A, 0, 5);
	struct sm *sm = world_sm(SM, 3);
	assert_runs(host_dispatch(), a);
	for (u64 left = 3; left--;) {
		a->regs.rdi = 99;
		assert_runs(world_down(sm), a);
		assert_int_equal(a->regs.rdi, SUCCESS);
		assert_int_equal(sm->state, left);
	}
	assert_int_equal(sm_up(sm), SUCCESS);
	assert_int_equal(sm_up(sm), SUCCESS);
	assert_int_equal(sm->state, 2);
	assert_int_equal(host_calls[0].switches, 1);
}

UNIT_TEST(a_new_count_has_a_limit)
{
	u64 counts[] = {0, 1, SM_COUNT_MAX - 1, SM_COUNT_MAX, SM_COUNT_MAX + 1ull, 1ull << 63, ~0ull};
	for (unsigned i = 0; i < array_size(counts); i++) {
		struct sm *sm = world_sm(SM + i, counts[i]);
		assert_int_equal(sm->state, min_u64(counts[i], SM_COUNT_MAX));
		/* However high, there is room above, and it is not taken for waiters. */
		assert_int_equal(sm_up(sm), SUCCESS);
		assert_int_equal(sm->state, min_u64(counts[i], SM_COUNT_MAX) + 1);
		assert_int_equal(sm_down(sm, cpu_current()->ec), SUCCESS);
		assert_int_equal(sm->state, min_u64(counts[i], SM_COUNT_MAX));
	}
}

UNIT_TEST(zero_takes_all)
{
	struct ec *a = world_thread(A, 0, 5);
	struct sm *sm = world_sm(SM, SM_COUNT_MAX);
	assert_runs(host_dispatch(), a);
	assert_runs(world_down_all(sm), a);
	assert_int_equal(sm->state, 0);
	sm_up(sm);
	sm_up(sm);
	assert_int_equal(sm->state, 2);
	assert_runs(world_down_all(sm), a);
	assert_int_equal(sm->state, 0);
	assert_int_equal(world_down_all(sm).way, HOST_IDLE);
	assert_int_equal(sm->state, -1);
}

UNIT_TEST(no_memory_no_semaphore)
{
	struct sm *sm = NULL;
	hog_take(&hog, 0);
	assert_int_equal(sm_create(world_pd, 0, &sm), OOM);
	assert_null(sm);
	hog_release(&hog);
}

/* ---- waiting ---- */

UNIT_TEST(first_come_first_served)
{
	struct ec *a = world_thread(A, 0, 7), *b = world_thread(B, 0, 6), *c = world_thread(C, 0, 5);
	struct sm *sm = world_sm(SM, 0);
	assert_runs(host_dispatch(), a);
	assert_runs(world_down(sm), b);
	assert_runs(world_down_all(sm), c);
	assert_int_equal(world_down(sm).way, HOST_IDLE);
	assert_int_equal(sm->state, -3);

	struct ec *order[] = {a, b, c};
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(sm->state, (int)i - 3);
		assert_int_equal(sm_up(sm), SUCCESS);
		for (unsigned j = 0; j < 3; j++) {
			assert_int_equal(!(order[j]->special & EC_BLOCKED), j <= i);
			assert_ptr_equal(order[j]->sm, j <= i ? NULL : sm);
		}
	}
	assert_int_equal(sm->state, 0); /* all went to waiters */
	assert_int_equal(sm_up(sm), SUCCESS);
	assert_int_equal(sm->state, 1);
}

UNIT_TEST(a_waiter_comes_back_with_success)
{
	struct ec *a = world_thread(A, 0, 5);
	struct sm *sm = world_sm(SM, 0);
	assert_runs(host_dispatch(), a);
	assert_int_equal(world_down(sm).way, HOST_IDLE);
	a->regs.rdi = 99;
	sm_up(sm);
	struct host_exit e = host_nmi();
	assert_runs(e, a);
	assert_int_equal(e.way, HOST_SYSCALL);
	assert_int_equal(a->regs.rdi, SUCCESS);
}

UNIT_TEST(waking_the_more_important_preempts)
{
	struct ec *a = world_thread(A, 0, 5), *b = world_thread(B, 0, 4);
	struct sm *sm = world_sm(SM, 0);
	assert_runs(host_dispatch(), a);
	assert_runs(world_down(sm), b);
	b->regs.rdi = 99;
	assert_runs(world_up(sm), a);
	assert_runs(world_down(sm), b);
	assert_int_equal(b->regs.rdi, SUCCESS);
}

/* ---- leaving, the end ---- */

UNIT_TEST(the_forgotten_are_not_woken)
{
	struct ec *a = world_thread(A, 0, 7), *b = world_thread(B, 0, 6), *c = world_thread(C, 0, 5);
	struct sm *sm = world_sm(SM, 0), *other = world_sm(SM + 1, 0);
	host_dispatch();
	world_down(sm);
	world_down(sm);
	world_down(sm);
	sm_forget(other, b); /* waits elsewhere */
	assert_ptr_equal(b->sm, sm);
	ec_kill(b);
	assert_null(b->sm);
	assert_int_equal(sm->state, -2);
	sm_up(sm);
	assert_null(a->sm);
	assert_ptr_equal(c->sm, sm);
	sm_forget(sm, c);
	assert_int_equal(sm->state, 0); /* nobody left */
	sm_forget(sm, c);
	sm_up(sm);
	assert_int_equal(sm->state, 1);
}

UNIT_TEST(the_end_wakes_all_with_bad_cap)
{
	struct ec *ec[] = {world_thread(A, 0, 7), world_thread(B, 0, 6), world_thread(C, 0, 5)};
	struct sm *sm = world_sm(SM, 0);
	host_dispatch();
	for (unsigned i = 0; i < 3; i++)
		world_down(sm);
	world_drop(SM);
	assert_runs(host_nmi(), ec[0]);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(ec[i]->regs.rdi, BAD_CAP);
		assert_false(ec[i]->special & EC_BLOCKED);
		assert_null(ec[i]->sm);
	}
}

/* However many wait, between two pieces somebody more important may run. */
UNIT_TEST(the_end_wakes_some_at_a_time)
{
	enum { WAITERS = 40 };
	struct sm *sm = world_sm(SM, 0);
	struct ec *ec[WAITERS];
	unsigned woken = 0;

	for (unsigned i = 0; i < WAITERS; i++) {
		ec[i] = world_thread(0x100 + 2 * i, 0, 7);
		assert_runs(host_dispatch(), ec[i]);
		assert_int_equal(world_down(sm).way, HOST_IDLE);
	}
	for (unsigned pieces = 3; pieces; pieces--) {
		assert_int_equal(sm_retire(sm), pieces > 1);
		assert_int_equal(sm_down(sm, cpu_current()->idle_ec), BAD_CAP);
		unsigned before = woken;
		while (woken < WAITERS && !(ec[woken]->special & EC_BLOCKED))
			woken++;
		assert_in_range(woken - before, 1, 20);
	}
	assert_int_equal(woken, WAITERS);
	for (unsigned i = 0; i < WAITERS; i++) {
		world_drop(0x100 + 2 * i);
		world_drop(0x101 + 2 * i);
	}
}

UNIT_TEST(a_dead_semaphore_takes_nobody)
{
	struct ec *a = world_thread(A, 0, 7);
	struct sm *sm;
	assert_int_equal(sm_create(world_pd, 1, &sm), SUCCESS);
	assert_runs(host_dispatch(), a);
	assert_false(sm_retire(sm));
	assert_int_equal(sm_down(sm, a), SUCCESS); /* what is there may be taken */
	assert_int_equal(sm_down(sm, a), BAD_CAP);
	assert_int_equal(sm_down_all(sm, a), BAD_CAP);
	assert_false(a->special & EC_BLOCKED);
	assert_null(a->sm);
	assert_int_equal(sm_up(sm), SUCCESS);
	sm_free(sm);
}

/* ---- between the addition and the lock ---- */

/* The first half of a down or an up, which another CPU sees; the second is sm_down_slow() or sm_up_slow(). */
static void begin(struct sm *sm, int n)
{
	__atomic_add_fetch(&sm->state, n, __ATOMIC_ACQ_REL);
}

/* Whoever waits gets what came while a less important down of the same CPU was under way, and the CPU. */
UNIT_TEST(a_down_under_way_takes_nobodys_turn)
{
	struct ec *high = world_thread(A, 0, 7), *low = world_thread(B, 0, 5);
	struct sm *sm = world_sm(SM, 0);
	assert_runs(host_dispatch(), high);
	assert_runs(world_down(sm), low);
	high->regs.rdi = 99;
	begin(sm, -1);
	host_set_cpu(1);
	sm_up(sm);
	host_set_cpu(0);
	assert_int_equal(sm_down_slow(sm, low), SUCCESS);
	host_dispatch(); /* to sleep, or straight to the one who was woken */
	assert_runs(host_nmi(), high);
	assert_int_equal(high->regs.rdi, SUCCESS);
	assert_ptr_equal(cpu_current()->sc, world_sc_of(A));
	assert_true(low->special & EC_BLOCKED);
	assert_int_equal(world_sc_of(B)->state, SC_PARKED);
	assert_runs(world_up(sm), high);
	assert_false(low->special & EC_BLOCKED);
}

UNIT_TEST(an_up_is_not_overtaken_by_the_end)
{
	struct ec *a = world_thread(A, 0, 7);
	struct sm *sm;
	assert_int_equal(sm_create(world_pd, 0, &sm), SUCCESS);
	assert_runs(host_dispatch(), a);
	begin(sm, -1);
	host_set_cpu(1);
	sm_up(sm);
	assert_false(sm_retire(sm));
	host_set_cpu(0);
	assert_int_equal(sm_down_slow(sm, a), SUCCESS);
	assert_false(a->special & EC_BLOCKED);
	assert_int_equal(sm_down(sm, a), BAD_CAP);
	sm_free(sm);
}

/* The same for one that waits already while another down is under way. */
UNIT_TEST(a_waiter_is_not_overtaken_by_the_end)
{
	struct ec *a = world_thread(A, 0, 7), *b = world_thread(B, 1, 7);
	struct sm *sm;
	assert_int_equal(sm_create(world_pd, 0, &sm), SUCCESS);
	assert_runs(host_dispatch(), a);
	assert_int_equal(world_down(sm).way, HOST_IDLE);
	assert_runs(world_on(1), b);
	begin(sm, -1);
	host_set_cpu(2);
	sm_up(sm);
	assert_false(sm_retire(sm));
	host_set_cpu(1);
	assert_int_equal(sm_down_slow(sm, b), BAD_CAP);
	assert_runs(world_on(0), a);
	assert_int_equal(a->regs.rdi, SUCCESS);
	sm_free(sm);
}

/* An up that meant a waiter who has left meanwhile leaves its unit to the next one who comes, and only one. */
UNIT_TEST(an_up_for_one_who_left_counts_once)
{
	struct ec *a = world_thread(A, 0, 7), *b = world_thread(B, 0, 6), *c = world_thread(C, 0, 5);
	struct sm *sm = world_sm(SM, 0);
	assert_runs(host_dispatch(), a);
	assert_runs(world_down(sm), b);
	host_set_cpu(1);
	begin(sm, 1);
	host_set_cpu(0);
	ec_kill(a);
	host_set_cpu(1);
	sm_up_slow(sm);
	host_set_cpu(0);
	assert_int_equal(sm->state, 1);
	assert_runs(host_dispatch(), b);
	assert_runs(world_down(sm), b);
	assert_runs(world_down(sm), c);
	assert_int_equal(world_down(sm).way, HOST_IDLE);
	sm_up(sm);
	sm_up(sm);
	assert_runs(host_nmi(), b);
	assert_int_equal(sm->state, 0);
	assert_false(c->special & EC_BLOCKED);
}

/* The same if another one waits: it is served, whoever the up meant. */
UNIT_TEST(an_up_for_one_who_left_serves_the_next)
{
	struct ec *a = world_thread(A, 0, 7), *b = world_thread(B, 0, 6);
	struct sm *sm = world_sm(SM, 0);
	assert_runs(host_dispatch(), a);
	assert_runs(world_down(sm), b);
	assert_int_equal(world_down(sm).way, HOST_IDLE);
	host_set_cpu(1);
	begin(sm, 1);
	host_set_cpu(0);
	ec_kill(a);
	host_set_cpu(1);
	sm_up_slow(sm);
	host_set_cpu(0);
	assert_runs(host_nmi(), b);
	assert_int_equal(sm->state, 0);
}

/* ---- across CPUs ---- */

UNIT_TEST(waking_elsewhere_sends_one_work_item)
{
	struct ec *a = world_thread(A, 1, 5), *b = world_thread(B, 0, 5);
	struct sm *sm = world_sm(SM, 0);
	assert_runs(world_on(1), a);
	assert_int_equal(world_down(sm).way, HOST_IDLE);
	assert_runs(world_on(0), b);

	u32 before = host_calls[1].signals;
	a->regs.rdi = 99;
	assert_runs(world_up(sm), b);
	assert_int_equal(host_calls[1].signals, before + 1);
	assert_ptr_equal(world_cpu(1)->mailbox.newest, &a->wake);
	assert_null(a->wake.next);
	/* Nothing of it happens here. */
	assert_true(a->special & EC_BLOCKED);
	assert_int_equal(a->regs.rdi, 99);
	world_up(sm);
	assert_int_equal(sm->state, 1);
	assert_int_equal(host_calls[1].signals, before + 1);

	struct host_exit e = world_on(1);
	assert_runs(e, a);
	assert_int_equal(a->regs.rdi, SUCCESS);
	assert_null(world_cpu(1)->mailbox.newest);
}

UNIT_TEST(the_end_reaches_other_cpus)
{
	struct ec *a = world_thread(A, 1, 5), *b = world_thread(B, 2, 5), *c = world_thread(C, 1, 6);
	struct sm *sm = world_sm(SM, 0);
	world_on(1);
	world_down(sm);
	world_down(sm);
	world_on(2);
	world_down(sm);
	host_set_cpu(0);
	u32 before1 = host_calls[1].signals, before2 = host_calls[2].signals;
	world_drop(SM);
	host_dispatch();
	assert_int_equal(host_calls[1].signals, before1 + 1); /* both work items in one batch */
	assert_int_equal(host_calls[2].signals, before2 + 1);
	assert_runs(world_on(1), c);
	assert_runs(world_on(2), b);
	assert_int_equal(a->regs.rdi, BAD_CAP);
	assert_int_equal(b->regs.rdi, BAD_CAP);
	assert_int_equal(c->regs.rdi, BAD_CAP);
}

UNIT_TEST(a_work_item_for_the_dead_is_dropped)
{
	struct ec *a = world_thread(A, 1, 5);
	struct sm *sm = world_sm(SM, 0);
	world_on(1);
	world_down(sm);
	host_set_cpu(0);
	sm_up(sm);
	host_set_cpu(1);
	a->regs.rdi = 99;
	ec_kill(a);
	assert_int_equal(world_on(1).way, HOST_IDLE);
	assert_int_equal(a->regs.rdi, 99);
	assert_int_equal(world_sc_of(A)->state, SC_PARKED);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WORLD_TEST(counts),
		WORLD_TEST(a_new_count_has_a_limit),
		WORLD_TEST(zero_takes_all),
		WORLD_TEST(no_memory_no_semaphore),
		WORLD_TEST(first_come_first_served),
		WORLD_TEST(a_waiter_comes_back_with_success),
		WORLD_TEST(waking_the_more_important_preempts),
		WORLD_TEST(the_forgotten_are_not_woken),
		WORLD_TEST(the_end_wakes_all_with_bad_cap),
		WORLD_TEST(the_end_wakes_some_at_a_time),
		WORLD_TEST(a_dead_semaphore_takes_nobody),
		WORLD_TEST(a_down_under_way_takes_nobodys_turn),
		WORLD_TEST(an_up_is_not_overtaken_by_the_end),
		WORLD_TEST(a_waiter_is_not_overtaken_by_the_end),
		WORLD_TEST(an_up_for_one_who_left_counts_once),
		WORLD_TEST(an_up_for_one_who_left_serves_the_next),
		WORLD_TEST(waking_elsewhere_sends_one_work_item),
		WORLD_TEST(the_end_reaches_other_cpus),
		WORLD_TEST(a_work_item_for_the_dead_is_dropped),
	};
	return cmocka_run_group_tests_name("core/sm", tests, NULL, NULL);
}
