/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chains of calls, exceptions and help that are longer than the kernel follows them. */
#include "world.h"

enum { A = 100, B = 110, C = 120, D = 130, SM = 140, PC = 151 };
enum { LONG = EC_CHAIN_MAX + 10, LINK = 500, LINK_PORTAL = 800 };
_Static_assert(LINK + LONG <= LINK_PORTAL, "selectors differ");

/* A thread, which runs, calls link 1, and so on: the last one is link `length`. */
static void make_links(struct ec *link[], unsigned length)
{
	link[0] = world_thread(A, 0, 5);
	assert_runs(host_dispatch(), link[0]);
	for (unsigned i = 1; i <= length; i++) {
		link[i] = world_local(LINK + i, 0);
		world_pt(LINK_PORTAL + i, link[i], 0x1000, 0);
		assert_runs(world_call(LINK_PORTAL + i), link[i]);
	}
}

/* Somebody more important has run meanwhile. */
static struct host_exit choose_again(void)
{
	hazard_set(cpu_current(), HAZARD_SCHED);
	return host_dispatch();
}

UNIT_TEST(a_chain_is_as_long_as_that)
{
	struct ec *link[LONG + 1];

	make_links(link, EC_CHAIN_MAX);
	assert_runs(choose_again(), link[EC_CHAIN_MAX]);
	for (unsigned i = EC_CHAIN_MAX; i--;) {
		assert_runs(world_reply(), link[i]);
		assert_int_equal(link[i]->regs.rdi, SUCCESS);
	}
}

UNIT_TEST(a_chain_that_is_too_long_is_cut)
{
	struct ec *link[LONG + 1];

	make_links(link, LONG);
	assert_ptr_equal(ec_chain_end(link[0]), link[EC_CHAIN_MAX]);
	assert_runs(choose_again(), link[EC_CHAIN_MAX]);
	assert_int_equal(link[EC_CHAIN_MAX]->regs.rdi, ABORT);
	assert_null(link[EC_CHAIN_MAX]->callee);
	assert_int_equal(link[EC_CHAIN_MAX + 1]->special, EC_ORPHAN);
	assert_null(link[EC_CHAIN_MAX + 1]->caller);
	assert_ptr_equal(ec_chain_end(link[EC_CHAIN_MAX + 1]), link[LONG]);

	/* All are well: the rest goes on when somebody helps it. */
	for (unsigned i = EC_CHAIN_MAX; i--;)
		assert_runs(world_reply(), link[i]);
	assert_runs(world_call(LINK_PORTAL + EC_CHAIN_MAX + 1), link[LONG]);
	for (unsigned i = LONG; i-- > EC_CHAIN_MAX + 1;)
		assert_runs(world_reply(), link[i]);
	assert_runs(world_reply(), link[EC_CHAIN_MAX + 1]); /* to nobody; then the helper's call starts again */
	assert_runs(world_reply(), link[0]);
	assert_int_equal(link[0]->regs.rdi, SUCCESS);
}

UNIT_TEST(a_circle_that_is_too_long_is_cut)
{
	struct ec *link[LONG + 1];

	make_links(link, LONG);
	assert_runs(world_call(LINK_PORTAL + 1), link[EC_CHAIN_MAX]);
	assert_int_equal(link[EC_CHAIN_MAX]->regs.rdi, ABORT);
	assert_true(link[LONG]->helping);
	assert_ptr_equal(link[LONG]->callee, link[1]);
}

UNIT_TEST(a_handler_at_the_limit_goes_on)
{
	struct ec *link[LONG + 1], *handler = world_local(B, 0), *last = world_local(C, 0);

	world_pt(WORLD_EVENTS + 6, handler, 0x1000, 0);
	world_pt(PC, last, 0x2000, 0);
	make_links(link, EC_CHAIN_MAX - 1);
	assert_runs(world_raise(6), handler); /* the limit */
	assert_runs(choose_again(), handler);
	assert_runs(world_call(PC), last);
	assert_runs(choose_again(), handler); /* its call ends */
	assert_int_equal(handler->regs.rdi, ABORT);
	assert_false(ec_is_dead(link[EC_CHAIN_MAX - 1]));
}

