/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who runs: preemption, yielding, parking, idling, and who pays for the time. */
#include "world.h"

enum { A = 100, B = 110, C = 120, D = 130, SM = 140, PORTAL = 150 };

/* ---- who runs ---- */

UNIT_TEST(nothing_to_do_is_sleep)
{
	host_idle_mode = SLEEPING_HALTED;
	hazard_set(cpu_current(), HAZARD_SCHED);
	struct host_exit e = host_dispatch();
	assert_int_equal(e.way, HOST_IDLE);
	assert_int_equal(e.sleeping, SLEEPING_HALTED);
	assert_runs(e, cpu_current()->idle_ec);
}

static unsigned freed;

static void note(struct work *w)
{
	(void)w;
	freed++;
}

/* By those who were more important than the one who has deleted it. */
UNIT_TEST(idling_frees_what_is_left)
{
	struct work w = {.fn = note};

	freed = 0;
	cpu_current()->rcu_ripe = &w;
	hazard_set(cpu_current(), HAZARD_SCHED);
	assert_int_equal(host_dispatch().way, HOST_IDLE);
	world_settle();
	assert_int_equal(freed, 1);
}

UNIT_TEST(the_first_thread_ends_idling)
{
	struct ec *a = world_thread(A, 0, 1);
	assert_true(cpu_current()->hazard & HAZARD_SCHED);
	struct host_exit e = host_dispatch();
	assert_int_equal(e.way, HOST_SYSCALL);
	assert_runs(e, a);
	assert_ptr_equal(cpu_current()->sc, world_sc_of(A));
	assert_true(sc_is_current(world_sc_of(A)));
}

/* Whatever a switch has found in registers that it does not switch is gone before user land goes on, with no other
 * hazard. */
UNIT_TEST(residue_is_cleared_before_user_land_goes_on)
{
	struct ec *a = world_thread(A, 0, 5);
	assert_runs(host_dispatch(), a);
	cpu_current()->residue = 0x23;
	hazard_set(cpu_current(), HAZARD_SCHED);
	assert_runs(host_dispatch(), a);
	assert_int_equal(cpu_current()->attention, 0);
	cpu_current()->residue = 1u << 24;
	struct host_exit e = host_dispatch();
	assert_int_equal(e.way, HOST_SYSCALL);
	assert_runs(e, a);
	assert_int_equal(cpu_current()->attention, 0);
}

UNIT_TEST(the_higher_priority_runs)
{
	world_thread(A, 0, 5);
	struct ec *b = world_thread(B, 0, 7);
	world_thread(C, 0, 6);
	assert_runs(host_dispatch(), b);
}

UNIT_TEST(equals_do_not_preempt)
{
	struct ec *a = world_thread(A, 0, 5);
	assert_runs(host_dispatch(), a);
	world_thread(B, 0, 5);
	world_thread(C, 0, 4);
	assert_int_equal(cpu_current()->hazard, 0);
	hazard_set(cpu_current(), HAZARD_SCHED);
	assert_runs(host_dispatch(), a);
}

UNIT_TEST(the_preempted_keeps_its_place)
{
	struct ec *a = world_thread(A, 0, 5), *b = world_thread(B, 0, 5);
	assert_runs(host_dispatch(), a);
	struct ec *c = world_thread(C, 0, 9);
	assert_runs(host_dispatch(), c);
	assert_int_equal(world_sc_of(A)->state, SC_PREEMPTED);

	struct sm *sm = world_sm(SM, 0);
	assert_runs(world_down(sm), a); /* and not b, which waited already */
	assert_true(c->special & EC_BLOCKED);
	dispatch_yield(cpu_current());
	assert_runs(host_dispatch(), b);
}

/* However deep: each is at the head of its queue. */
UNIT_TEST(the_preempted_come_back_in_order)
{
	enum { DEPTH = 6 };
	struct ec *first[DEPTH], *second[DEPTH];
	struct sm *sm = world_sm(SM, 0);
	for (unsigned i = 0; i < DEPTH; i++) {
		first[i] = world_thread(200 + 10 * i, 0, 10 + i);
		assert_runs(host_nmi(), first[i]); /* preempts the one before */
		second[i] = world_thread(300 + 10 * i, 0, 10 + i);
	}
	for (unsigned i = DEPTH; i--;) {
		assert_ptr_equal(cpu_current()->ec, first[i]);
		assert_runs(world_down(sm), second[i]);
		struct host_exit e = world_down(sm);
		assert_runs(e, i ? first[i - 1] : cpu_current()->idle_ec);
		assert_int_equal(e.way, i ? HOST_TRAP : HOST_IDLE);
	}
}

