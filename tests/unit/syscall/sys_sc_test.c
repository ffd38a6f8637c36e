/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_SC and SC_CTRL. */
#include "hypercall.h"

#define GLOBAL 0x300
#define LOCAL 0x301

static u64 ec_sel, qpd;

static enum status create(u64 sel, u64 parent)
{
	return hc(HC_ARG1(HC_CREATE_SC, 0, sel), parent, ec_sel, qpd, 0);
}

static enum status ctrl(u64 sel)
{
	return hc(HC_ARG1(HC_SC_CTRL, 0, sel), 0, 0, 0, 0);
}

static u64 priority(u64 prio, u64 quantum)
{
	return prio | quantum << 12;
}

UNIT_TEST(creation)
{
	struct ec *ec = world_ec(GLOBAL, 0, true);
	ec->cont = CONT_SYSRET;
	ec_sel = GLOBAL;
	qpd = priority(3, 10000); /* less than the caller: it goes on */
	hc_check_creation(create(sel, parent));
	assert_int_equal(create(FREE, WORLD_SEL_PD), SUCCESS);
	const struct sc *sc = (const struct sc *)hc_object(FREE);
	assert_int_equal(sc->obj.type, KOBJ_SC);
	assert_int_equal(hc_perm(FREE), PERM_SC_ALL);
	assert_ptr_equal(sc->ec, ec);
	assert_int_equal(sc->prio, 3);
	assert_int_equal(sc->quantum_us, 10000);
	assert_int_equal(sc->state, SC_READY);
	world_drop(FREE);
	world_drop(GLOBAL);
}

/* On the CPU of the EC, which is told by a work item. */
UNIT_TEST(starts_elsewhere)
{
	struct ec *ec = world_ec(GLOBAL, 2, true);
	ec->cont = CONT_SYSRET;
	ec_sel = GLOBAL;
	qpd = priority(100, 1);
	assert_int_equal(create(FREE, WORLD_SEL_PD), SUCCESS);
	assert_runs(world_on(2), ec);
	host_set_cpu(0);
	world_drop(FREE);
	world_drop(GLOBAL);
}

/* After everything else about the EC and the priority. */
UNIT_TEST(not_on_a_lost_cpu)
{
	world_ec(GLOBAL, 2, true);
	ec_sel = GLOBAL;
	cpus_online[0] &= ~bit(2);
	qpd = priority(0, 1);
	assert_int_equal(create(FREE, WORLD_SEL_PD), BAD_PAR);
	qpd = priority(100, 1);
	assert_int_equal(create(FREE, WORLD_SEL_PD), BAD_CPU);
	assert_int_equal(create(SELF, WORLD_SEL_PD), BAD_CPU);
	cpus_online[0] |= bit(2);
	world_drop(GLOBAL);
}

UNIT_TEST(only_for_global_ecs)
{
	world_ec(GLOBAL, 0, true);
	world_local(LOCAL, 0);
	qpd = priority(0, 0); /* the EC is looked at first */
	const u64 wrong[] = {LOCAL, SELF + 1, WORLD_SEL_PD, FREE, BEYOND};
	for (unsigned i = 0; i < array_size(wrong); i++) {
		ec_sel = wrong[i];
		assert_int_equal(create(FREE, WORLD_SEL_PD), BAD_CAP);
	}
	hc_weaken(GLOBAL, PERM_EC_SC);
	ec_sel = GLOBAL;
	assert_int_equal(create(FREE, WORLD_SEL_PD), BAD_CAP);
	world_drop(GLOBAL);
	world_drop(LOCAL);
}

UNIT_TEST(limits)
{
	world_ec(GLOBAL, 0, true)->cont = CONT_SYSRET;
	ec_sel = GLOBAL;
	const u64 wrong[] = {priority(0, 1), priority(HEDRON_PRIO_MAX + 1, 1), priority(255, 1), priority(1, 0),
			     priority(1, 1ull << 32)};
	for (unsigned i = 0; i < array_size(wrong); i++) {
		qpd = wrong[i];
		assert_int_equal(create(FREE, WORLD_SEL_PD), BAD_PAR);
		assert_int_equal(create(SELF, WORLD_SEL_PD), BAD_PAR); /* before the selector */
	}
	qpd = priority(1, 0xffffffff);
	assert_int_equal(create(FREE, WORLD_SEL_PD), SUCCESS);
	assert_int_equal(((const struct sc *)hc_object(FREE))->quantum_us, 0xffffffff);
	world_drop(FREE);
	world_drop(GLOBAL);
}

/* Microseconds in two halves; the fake TSC counts looks. */
UNIT_TEST(consumed)
{
	struct sc *sc = world_sc(FREE, world_ec(GLOBAL, 0, true), 5);
	sc->account = 2 * 0x123456789abcull;
	assert_int_equal(ctrl(FREE), SUCCESS);
	assert_int_equal(hc_self->regs.rsi, 0x1234);
	assert_int_equal(hc_self->regs.rdx, 0x56789abc);
	assert_int_equal(ctrl(SELF + 1), SUCCESS);
	u64 first = hc_self->regs.rsi << 32 | hc_self->regs.rdx;
	host_tsc += 1000;
	assert_int_equal(ctrl(SELF + 1), SUCCESS);
	assert_in_range((hc_self->regs.rsi << 32 | hc_self->regs.rdx) - first, 1000, 1100);
	assert_int_equal(ctrl(SELF), BAD_CAP);
	assert_int_equal(ctrl(FREE + 1), BAD_CAP);
	assert_int_equal(ctrl(BEYOND), BAD_CAP);
	world_drop(FREE);
	world_drop(GLOBAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HC_TEST(creation), HC_TEST(starts_elsewhere), HC_TEST(only_for_global_ecs),
		HC_TEST(limits),   HC_TEST(consumed),         HC_TEST(not_on_a_lost_cpu),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