UNIT_TEST(who_is_at_the_limit_in_an_exception_dies)
{
	struct ec *link[LONG + 1], *handler = world_local(B, 0);

	world_pt(WORLD_EVENTS + 6, handler, 0x1000, 0);
	make_links(link, EC_CHAIN_MAX);
	assert_runs(world_raise(6), handler);
	assert_runs(choose_again(), link[EC_CHAIN_MAX - 1]);
	assert_int_equal(link[EC_CHAIN_MAX - 1]->regs.rdi, ABORT);
	assert_true(ec_is_dead(link[EC_CHAIN_MAX]));
	assert_int_equal(handler->special, EC_ORPHAN);
}

/* Whose call ends may be helped by others, whose SCs wait at the end of the chain. */
UNIT_TEST(who_is_at_the_limit_gets_the_time_of_its_helpers)
{
	struct ec *link[LONG + 1], *helper;
	struct sm *sm = world_sm(SM, 0);

	make_links(link, LONG);
	assert_int_equal(world_down(sm).way, HOST_IDLE);
	helper = world_thread(D, 0, 6);
	assert_runs(host_nmi(), helper);
	assert_int_equal(world_call(LINK_PORTAL + EC_CHAIN_MAX).way, HOST_IDLE);
	assert_false(list_empty(&link[LONG]->parked) && !link[LONG]->several);

	ec_cut_chain(cpu_current(), link[EC_CHAIN_MAX]);
	assert_true(list_empty(&link[LONG]->parked) && !link[LONG]->several);
	assert_runs(host_dispatch(), link[EC_CHAIN_MAX]);
	assert_ptr_equal(cpu_current()->sc, world_sc_of(D));
}

/* The last handler of a long chain of exceptions dies: all die, but not in one go. */
UNIT_TEST(exceptions_in_a_row_die_in_pieces)
{
	enum { ROW = 100 };
	struct ec *ec[ROW + 1];
	unsigned dead = 0;

	ec[0] = world_thread(A, 0, 5);
	ec[1] = world_local(LINK, 0);
	world_pt(PC, ec[1], 0x1000, 0);
	assert_runs(host_dispatch(), ec[0]);
	assert_runs(world_call(PC), ec[1]);
	for (unsigned i = 2; i <= ROW; i++) {
		ec[i] = world_local(LINK + i, 0);
		ec[i]->event_base = LINK_PORTAL + i;
		ec[i - 1]->event_base = LINK_PORTAL + i - 1;
		world_pt(LINK_PORTAL + i - 1 + 6, ec[i], 0x1000, 0);
		assert_runs(world_raise(6), ec[i]);
		world_drop(LINK_PORTAL + i - 1 + 6);
	}
	ec_kill(ec[ROW]);
	for (unsigned i = 1; i <= ROW; i++)
		dead += ec_is_dead(ec[i]);
	assert_in_range(dead, 1, 4);
	assert_runs(host_dispatch(), ec[0]);
	assert_int_equal(ec[0]->regs.rdi, ABORT);
	for (unsigned i = 1; i <= ROW; i++)
		assert_true(ec_is_dead(ec[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_chain_is_as_long_as_that),
		WORLD_TEST(a_chain_that_is_too_long_is_cut),
		WORLD_TEST(a_circle_that_is_too_long_is_cut),
		WORLD_TEST(a_handler_at_the_limit_goes_on),
		WORLD_TEST(who_is_at_the_limit_in_an_exception_dies),
		WORLD_TEST(who_is_at_the_limit_gets_the_time_of_its_helpers),
		WORLD_TEST(exceptions_in_a_row_die_in_pieces),
	};
	return cmocka_run_group_tests_name("core/chain", tests, NULL, NULL);
}