/* One that is ready and more important than the preempted goes before it, an equal one does not. */
UNIT_TEST(the_preempted_waits_for_the_more_important)
{
	struct ec *a = world_thread(A, 0, 5);
	struct sm *sm = world_sm(SM, 0);
	assert_runs(host_nmi(), a);
	struct ec *b = world_thread(B, 0, 9);
	assert_runs(host_nmi(), b);
	struct ec *equal = world_thread(C, 0, 5), *more = world_thread(D, 0, 6);
	assert_runs(world_down(sm), more);
	assert_runs(world_down(sm), a);
	assert_runs(world_down(sm), equal);
}

UNIT_TEST(yielding_goes_behind_equals)
{
	struct ec *ec[] = {world_thread(A, 0, 5), world_thread(B, 0, 5), world_thread(C, 0, 5)};
	for (unsigned i = 0; i < 9; i++) {
		assert_runs(host_dispatch(), ec[i % 3]);
		dispatch_yield(cpu_current());
	}
}

UNIT_TEST(yielding_alone_is_nothing)
{
	struct ec *a = world_thread(A, 0, 5);
	world_thread(B, 0, 4);
	assert_runs(host_dispatch(), a);
	dispatch_yield(cpu_current());
	assert_int_equal(cpu_current()->hazard, 0);
	assert_ptr_equal(cpu_current()->sc, world_sc_of(A));
	assert_true(sc_is_current(world_sc_of(A)));
}

/* ---- parking ---- */

UNIT_TEST(a_blocked_thread_is_parked_and_comes_back)
{
	struct ec *a = world_thread(A, 0, 5), *b = world_thread(B, 0, 4);
	struct sm *sm = world_sm(SM, 0);
	assert_runs(host_dispatch(), a);
	assert_runs(world_down(sm), b);
	assert_int_equal(world_sc_of(A)->state, SC_PARKED);
	assert_ptr_equal(a->parked.next, &world_sc_of(A)->link);

	struct host_exit e = world_up(sm);
	assert_runs(e, a);
	assert_int_equal(e.way, HOST_SYSCALL);
	assert_int_equal(a->regs.rdi, SUCCESS);
	assert_true(list_empty(&a->parked));
}

UNIT_TEST(a_chain_is_parked_at_its_end)
{
	struct ec *a = world_thread(A, 0, 5), *callee = world_local(C, 0);
	struct sm *sm = world_sm(SM, 0);
	world_pt(PORTAL, callee, 0x1000, 0);
	assert_runs(host_dispatch(), a);
	assert_runs(world_call(PORTAL), callee);
	assert_int_equal(world_down(sm).way, HOST_IDLE);
	assert_true(list_empty(&a->parked));
	assert_ptr_equal(callee->parked.next, &world_sc_of(A)->link);

	/* Two SCs of one EC wait in the same place. */
	struct sc *second = world_sc(D, a, 6);
	sc_start(second);
	assert_int_equal(host_nmi().way, HOST_IDLE);
	assert_ptr_equal(callee->parked_more.next, &second->link);
	assert_ptr_equal(callee->parked_more.prev, &world_sc_of(A)->link);
	assert_true(list_empty(&callee->parked));

	assert_int_equal(sm_up(sm), SUCCESS);
	assert_runs(host_nmi(), callee);
	assert_ptr_equal(cpu_current()->sc, second);
	assert_int_equal(world_sc_of(A)->state, SC_READY);
}

UNIT_TEST(a_dead_thread_never_runs)
{
	struct ec *a = world_thread(A, 0, 5);
	assert_runs(host_dispatch(), a);
	ec_kill(a);
	assert_int_equal(host_dispatch().way, HOST_IDLE);
	assert_ptr_equal(a->parked.next, &world_sc_of(A)->link);
	sc_start(world_sc(B, a, 9));
	assert_int_equal(host_nmi().way, HOST_IDLE);
}

