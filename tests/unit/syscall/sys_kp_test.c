/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_KP and KP_CTRL. What mapping itself does: tests/unit/core/kp_test.c. */
#include "hypercall.h"

#define VA 0x7000

static enum status create(u64 sel, u64 parent)
{
	return hc(HC_ARG1(HC_CREATE_KP, 0, sel), parent, 0, 0, 0);
}

static enum status ctrl(u64 sel, unsigned op, u64 pd, u64 va)
{
	return hc(HC_ARG1(HC_KP_CTRL, op, sel), pd, va, 0, 0);
}

UNIT_TEST(creation)
{
	hc_check_creation(create(sel, parent));
	assert_int_equal(create(FREE, WORLD_SEL_PD), SUCCESS);
	assert_int_equal(hc_object(FREE)->type, KOBJ_KP);
	assert_int_equal(hc_perm(FREE), PERM_KP_ALL);
	world_drop(FREE);
}

UNIT_TEST(map_and_unmap)
{
	assert_int_equal(create(FREE, WORLD_SEL_PD), SUCCESS);
	const struct kp *kp = (const struct kp *)hc_object(FREE);
	assert_int_equal(ctrl(FREE, KP_CTRL_UNMAP, 0, 0), BAD_PAR);
	assert_int_equal(ctrl(FREE, KP_CTRL_MAP, WORLD_SEL_PD, VA), SUCCESS);
	assert_true(kp->pd == world_pd && kp->va == VA);
	assert_int_equal(ctrl(FREE, KP_CTRL_MAP, WORLD_SEL_PD, VA), BAD_PAR);
	assert_int_equal(ctrl(FREE, KP_CTRL_UNMAP, FREE + 5, 77), SUCCESS); /* asks for no PD */
	assert_int_equal(ctrl(FREE, KP_CTRL_MAP, WORLD_SEL_PD, VA + 1), BAD_PAR);
	world_drop(FREE);
}

/* The operation, the KP, the PD. */
UNIT_TEST(order_of_checks)
{
	assert_int_equal(create(FREE, WORLD_SEL_PD), SUCCESS);
	assert_int_equal(ctrl(FREE + 1, 2, FREE, 1), BAD_PAR);
	assert_int_equal(ctrl(FREE + 1, 3, FREE, 1), BAD_PAR);
	assert_int_equal(ctrl(FREE + 1, KP_CTRL_MAP, FREE, 1), BAD_CAP);
	assert_int_equal(ctrl(SELF, KP_CTRL_UNMAP, 0, 0), BAD_CAP);
	assert_int_equal(ctrl(BEYOND, KP_CTRL_MAP, WORLD_SEL_PD, VA), BAD_CAP);
	assert_int_equal(ctrl(FREE, KP_CTRL_MAP, FREE, VA), BAD_CAP);
	assert_int_equal(ctrl(FREE, KP_CTRL_MAP, BEYOND, VA), BAD_CAP);
	assert_int_equal(((const struct kp *)hc_object(FREE))->state, KP_UNMAPPED);
	world_drop(FREE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {HC_TEST(creation), HC_TEST(map_and_unmap), HC_TEST(order_of_checks)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
