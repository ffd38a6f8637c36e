/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_SM and SM_CTRL. */
#include "hypercall.h"

static enum status create(u64 sel, u64 parent, u64 count)
{
	return hc(HC_ARG1(HC_CREATE_SM, 0, sel), parent, count, 0, 0);
}

static enum status ctrl(u64 sel, unsigned flags, u64 high, u64 low)
{
	return hc(HC_ARG1(HC_SM_CTRL, flags, sel), high, low, 0, 0);
}

UNIT_TEST(creation)
{
	hc_check_creation(create(sel, parent, 0));
	assert_int_equal(create(FREE, WORLD_SEL_PD, 3), SUCCESS);
	assert_int_equal(hc_object(FREE)->type, KOBJ_SM);
	assert_int_equal(hc_perm(FREE), PERM_SM_ALL);
	world_drop(FREE);
}

UNIT_TEST(counts)
{
	struct sm *sm = world_sm(FREE, 2);
	assert_int_equal(ctrl(FREE, SM_CTRL_UP, 0, 0), SUCCESS);
	assert_int_equal(ctrl(FREE, SM_CTRL_DOWN, 0, 0), SUCCESS);
	assert_int_equal(sm->state, 2);
	assert_int_equal(ctrl(FREE, SM_CTRL_DOWN | SM_CTRL_ZERO, 0, 0), SUCCESS);
	assert_int_equal(sm->state, 0);
	world_drop(FREE);
}

UNIT_TEST(a_timeout_is_refused)
{
	struct sm *sm = world_sm(FREE, 2);
	for (unsigned flags = 0; flags < 4; flags++) {
		assert_int_equal(ctrl(FREE, flags, 1, 0), BAD_PAR);
		assert_int_equal(ctrl(FREE, flags, 0, 1), BAD_PAR);
		assert_int_equal(ctrl(FREE, flags, 0, 1ull << 63), BAD_PAR);
	}
	assert_int_equal(sm->state, 2);
	assert_int_equal(ctrl(FREE, SM_CTRL_UP, 1ull << 32, 0), SUCCESS); /* only the low half of ARG2 counts */
	assert_int_equal(sm->state, 3);
	world_drop(FREE);
}

UNIT_TEST(permissions)
{
	world_sm(FREE, 5);
	world_sm(FREE + 1, 5);
	hc_weaken(FREE, PERM_SM_UP);
	hc_weaken(FREE + 1, PERM_SM_DOWN);
	assert_int_equal(ctrl(FREE, SM_CTRL_UP, 0, 0), BAD_CAP);
	assert_int_equal(ctrl(FREE, SM_CTRL_DOWN, 0, 0), SUCCESS);
	assert_int_equal(ctrl(FREE + 1, SM_CTRL_UP, 0, 0), SUCCESS);
	assert_int_equal(ctrl(FREE + 1, SM_CTRL_DOWN, 0, 0), BAD_CAP);
	assert_int_equal(ctrl(FREE + 1, SM_CTRL_DOWN | SM_CTRL_ZERO, 0, 0), BAD_CAP);
	assert_int_equal(ctrl(FREE + 1, SM_CTRL_DOWN, 1, 1), BAD_CAP); /* before the timeout is looked at */
	assert_int_equal(ctrl(SELF, SM_CTRL_UP, 0, 0), BAD_CAP);
	assert_int_equal(ctrl(FREE + 2, SM_CTRL_UP, 0, 0), BAD_CAP);
	assert_int_equal(ctrl(BEYOND, SM_CTRL_UP, 0, 0), BAD_CAP);
	world_drop(FREE);
	world_drop(FREE + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HC_TEST(creation),
		HC_TEST(counts),
		HC_TEST(a_timeout_is_refused),
		HC_TEST(permissions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
