/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_PT and PT_CTRL. */
#include "hypercall.h"

#define LOCAL 0x300

static u64 ec_sel;

static enum status create(u64 sel, u64 parent)
{
	return hc(HC_ARG1(HC_CREATE_PT, 0, sel), parent, ec_sel, 0x1234, 0x401000);
}

static enum status ctrl(u64 sel, u64 id)
{
	return hc(HC_ARG1(HC_PT_CTRL, 0, sel), id, 0, 0, 0);
}

UNIT_TEST(creation)
{
	struct ec *local = world_local(LOCAL, 0);
	ec_sel = LOCAL;
	hc_check_creation(create(sel, parent));
	assert_int_equal(create(FREE, WORLD_SEL_PD), SUCCESS);
	const struct pt *pt = (const struct pt *)hc_object(FREE);
	assert_int_equal(pt->obj.type, KOBJ_PT);
	assert_int_equal(hc_perm(FREE), PERM_PT_ALL);
	assert_ptr_equal(pt->ec, local);
	assert_int_equal(pt->mtd, 0x1234);
	assert_int_equal(pt->rip, 0x401000);
	assert_int_equal(pt->id, 0);
	world_drop(FREE);
	world_drop(LOCAL);
}

/* The parent, then the EC, then the selector. */
UNIT_TEST(only_for_local_ecs)
{
	world_local(LOCAL, 0);
	const u64 wrong[] = {SELF, SELF + 1, WORLD_SEL_PD, FREE, BEYOND};
	for (unsigned i = 0; i < array_size(wrong); i++) {
		ec_sel = wrong[i];
		assert_int_equal(create(FREE, WORLD_SEL_PD), BAD_CAP);
		assert_int_equal(create(BEYOND, WORLD_SEL_PD), BAD_CAP);
	}
	ec_sel = LOCAL;
	assert_int_equal(create(BEYOND, WORLD_SEL_PD), BAD_PAR);
	hc_weaken(LOCAL, PERM_EC_PT);
	assert_int_equal(create(FREE, WORLD_SEL_PD), BAD_CAP);
	assert_null(hc_object(FREE));
	world_drop(LOCAL);
}

UNIT_TEST(new_id)
{
	struct pt *pt = world_pt(FREE, world_local(LOCAL, 0), 0x401000, 0);
	assert_int_equal(ctrl(FREE, 0xfeedfacecafebeef), SUCCESS);
	assert_int_equal(pt->id, 0xfeedfacecafebeef);
	hc_weaken(FREE, PERM_PT_CALL);
	assert_int_equal(ctrl(FREE, 5), SUCCESS);
	assert_int_equal(ctrl(LOCAL, 6), BAD_CAP);
	assert_int_equal(ctrl(FREE + 1, 6), BAD_CAP);
	assert_int_equal(ctrl(BEYOND, 6), BAD_CAP);
	assert_int_equal(pt->id, 5);
	world_drop(FREE);
	pt = world_pt(FREE + 1, (struct ec *)hc_object(LOCAL), 0x401000, 0);
	hc_weaken(FREE + 1, PERM_PT_CTRL);
	assert_int_equal(ctrl(FREE + 1, 7), BAD_CAP);
	assert_int_equal(pt->id, 0);
	world_drop(FREE + 1);
	world_drop(LOCAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {HC_TEST(creation), HC_TEST(only_for_local_ecs), HC_TEST(new_id)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
