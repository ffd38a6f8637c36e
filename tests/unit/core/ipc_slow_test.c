/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that fail, that meet a busy EC, or that would never end. */
#include "ipc_fixture.h"

/* ---- calls that fail ---- */

static void assert_fails(u64 sel, unsigned flags, enum status s)
{
	a->regs.rdi = 99;
	struct host_exit e = world_call_flags(sel, flags);
	assert_int_equal(e.way, HOST_SYSCALL);
	assert_runs(e, a);
	assert_int_equal(a->regs.rdi, s);
	assert_null(a->callee);
}

UNIT_TEST(only_portals_can_be_called)
{
	world_sm(SM, 0);
	assert_fails(EMPTY, 0, BAD_CAP);
	assert_fails(SM, 0, BAD_CAP); /* has a bit of the same value as PERM_PT_CALL */
	assert_fails(B, 0, BAD_CAP);
	assert_fails(HEDRON_SEL_NUM - 1, 0, BAD_CAP);
	assert_fails(HEDRON_SEL_NUM, 0, BAD_CAP);
	assert_fails(HEDRON_SEL_NUM + PB, 0, BAD_CAP);
	assert_fails(~0ull >> 12, 0, BAD_CAP);
	assert_idle(0, b);
}

UNIT_TEST(calling_needs_the_permission)
{
	host_revoke(world_pd, PB, 0, PERM_PT_CALL, true);
	assert_fails(PB, 0, BAD_CAP);
	assert_idle(0, b);
}

UNIT_TEST(a_revoked_portal_is_gone_at_once)
{
	world_drop(PB);
	assert_fails(PB, 0, BAD_CAP);
}

UNIT_TEST(other_cpus_cannot_be_called)
{
	struct ec *c = world_local(C, 1);
	world_pt(PC, c, 0x2000, 0);
	assert_fails(PC, 0, BAD_CPU);
	assert_fails(PC, CALL_NONBLOCK, BAD_CPU);
	assert_idle(1, c);
	host_set_cpu(1);
	ec_kill(c);
	host_set_cpu(0);
	assert_fails(PC, 0, BAD_CPU);
}

UNIT_TEST(the_dead_do_not_answer)
{
	ec_kill(b);
	assert_fails(PB, 0, TIMEOUT);
	assert_fails(PB, CALL_NONBLOCK, TIMEOUT);
}

UNIT_TEST(a_portal_into_nowhere_kills_its_ec)
{
	const u64 rips[] = {0x800000000000, 0xffff7fffffffffff, ~0ull << 63};
	for (unsigned i = 0; i < array_size(rips); i++) {
		struct ec *c = world_local(C + i, 0);
		world_pt(PC + i, c, rips[i], 0);
		assert_fails(PC + i, 0, ABORT);
		assert_true(ec_is_dead(c));
		assert_fails(PC + i, 0, TIMEOUT);
	}
	/* The edges of the halves are addresses: user land may try. */
	const u64 good[] = {0x7fffffffffff, 0xffff800000000000};
	for (unsigned i = 0; i < array_size(good); i++) {
		struct ec *d = world_local(D + i, 0);
		world_pt(300 + i, d, good[i], 0);
		assert_runs(world_call(300 + i), d);
		assert_int_equal(d->regs.rip, good[i]);
		assert_runs(world_reply(), a);
	}
}

UNIT_TEST(a_busy_one_does_not_answer_the_hasty)
{
	assert_runs(world_call(PB), b);
	struct ec *d = world_thread(D, 0, 6);
	assert_runs(host_nmi(), d);
	d->regs.rdi = 99;
	assert_runs(world_call_flags(PB, CALL_NONBLOCK), d);
	assert_int_equal(d->regs.rdi, TIMEOUT);
	assert_null(d->callee);
	assert_int_equal(b->special, 0);
}

/* ---- helping ---- */