UNIT_TEST(a_stuck_thread_never_runs)
{
	struct ec *a = world_thread(A, 0, 5);
	assert_runs(host_dispatch(), a);
	assert_int_equal(world_reply().way, HOST_IDLE); /* a global EC has nobody to answer */
	assert_true(a->special & EC_DETACHED);
	assert_int_equal(world_sc_of(A)->state, SC_PARKED);
}

/* ---- how it goes on ---- */

UNIT_TEST(an_interrupted_thread_gets_all_its_registers)
{
	struct ec *a = world_thread(A, 0, 5);
	assert_runs(host_dispatch(), a);
	struct ec *b = world_thread(B, 0, 6);
	struct host_exit e = host_nmi(); /* the hazard is noticed in user mode */
	assert_runs(e, b);
	assert_int_equal(e.way, HOST_SYSCALL);
	world_drop(B);
	world_drop(B + 1);
	e = host_dispatch();
	assert_runs(e, a);
	assert_int_equal(e.way, HOST_TRAP);
}

UNIT_TEST(errors_are_reported_on_the_way_out)
{
	struct ec *a = world_thread(A, 0, 5);
	assert_runs(host_dispatch(), a);
	hazard_set(cpu_current(), HAZARD_MCA);
	struct host_exit e = host_nmi();
	assert_runs(e, a);
	assert_int_equal(e.way, HOST_TRAP);
	assert_int_equal(host_machine.reports, 1);
	assert_int_equal(cpu_current()->hazard, 0);
}

/* The thread that has used bad memory is the current one: nobody else ends, and its caller hears of it. */
UNIT_TEST(bad_memory_ends_the_current_thread)
{
	struct ec *a = world_thread(A, 0, 5), *b = world_thread(B, 0, 3), *server = world_local(C, 0);
	world_pt(PORTAL, server, 0x1000, 0);
	assert_runs(host_dispatch(), a);
	assert_runs(world_call(PORTAL), server);
	host_machine.error_ends_ec = true;
	hazard_set(cpu_current(), HAZARD_MCA);
	struct host_exit e = host_nmi();
	assert_runs(e, a);
	assert_int_equal(a->regs.rdi, ABORT);
	assert_true(ec_is_dead(server));
	assert_false(ec_is_dead(a) || ec_is_dead(b));
}

UNIT_TEST(the_first_run_raises_startup)
{
	struct ec *a = world_ec(A, 0, true), *handler = world_local(C, 0);
	world_pt(WORLD_EVENTS + HEDRON_EXC_STARTUP, handler, 0x1000, 0);
	sc_start(world_sc(A + 1, a, 3));
	struct host_exit e = host_dispatch();
	assert_runs(e, handler);
	assert_ptr_equal(handler->caller, a);
	assert_int_equal(handler->regs.rip, 0x1000);
}

UNIT_TEST(registers_of_the_cpu_go_along)
{
	struct ec *a = world_thread(A, 0, 5), *b = world_thread(B, 0, 5);
	a->fs_base = 0xa0;
	b->gs_base = 0xb0;
	assert_runs(host_dispatch(), a);
	assert_int_equal(host_state[0].fs_base, 0xa0);
	host_state[0].fs_base = 0xa1; /* user code may change it at any time */
	host_state[0].fpu = 77;
	dispatch_yield(cpu_current());
	assert_runs(host_dispatch(), b);
	assert_int_equal(host_state[0].fs_base, 0);
	assert_int_equal(host_state[0].gs_base, 0xb0);
	assert_int_equal(host_state[0].fpu, HOST_FPU_INITIAL);
	dispatch_yield(cpu_current());
	assert_runs(host_dispatch(), a);
	assert_int_equal(host_state[0].fs_base, 0xa1);
	assert_int_equal(host_state[0].fpu, 77);
}

/* ---- time ---- */

UNIT_TEST(the_running_sc_pays)
{
	struct ec *a = world_thread(A, 0, 5), *b = world_thread(B, 0, 5);
	struct sc *sa = world_sc_of(A), *sb = world_sc_of(B);
	host_tsc = 1000;
	assert_runs(host_dispatch(), a);
	host_tsc = 3000;
	assert_in_range(sc_consumed(sa), 1990, 2000);
	assert_int_equal(sa->account, ~0ull); /* nobody looked at the clock yet */
	assert_int_equal(sc_consumed(sb), 0);
	dispatch_yield(cpu_current());
	assert_runs(host_dispatch(), b);
	host_tsc = 10000;
	dispatch_yield(cpu_current());
	assert_runs(host_dispatch(), a);
	assert_in_range(sc_consumed(sa), 1990, 2020);
	assert_in_range(sc_consumed(sb), 6990, 7010);
}

