/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MEMORY_CTRL. What accounts do: tests/unit/mm/account_test.c. */
#include "hypercall.h"

#include <hedron/memory.h>

#define OTHER FREE
#define MADE (FREE + 1)

static enum status ctrl(unsigned op, u64 pd, u64 from, u64 bytes)
{
	return hc(HC_ARG1(HC_MEMORY_CTRL, op, pd), from, bytes, 4, 5);
}

UNIT_TEST(order_of_checks)
{
	assert_int_equal(hc(HC_ARG1(HC_CREATE_PD, 0, OTHER), WORLD_SEL_PD, 0, 0, 0), SUCCESS);
	for (unsigned op = MEMORY_CTRL_MOVE + 1; op < 16; op++)
		assert_int_equal(ctrl(op, BEYOND, BEYOND, 0), BAD_PAR);
	assert_int_equal(ctrl(MEMORY_CTRL_LOOK, BEYOND, 0, 0), BAD_CAP);
	assert_int_equal(ctrl(MEMORY_CTRL_LOOK, SELF, 0, 0), BAD_CAP);
	assert_int_equal(ctrl(MEMORY_CTRL_MOVE, BEYOND, BEYOND, ~0ul), BAD_CAP);
	assert_int_equal(ctrl(MEMORY_CTRL_MOVE, OTHER, SELF, ~0ul), BAD_CAP);
	assert_int_equal(ctrl(MEMORY_CTRL_MOVE, OTHER, OTHER, ~0ul), BAD_PAR);
	assert_int_equal(ctrl(MEMORY_CTRL_MOVE, OTHER, WORLD_SEL_PD, ~0ul), OOM);
	assert_int_equal(hc_self->regs.rsi, WORLD_SEL_PD);
	assert_int_equal(hc_self->regs.rdx, ~0ul);
	assert_int_equal(hc_self->regs.rax, 4);
	world_drop(OTHER);
}

UNIT_TEST(moves_and_tells)
{
	assert_int_equal(hc(HC_ARG1(HC_CREATE_PD, 0, OTHER), WORLD_SEL_PD, 0, 0, 0), SUCCESS);
	struct account_state before = account_look(&((struct pd *)hc_object(OTHER))->account);
	assert_int_equal(before.limit, 0);
	assert_int_equal(ctrl(MEMORY_CTRL_MOVE, OTHER, WORLD_SEL_PD, 1000), SUCCESS);
	assert_int_equal(ctrl(MEMORY_CTRL_LOOK, OTHER, 0, 0), SUCCESS);
	assert_int_equal(hc_self->regs.rsi, before.used);
	assert_int_equal(hc_self->regs.rdx, before.used + 1000);
	assert_int_equal(hc_self->regs.rax, 1000);
	assert_int_equal(hc(HC_ARG1(HC_CREATE_KP, 0, MADE), OTHER, 0, 0, 0), OOM);
	assert_int_equal(hc(HC_ARG1(HC_CREATE_SM, 0, MADE), OTHER, 0, 0, 0), SUCCESS);
	world_drop(MADE);
	world_drop(OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HC_TEST(order_of_checks),
		HC_TEST(moves_and_tells),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