UNIT_TEST(a_busy_one_is_helped)
{
	assert_runs(world_call(PB), b);
	struct ec *d = world_thread(D, 0, 9);
	assert_runs(host_nmi(), d);
	u64 arg1 = HC_ARG1(HC_CALL, 0, PB);
	d->utcb->items = 1;
	d->utcb->words[0] = 0xd;
	struct host_exit e = world_call(PB);
	assert_runs(e, b); /* on d's SC */
	assert_int_equal(e.way, HOST_TRAP);
	assert_ptr_equal(cpu_current()->sc, world_sc_of(D));
	assert_ptr_equal(b->caller, a);
	assert_int_equal(b->special, EC_HELPED);
	assert_int_equal(d->cont, CONT_CALL);
	assert_int_equal(d->regs.rdi, arg1);

	/* The reply goes to a; but d's SC goes on with d, whose call starts again and now succeeds. */
	e = world_reply();
	assert_runs(e, b);
	assert_ptr_equal(b->caller, d);
	assert_int_equal(b->utcb->words[0], 0xd);
	assert_int_equal(b->regs.rip, 0x1000);
	assert_int_equal(b->special, 0);
	assert_int_equal(a->regs.rdi, SUCCESS);
	assert_int_equal(a->cont, CONT_SYSRET);
	assert_null(a->callee);
	assert_runs(world_reply(), d);
	assert_int_equal(d->regs.rdi, SUCCESS);
}

/* Its call was started over once; that it is answered the slow way does not start it again. */
UNIT_TEST(a_call_that_was_started_over_is_answered_once)
{
	struct ec *other = world_local(C, 0);
	assert_runs(world_call(PB), b);
	struct ec *d = world_thread(D, 0, 9);
	assert_runs(host_nmi(), d);
	assert_runs(world_call(PB), b);
	assert_runs(world_reply(), b);
	assert_ptr_equal(b->caller, d);
	ec_help(other, b); /* makes it slow */
	struct host_exit e = world_reply();
	assert_runs(e, d);
	assert_int_equal(e.way, HOST_SYSCALL);
	assert_int_equal(d->regs.rdi, SUCCESS);
	assert_idle(0, b);
}

UNIT_TEST(many_help_and_all_get_their_turn)
{
	struct ec *helper[4];
	assert_runs(world_call(PB), b);
	for (unsigned i = 0; i < 4; i++) {
		helper[i] = world_thread(200 + 10 * i, 0, 6 + i);
		assert_runs(host_nmi(), helper[i]);
		assert_runs(world_call(PB), b);
	}
	assert_ptr_equal(b->caller, a);
	for (unsigned i = 4; i--;) {
		assert_int_equal(b->special, i < 3 ? 0 : EC_HELPED);
		if (i == 3)
			assert_runs(world_reply(), b); /* to a; all helpers start over, the highest priority first */
		assert_ptr_equal(b->caller, helper[i]);
		assert_runs(world_reply(), helper[i]);
		assert_int_equal(helper[i]->regs.rdi, SUCCESS);
		world_drop(200 + 10 * i);
		world_drop(200 + 10 * i + 1);
		assert_runs(host_dispatch(), i ? b : a);
	}
	assert_int_equal(a->regs.rdi, SUCCESS);
	assert_idle(0, b);
}

/* ---- deadlock ---- */

UNIT_TEST(calling_oneself_is_death)
{
	assert_runs(world_call(PB), b);
	assert_runs(world_call(PB), a);
	assert_true(ec_is_dead(b));
	assert_int_equal(a->regs.rdi, ABORT);
	assert_null(a->callee);
}

UNIT_TEST(a_cycle_kills_who_closes_it)
{
	struct ec *c = world_local(C, 0);
	world_pt(PC, c, 0x2000, 0);
	assert_runs(world_call(PB), b);
	assert_runs(world_call(PC), c);
	struct host_exit e = world_call(PB);
	assert_runs(e, b);
	assert_true(ec_is_dead(c));
	assert_int_equal(b->regs.rdi, ABORT);
	assert_false(ec_is_dead(b));
	assert_ptr_equal(b->caller, a);
	assert_runs(world_reply(), a);
	assert_int_equal(a->regs.rdi, SUCCESS);
}

/* The hasty asks only whether the callee is idle. */
UNIT_TEST(nobody_dies_of_asking)
{
	assert_runs(world_call(PB), b);
	b->regs.rdi = 99;
	assert_runs(world_call_flags(PB, CALL_NONBLOCK), b);
	assert_int_equal(b->regs.rdi, TIMEOUT);
	assert_runs(world_reply(), a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(only_portals_can_be_called),
		T(calling_needs_the_permission),
		T(a_revoked_portal_is_gone_at_once),
		T(other_cpus_cannot_be_called),
		T(the_dead_do_not_answer),
		T(a_portal_into_nowhere_kills_its_ec),
		T(a_busy_one_does_not_answer_the_hasty),
		T(a_busy_one_is_helped),
		T(a_call_that_was_started_over_is_answered_once),
		T(many_help_and_all_get_their_turn),
		T(calling_oneself_is_death),
		T(a_cycle_kills_who_closes_it),
		T(nobody_dies_of_asking),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
