/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_EC and EC_CTRL. */
#include "hypercall.h"

#define OTHER_PD 0x300
#define UTCB 0x7000

static u64 arg3, flags;

static enum status create(u64 sel, u64 parent)
{
	return hc(HC_ARG1(HC_CREATE_EC, flags, sel), parent, arg3, 0x8000, 0x500);
}

static struct pd *other_pd(void)
{
	struct pd *pd;
	assert_int_equal(pd_create(&pd_kernel, false, &pd), SUCCESS);
	world_insert(OTHER_PD, &pd->obj, PERM_PD_ALL);
	return pd;
}

static bool mapped(struct pd *pd, u64 va)
{
	unsigned order;
	return ptab_lookup(&pd->mem.host, va >> PAGE_BITS, &order);
}

UNIT_TEST(creation)
{
	flags = 0;
	arg3 = UTCB | 2;
	hc_check_creation(create(sel, parent));
	assert_int_equal(create(FREE, WORLD_SEL_PD), SUCCESS);
	const struct ec *ec = (const struct ec *)hc_object(FREE);
	assert_int_equal(ec->obj.type, KOBJ_EC);
	assert_int_equal(hc_perm(FREE), PERM_EC_ALL);
	assert_int_equal(ec->cpu_id, 2);
	assert_int_equal(ec->regs.rsp, 0x8000);
	assert_int_equal(ec->event_base, 0x500);
	assert_false(ec_is_global(ec));
	assert_true(mapped(world_pd, UTCB));
	world_drop(FREE);
	world_settle();
	assert_false(mapped(world_pd, UTCB));
}

UNIT_TEST(whose_utcb)
{
	struct pd *pd = other_pd();
	flags = CREATE_EC_GLOBAL;
	arg3 = UTCB;
	assert_int_equal(create(FREE, OTHER_PD), SUCCESS);
	assert_true(ec_is_global((struct ec *)hc_object(FREE)));
	assert_ptr_equal(((struct ec *)hc_object(FREE))->pd, pd);
	assert_true(mapped(pd, UTCB) && !mapped(world_pd, UTCB));
	flags = CREATE_EC_CALLER_UTCB;
	arg3 = 2 * UTCB;
	assert_int_equal(create(FREE + 1, OTHER_PD), SUCCESS);
	assert_true(mapped(world_pd, 2 * UTCB) && !mapped(pd, 2 * UTCB));
	arg3 = 0; /* none */
	assert_int_equal(create(FREE + 2, OTHER_PD), SUCCESS);
	assert_false(mapped(world_pd, 0));
	world_drop(FREE);
	world_drop(FREE + 1);
	world_drop(FREE + 2);
	world_drop(OTHER_PD);
}

/* The CPU, the parent, the address, the flags, the selector. */
UNIT_TEST(order_of_checks)
{
	flags = 6;
	arg3 = HEDRON_USER_END | WORLD_CPUS;
	assert_int_equal(create(BEYOND, FREE), BAD_CPU);
	arg3 = HEDRON_USER_END | 0xfff;
	assert_int_equal(create(BEYOND, FREE), BAD_CPU);
	arg3 = HEDRON_USER_END;
	assert_int_equal(create(SELF, FREE), BAD_CAP);
	assert_int_equal(create(SELF, WORLD_SEL_PD), BAD_PAR);
	arg3 = 0xffff800000000000;
	assert_int_equal(create(SELF, WORLD_SEL_PD), BAD_PAR);
	arg3 = UTCB;
	for (flags = 0; flags < 16; flags++)
		if (flags & 6)
			assert_int_equal(create(SELF, WORLD_SEL_PD), BAD_PAR);
	flags = 0;
	assert_int_equal(create(SELF, WORLD_SEL_PD), BAD_CAP);
	assert_int_equal(create(BEYOND, WORLD_SEL_PD), BAD_PAR);
	assert_false(mapped(world_pd, UTCB));
	arg3 = HEDRON_USER_END - PAGE_SIZE;
	assert_int_equal(create(FREE, WORLD_SEL_PD), SUCCESS);
	world_drop(FREE);
}

UNIT_TEST(offline_cpus)
{
	cpus_online[0] &= ~bit(1);
	flags = 0;
	arg3 = 1;
	assert_int_equal(create(FREE, WORLD_SEL_PD), BAD_CPU);
	cpus_online[0] |= bit(1);
	assert_int_equal(create(FREE, WORLD_SEL_PD), SUCCESS);
	world_drop(FREE);
}

UNIT_TEST(yield)
{
	struct ec *peer = world_thread(0x400, 0, 10);
	struct regs *r = &hc_self->regs;
	for (unsigned op = 0; op < 4; op++)
		if (op != EC_CTRL_YIELD)
			assert_int_equal(hc(HC_ARG1(HC_EC_CTRL, op, 0), 0, 0, 0, 0), BAD_PAR);
	r->rdi = HC_ARG1(HC_EC_CTRL, EC_CTRL_YIELD, 0);
	assert_runs(host_run(hc_enter, NULL), peer);
	assert_int_equal(r->rdi, SUCCESS);
	peer->regs.rdi = HC_ARG1(HC_EC_CTRL, EC_CTRL_YIELD, 0);
	assert_runs(host_run(hc_enter, NULL), hc_self);
	world_drop(0x401);
	world_drop(0x400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HC_TEST(creation),     HC_TEST(whose_utcb), HC_TEST(order_of_checks),
		HC_TEST(offline_cpus), HC_TEST(yield),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