UNIT_TEST(the_preempted_pays_no_more)
{
	struct ec *a = world_thread(A, 0, 5);
	struct sm *sm = world_sm(SM, 0);
	host_tsc = 0;
	assert_runs(host_dispatch(), a);
	host_tsc = 500;
	struct ec *b = world_thread(B, 0, 6);
	assert_runs(host_dispatch(), b);
	host_tsc = 700;
	assert_runs(world_down(sm), a);
	host_tsc = 800;
	dispatch_drop_current(cpu_current());
	assert_null(cpu_current()->sc);
	assert_in_range(world_sc_of(A)->account, 2 * 595, 2 * 605);
	assert_in_range(world_sc_of(B)->account, 2 * 195, 2 * 205);
	hazard_set(cpu_current(), HAZARD_SCHED);
	world_sc_of(A)->state = SC_PARKED;
	list_init(&world_sc_of(A)->link);
}

UNIT_TEST(nobody_pays_for_idling)
{
	struct ec *a = world_thread(A, 0, 5);
	struct sm *sm = world_sm(SM, 0);
	host_tsc = 100;
	assert_runs(host_dispatch(), a);
	host_tsc = 200;
	assert_int_equal(world_down(sm).way, HOST_IDLE);
	host_tsc = 1000000;
	assert_int_equal(sm_up(sm), SUCCESS);
	assert_runs(host_nmi(), a);
	host_tsc = 1000100;
	assert_in_range(sc_consumed(world_sc_of(A)), 190, 210);
}

UNIT_TEST(the_caller_pays_for_the_callee)
{
	struct ec *a = world_thread(A, 0, 5), *callee = world_local(C, 0);
	world_pt(PORTAL, callee, 0x1000, 0);
	host_tsc = 0;
	assert_runs(host_dispatch(), a);
	assert_runs(world_call(PORTAL), callee);
	host_tsc = 900;
	assert_runs(world_reply(), a);
	assert_in_range(sc_consumed(world_sc_of(A)), 890, 910);
}

/* ---- other CPUs ---- */

UNIT_TEST(an_sc_starts_on_its_own_cpu)
{
	struct ec *a = world_thread(A, 2, 5);
	assert_int_equal(host_calls[2].signals, 1);
	assert_int_equal(cpu_current()->hazard, 0);
	assert_int_equal(sched_top(&world_cpu(2)->sched), 0);
	struct host_exit e = world_on(2);
	assert_runs(e, a);
	assert_int_equal(world_cpu(2)->sleeping, SLEEPING_NOT);
	assert_ptr_equal(world_cpu(0)->ec, world_cpu(0)->idle_ec);
}

UNIT_TEST(one_that_died_on_the_way_does_not_start)
{
	struct ec *a = world_ec(A, 2, true);
	struct sc *sc = world_sc(A + 1, a, 5);
	host_set_cpu(2);
	sc_retire(sc); /* its owner CPU learns of the end first */
	kobject_ref(&a->obj);
	host_set_cpu(0);
	sc_start(sc);
	assert_int_equal(world_on(2).way, HOST_IDLE);
	assert_int_equal(sc->state, SC_DEAD);
	assert_int_equal(sched_top(&world_cpu(2)->sched), 0);
	/* Alive again for the end of the test, which retires it in its own way. */
	sc->state = SC_PARKED;
	list_init(&sc->link);
	host_set_cpu(0);
}

/* ---- who sends much to another CPU ---- */

enum { MANY = 200, MANY_SELS = 4 };

static void ups(struct sm *sm, unsigned n)
{
	while (n--)
		(void)sm_up(sm);
}

/* So many ups that another CPU has not taken that whoever sends one more is to wait; `a` has sent them. */
static struct sm *crowd(struct ec *a)
{
	struct sm *sm = world_sm(SM, 0);

	for (unsigned n = 0; n < REMOTE_CROWD + 2; n++) {
		world_thread(MANY + n * MANY_SELS, 1, 3);
		world_on(1);
		world_down(sm);
	}
	host_set_cpu(0);
	assert_runs(host_dispatch(), a);
	world_cpu(1)->sleeping = SLEEPING_NOT;
	ups(sm, REMOTE_CROWD);
	assert_int_equal(cpu_current()->hazard, 0);
	assert_int_equal(a->unfinished.crowded, 0);
	return sm;
}

