/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SCs: their start on this CPU or another, their end in whichever state they are, and what they have consumed. */
#include "world.h"

#define A 0x100 /* SC behind */
#define B 0x110
#define LOCAL 0x120
#define PT 0x121

static void drop_thread(u64 sel)
{
	world_drop(sel + 1);
	world_drop(sel);
	world_settle();
}

UNIT_TEST(as_created)
{
	struct ec *ec = world_ec(A, 2, true);
	struct sc *sc = world_sc(A + 1, ec, 77);
	assert_ptr_equal(sc->ec, ec);
	assert_int_equal(sc->cpu_id, 2);
	assert_int_equal(sc->prio, 77);
	assert_int_equal(sc->quantum_us, 1000);
	assert_int_equal(sc->state, SC_PARKED);
	assert_int_equal(sc_consumed(sc), 0);
	assert_int_equal(ec->obj.refs, 2);
	drop_thread(A); /* it was never started */
}

UNIT_TEST(ends_while_it_runs)
{
	struct ec *a = world_thread(A, 0, 10);
	assert_runs(host_dispatch(), a);
	assert_true(sc_is_current(world_sc_of(A)));
	world_drop(A + 1);
	assert_runs(host_dispatch(), world_cpu(0)->idle_ec);
	assert_null(world_cpu(0)->sc);
	drop_thread(A);
}

UNIT_TEST(ends_while_it_is_ready)
{
	struct ec *a = world_thread(A, 0, 10);
	world_thread(B, 0, 9);
	assert_runs(host_dispatch(), a);
	assert_int_equal(world_sc_of(B)->state, SC_READY);
	drop_thread(B);
	assert_int_equal(sched_top(&world_cpu(0)->sched), 0);
	drop_thread(A);
}

UNIT_TEST(ends_while_it_is_preempted)
{
	struct ec *a = world_thread(A, 0, 10);
	assert_runs(host_dispatch(), a);
	struct ec *b = world_thread(B, 0, 11);
	assert_runs(host_dispatch(), b);
	assert_int_equal(world_sc_of(A)->state, SC_PREEMPTED);
	drop_thread(A);
	assert_null(world_cpu(0)->preempted);
	drop_thread(B);
}

/* Its EC waits for a semaphore; woken later, that has nothing to run on. */
UNIT_TEST(ends_while_it_is_parked)
{
	struct ec *a = world_thread(A, 0, 10);
	struct sm *sm = world_sm(LOCAL, 0);
	assert_runs(host_dispatch(), a);
	world_down(sm);
	assert_int_equal(world_sc_of(A)->state, SC_PARKED);
	world_drop(A + 1);
	world_settle();
	assert_true(list_empty(&a->parked));
	assert_int_equal(sm_up(sm), SUCCESS);
	assert_runs(host_dispatch(), world_cpu(0)->idle_ec);
	world_drop(LOCAL);
	drop_thread(A);
}

/* Its own CPU revokes it before it takes the work item that is to start it. */
UNIT_TEST(ends_before_it_arrives)
{
	struct ec *a = world_ec(A, 1, true);
	a->cont = CONT_SYSRET;
	struct sc *sc = world_sc(A + 1, a, 10);
	sc_start(sc);
	assert_int_equal(sc->state, SC_PARKED);
	host_set_cpu(1);
	world_drop(A + 1);
	if (!list_empty(&cpu_current()->dying))
		reap_all(cpu_current());
	assert_int_equal(sc->state, SC_DEAD);
	assert_runs(world_on(1), world_cpu(1)->idle_ec);
	host_set_cpu(0);
	world_settle();
	assert_null(world_cpu(1)->sc);
	drop_thread(A);
}

UNIT_TEST(starts_elsewhere)
{
	struct ec *a = world_thread(A, 3, 10);
	assert_int_equal(host_calls[3].signals, 1);
	assert_runs(world_on(3), a);
	assert_ptr_equal(world_cpu(3)->sc, world_sc_of(A));
	host_set_cpu(0);
	drop_thread(A);
}

UNIT_TEST(time_is_counted)
{
	struct ec *a = world_thread(A, 0, 10);
	struct ec *b = world_ec(B, 0, true);
	b->cont = CONT_SYSRET;
	assert_runs(host_dispatch(), a);
	host_tsc += 1000;
	u64 before = sc_consumed(world_sc_of(A));
	assert_in_range(before, 1000, 1100);
	sc_start(world_sc(B + 1, b, 11));
	assert_runs(host_dispatch(), b);
	u64 after = sc_consumed(world_sc_of(A));
	assert_in_range(after - before, 0, 100);
	host_tsc += 5000; /* the other's time */
	assert_int_equal(sc_consumed(world_sc_of(A)), after);
	assert_in_range(sc_consumed(world_sc_of(B)), 5000, 5100);
	drop_thread(A);
	drop_thread(B);
}

/* Read elsewhere while it runs there, and that CPU's clock is behind. */
UNIT_TEST(a_clock_behind)
{
	struct ec *a = world_thread(A, 0, 10);
	assert_runs(host_dispatch(), a);
	world_sc_of(A)->account = 2 * 50 - 1;
	host_tsc = 0;
	world_cpu(0)->sc_since = 2 * 1000;
	assert_int_equal(sc_consumed(world_sc_of(A)), 50);
	world_cpu(0)->sc_since = 0;
	drop_thread(A);
}

/* Read elsewhere between any two steps of its being charged. */
UNIT_TEST(a_charge_is_seen_as_a_whole)
{
	struct ec *a = world_thread(A, 0, 10);
	struct sc *sc = world_sc_of(A);

	host_tsc = 1000;
	assert_runs(host_dispatch(), a);
	host_tsc = 6000;
	u64 before = sc_consumed(sc), since = cpu_current()->sc_since;
	assert_in_range(before, 5000, 5100);
	dispatch_charge(cpu_current(), sc);
	cpu_current()->sc_since = since; /* as if this store was still to come */
	assert_in_range(sc_consumed(sc) - before, 0, 100);
	cpu_current()->sc_since = 2 * host_tsc; /* as if the next SC had taken over */
	assert_in_range(sc_consumed(sc) - before, 0, 100);
	dispatch_set_current(cpu_current(), sc);
	assert_in_range(sc_consumed(sc) - before, 0, 100);
	drop_thread(A);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(as_created),
		WORLD_TEST(ends_while_it_runs),
		WORLD_TEST(ends_while_it_is_ready),
		WORLD_TEST(ends_while_it_is_preempted),
		WORLD_TEST(ends_while_it_is_parked),
		WORLD_TEST(ends_before_it_arrives),
		WORLD_TEST(starts_elsewhere),
		WORLD_TEST(time_is_counted),
		WORLD_TEST(a_clock_behind),
		WORLD_TEST(a_charge_is_seen_as_a_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
