/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Portals: what they lead to, and that they keep it. Calls are the business of ipc_test.c. */
#include "world.h"

#define LOCAL 0x100
#define PT 0x101

UNIT_TEST(leads_to_its_ec)
{
	struct ec *ec = world_local(LOCAL, 1);
	struct pt *pt = world_pt(PT, ec, 0x401000, ~0ull);
	assert_ptr_equal(pt->ec, ec);
	assert_ptr_equal(pt->callee, ec);
	assert_int_equal(pt->mtd, ~0ull);
	assert_int_equal(pt->id, 0);
	assert_int_equal(ec->obj.refs, 2);
	world_drop(PT);
	world_free_all();
	assert_int_equal(ec->obj.refs, 1);
	world_drop(LOCAL);
}

/* Whom such a portal would start is never idle: the call takes the slow path, which kills the EC. */
UNIT_TEST(addresses_that_nobody_can_run_at)
{
	struct ec *ec = world_local(LOCAL, 0);
	const struct {
		u64 rip;
		bool good;
	} rows[] = {
		{0, true},
		{0x7fffffffffff, true},
		{0x800000000000, false},
		{0xffff7fffffffffff, false},
		{0xffff800000000000, true},
		{~0ull, true},
	};
	for (unsigned i = 0; i < array_size(rows); i++) {
		struct pt *pt = world_pt(PT, ec, rows[i].rip, 0);
		assert_int_equal(pt->callee == ec, rows[i].good);
		assert_non_null(pt->callee);
		assert_true(rows[i].good || pt->callee->caller != world_cpu(0)->idle_ec);
		world_drop(PT);
		world_free_all();
	}
	world_drop(LOCAL);
}

UNIT_TEST(keeps_its_ec)
{
	struct ec *ec = world_local(LOCAL, 0);
	struct pt *pt = world_pt(PT, ec, 0x401000, 0);
	world_drop(LOCAL);
	world_free_all();
	assert_int_equal(ec->obj.refs, 1);
	assert_idle(0, pt->ec); /* and it still answers */
	world_drop(PT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(leads_to_its_ec),
		WORLD_TEST(addresses_that_nobody_can_run_at),
		WORLD_TEST(keeps_its_ec),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