/* A few at a time: nobody takes anything while the idle EC of this CPU waits for room. */
static void end_threads(void)
{
	for (unsigned n = 0; n < REMOTE_CROWD + 2; n++) {
		world_drop(MANY + n * MANY_SELS + 1);
		world_drop(MANY + n * MANY_SELS);
		world_free_all();
	}
}

static void take_all(void)
{
	assert_true(remote_is_crowded(1));
	world_on(1);
	assert_false(remote_is_crowded(1));
	host_set_cpu(0);
}

UNIT_TEST(who_sends_much_goes_on_when_it_is_taken)
{
	struct ec *a = world_thread(A, 0, 5);
	struct sm *sm = crowd(a);

	ups(sm, 1);
	assert_true(cpu_current()->hazard & HAZARD_CROWD);
	assert_int_equal(a->unfinished.crowded, 2);
	take_all();
	assert_runs(host_dispatch(), a);
	assert_int_equal(a->unfinished.crowded, 0);
	assert_int_equal(sm->state, -1);
	end_threads();
}

UNIT_TEST(who_waits_for_room_is_preempted)
{
	struct ec *a = world_thread(A, 0, 5), *b = world_thread(B, 0, 7);
	struct sm *wake = world_sm(PORTAL, 0);
	assert_runs(host_dispatch(), b);
	world_down(wake);
	struct sm *sm = crowd(a);

	a->regs.rdi = BAD_PAR;
	ups(sm, 1);
	(void)sm_up(wake);
	assert_runs(host_dispatch(), b);
	assert_int_equal(a->cont, CONT_UNFINISHED);
	take_all();
	assert_runs(world_down(wake), a);
	assert_int_equal(a->cont, CONT_SYSRET);
	assert_int_equal(a->regs.rdi, BAD_PAR);
	end_threads();
}

UNIT_TEST(nobody_waits_for_a_cpu_that_is_lost)
{
	struct ec *a = world_thread(A, 0, 5);
	struct sm *sm = crowd(a);

	ups(sm, 1);
	cpus_online[0] &= ~bit(1);
	assert_runs(host_dispatch(), a);
	cpus_online[0] |= bit(1);
	take_all();
	end_threads();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WORLD_TEST(the_preempted_come_back_in_order),
		WORLD_TEST(the_preempted_waits_for_the_more_important),
		WORLD_TEST(nothing_to_do_is_sleep),
		WORLD_TEST(idling_frees_what_is_left),
		WORLD_TEST(the_first_thread_ends_idling),
		WORLD_TEST(residue_is_cleared_before_user_land_goes_on),
		WORLD_TEST(the_higher_priority_runs),
		WORLD_TEST(equals_do_not_preempt),
		WORLD_TEST(the_preempted_keeps_its_place),
		WORLD_TEST(yielding_goes_behind_equals),
		WORLD_TEST(yielding_alone_is_nothing),
		WORLD_TEST(a_blocked_thread_is_parked_and_comes_back),
		WORLD_TEST(a_chain_is_parked_at_its_end),
		WORLD_TEST(a_dead_thread_never_runs),
		WORLD_TEST(a_stuck_thread_never_runs),
		WORLD_TEST(an_interrupted_thread_gets_all_its_registers),
		WORLD_TEST(errors_are_reported_on_the_way_out),
		WORLD_TEST(bad_memory_ends_the_current_thread),
		WORLD_TEST(the_first_run_raises_startup),
		WORLD_TEST(registers_of_the_cpu_go_along),
		WORLD_TEST(the_running_sc_pays),
		WORLD_TEST(the_preempted_pays_no_more),
		WORLD_TEST(nobody_pays_for_idling),
		WORLD_TEST(the_caller_pays_for_the_callee),
		WORLD_TEST(an_sc_starts_on_its_own_cpu),
		WORLD_TEST(one_that_died_on_the_way_does_not_start),
		WORLD_TEST(who_sends_much_goes_on_when_it_is_taken),
		WORLD_TEST(who_waits_for_room_is_preempted),
		WORLD_TEST(nobody_waits_for_a_cpu_that_is_lost),
	};
	return cmocka_run_group_tests_name("core/dispatch", tests, NULL, NULL);
}
