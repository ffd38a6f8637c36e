/* SPDX-License-Identifier: GPL-2.0-or-later */
/* REVOKE: whose, with or without itself; what dies is dismantled before it returns. */
#include "hypercall.h"

#define OTHER_PD 0x300

static enum status revoke(crd_t crd, unsigned flags, u64 pd)
{
	return hc(HC_ARG1(HC_REVOKE, flags, 0), crd, pd, 0, 0);
}

static crd_t object(u64 sel)
{
	return crd_make(CRD_OBJ, sel, 0, PERM_ALL);
}

UNIT_TEST(below_and_self)
{
	world_sm(FREE, 0);
	assert_int_equal(space_obj_delegate(world_pd, FREE, world_pd, FREE + 1, 0, PERM_ALL), SUCCESS);
	assert_int_equal(revoke(object(FREE), 0, FREE), SUCCESS); /* ARG3 means nothing here */
	assert_non_null(hc_object(FREE));
	assert_null(hc_object(FREE + 1));
	assert_int_equal(revoke(object(FREE), REVOKE_SELF, 0), SUCCESS);
	assert_null(hc_object(FREE));
}

UNIT_TEST(nothing_to_revoke)
{
	assert_int_equal(revoke(0, REVOKE_SELF, 0), SUCCESS);
	assert_int_equal(revoke(object(FREE), REVOKE_SELF, 0), SUCCESS);
	assert_int_equal(revoke(object(BEYOND), REVOKE_SELF, 0), SUCCESS);
	assert_int_equal(revoke(crd_make(CRD_MEM, 5, 0, PERM_ALL), REVOKE_SELF, 0), SUCCESS);
}

UNIT_TEST(in_another_pd)
{
	struct pd *pd;
	world_sm(FREE, 0);
	assert_int_equal(pd_create(&pd_kernel, false, &pd), SUCCESS);
	world_insert(OTHER_PD, &pd->obj, PERM_PD_ALL);
	assert_int_equal(space_obj_delegate(world_pd, FREE, pd, 7, 0, PERM_ALL), SUCCESS);
	assert_int_equal(revoke(object(7), REVOKE_SELF | REVOKE_REMOTE, FREE), BAD_CAP);
	assert_int_equal(revoke(object(7), REVOKE_SELF | REVOKE_REMOTE, FREE + 1), BAD_CAP);
	assert_int_equal(revoke(object(7), REVOKE_SELF | REVOKE_REMOTE, BEYOND), BAD_CAP);
	assert_non_null(cap_object(space_obj_slot(&pd->objs, 7)->cap));
	assert_int_equal(revoke(object(7), REVOKE_SELF | REVOKE_REMOTE, OTHER_PD), SUCCESS);
	assert_null(cap_object(space_obj_slot(&pd->objs, 7)->cap));
	assert_non_null(hc_object(FREE));
	world_drop(FREE);
	world_drop(OTHER_PD);
}

UNIT_TEST(the_dead_are_dismantled_at_once)
{
	assert_int_equal(hc(HC_ARG1(HC_CREATE_EC, 0, FREE), WORLD_SEL_PD, 0x7000, 0, 0), SUCCESS);
	unsigned order;
	assert_true(ptab_lookup(&world_pd->mem.host, 7, &order));
	assert_int_equal(revoke(object(FREE), REVOKE_SELF, 0), SUCCESS);
	assert_false(ptab_lookup(&world_pd->mem.host, 7, &order));
	assert_true(list_empty(&cpu_current()->dying));
}

#define RANGE 0x1000
#define RANGE_ORDER 8

/* Not even for a piece. */
UNIT_TEST(who_is_waiting_goes_first)
{
	struct regs *r = &hc_self->regs;
	struct ec *other;

	world_sm(RANGE, 0);
	for (u64 i = 1; i < 1 << RANGE_ORDER; i++)
		assert_int_equal(space_obj_delegate(world_pd, RANGE, world_pd, RANGE + i, 0, PERM_ALL), SUCCESS);
	other = world_thread(OTHER_PD, 0, 20);
	r->rdi = HC_ARG1(HC_REVOKE, REVOKE_SELF, 0);
	r->rsi = crd_make(CRD_OBJ, RANGE, RANGE_ORDER, PERM_ALL);
	assert_runs(host_run(hc_enter, NULL), other);
	assert_int_equal(hc_self->unfinished.revocation.next, RANGE);
	world_drop(OTHER_PD + 1);
	world_drop(OTHER_PD);
	assert_runs(host_dispatch(), hc_self);
	assert_int_equal(r->rdi, SUCCESS);
	for (u64 i = 0; i < 1 << RANGE_ORDER; i++)
		assert_null(hc_object(RANGE + i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HC_TEST(below_and_self),
		HC_TEST(nothing_to_revoke),
		HC_TEST(in_another_pd),
		HC_TEST(the_dead_are_dismantled_at_once),
		HC_TEST(who_is_waiting_goes_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
