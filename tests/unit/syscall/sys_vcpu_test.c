/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_VCPU and VCPU_CTRL: what is checked, in which order. Running: tests/unit/core/vcpu_test.c. */
#include "hypercall.h"

#define KPS 0x300 /* three of them */

static u64 cpu, state_sel, vlapic_sel, fpu_sel;

static enum status create(u64 sel, u64 parent)
{
	return hc(HC_ARG1(HC_CREATE_VCPU, 0, sel), cpu | parent << 12, state_sel, vlapic_sel, fpu_sel);
}

static enum status ctrl(u64 sel, unsigned op)
{
	return hc(HC_ARG1(HC_VCPU_CTRL, op, sel), 0, 0, 0, 0);
}

static int setup(void **state)
{
	hc_setup(state);
	host_has_vcpus = true;
	for (u64 i = 0; i < 3; i++) {
		struct kp *kp;
		assert_int_equal(kp_create(world_pd, &kp), SUCCESS);
		world_insert(KPS + i, &kp->obj, PERM_KP_ALL);
	}
	cpu = 0;
	state_sel = KPS;
	vlapic_sel = KPS + 1;
	fpu_sel = KPS + 2;
	return 0;
}

static int teardown(void **state)
{
	for (u64 i = 0; i < 3; i++)
		world_drop(KPS + i);
	return hc_teardown(state);
}

UNIT_TEST(creation)
{
	hc_check_creation(create(sel, parent));
	cpu = 3;
	assert_int_equal(create(FREE, WORLD_SEL_PD), SUCCESS);
	const struct vcpu *v = (const struct vcpu *)hc_object(FREE);
	assert_int_equal(v->obj.type, KOBJ_VCPU);
	assert_int_equal(hc_perm(FREE), PERM_VCPU_ALL);
	assert_int_equal(v->cpu_id, 3);
	assert_ptr_equal(v->pd, world_pd);
	assert_ptr_equal(v->state_kp, hc_object(KPS));
	assert_ptr_equal(v->vlapic_kp, hc_object(KPS + 1));
	assert_ptr_equal(v->fpu_kp, hc_object(KPS + 2));
	world_drop(FREE);
}

UNIT_TEST(order_of_checks)
{
	u64 *const pages[] = {&state_sel, &vlapic_sel, &fpu_sel};
	cpu = WORLD_CPUS;
	assert_int_equal(create(SELF, FREE), BAD_CPU);
	cpu = 0xfff;
	assert_int_equal(create(SELF, FREE), BAD_CPU);
	cpu = 1;
	assert_int_equal(create(SELF, FREE), BAD_CAP);
	host_has_vcpus = false;
	for (unsigned i = 0; i < 3; i++) {
		u64 good = *pages[i];
		*pages[i] = SELF;
		assert_int_equal(create(SELF, WORLD_SEL_PD), BAD_CAP);
		*pages[i] = BEYOND;
		assert_int_equal(create(SELF, WORLD_SEL_PD), BAD_CAP);
		*pages[i] = good;
	}
	assert_int_equal(create(BEYOND, WORLD_SEL_PD), BAD_FTR);
	host_has_vcpus = true;
	assert_int_equal(create(BEYOND, WORLD_SEL_PD), BAD_PAR);
	assert_int_equal(create(SELF, WORLD_SEL_PD), BAD_CAP);
}

UNIT_TEST(control)
{
	cpu = 1;
	assert_int_equal(create(FREE, WORLD_SEL_PD), SUCCESS);
	struct vcpu *v = (struct vcpu *)hc_object(FREE);
	assert_int_equal(ctrl(FREE + 1, 2), BAD_PAR); /* the operation first */
	assert_int_equal(ctrl(FREE + 1, 3), BAD_PAR);
	assert_int_equal(ctrl(FREE + 1, VCPU_CTRL_RUN), BAD_CAP);
	assert_int_equal(ctrl(SELF, VCPU_CTRL_POKE), BAD_CAP);
	assert_int_equal(ctrl(BEYOND, VCPU_CTRL_POKE), BAD_CAP);
	assert_int_equal(ctrl(FREE, VCPU_CTRL_RUN), BAD_CPU); /* it belongs to CPU 1 */
	assert_false(v->poked);
	assert_int_equal(ctrl(FREE, VCPU_CTRL_POKE), SUCCESS);
	assert_true(v->poked);
	world_drop(FREE);
}

/* A poked one returns at once, which is all of a run that the fake machine needs no guest for. */
UNIT_TEST(poked_run)
{
	assert_int_equal(create(FREE, WORLD_SEL_PD), SUCCESS);
	struct vcpu *v = (struct vcpu *)hc_object(FREE);
	assert_int_equal(ctrl(FREE, VCPU_CTRL_POKE), SUCCESS);
	assert_int_equal(hc(HC_ARG1(HC_VCPU_CTRL, VCPU_CTRL_RUN, FREE), 0x30, 5, 0, 0), SUCCESS);
	assert_int_equal(v->state->exit_reason, VCPU_EXIT_POKED);
	assert_int_equal(v->mtd, 0x30);
	assert_true(v->wanted == VCPU_WANT_ALL);
	assert_int_equal(ctrl(FREE, VCPU_CTRL_POKE), SUCCESS);
	assert_int_equal(hc(HC_ARG1(HC_VCPU_CTRL, VCPU_CTRL_RUN | VCPU_CTRL_PARTIAL, FREE), 0, 5, 0, 0), SUCCESS);
	assert_int_equal(v->wanted, 5);
	world_drop(FREE);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(creation), T(order_of_checks), T(control), T(poked_run)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
