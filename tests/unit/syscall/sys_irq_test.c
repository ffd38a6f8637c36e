/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IRQ_CTRL: the order of checks, and what comes back. What sources do: tests/unit/core/irq_test.c. */
#include "hypercall.h"

#include "core/irq.c"

#include <hedron/irq.h>

enum { SM = FREE, WEAK = FREE + 1 };

static enum status ctrl(unsigned op, u64 sel, u64 arg2, u64 arg3)
{
	return hc(HC_ARG1(HC_IRQ_CTRL, op, sel), arg2, arg3, 4, 5);
}

static int setup(void **state)
{
	hc_setup(state);
	irq_init_cache();
	world_pd->passthrough = true;
	return 0;
}

static int teardown(void **state)
{
	world_drop(SM);
	world_drop(WEAK);
	world_free_all();
	give_tables();
	irq_opening = IRQ_CLOSED;
	return hc_teardown(state);
}

#define IRQ_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void open_with_sm(void)
{
	assert_int_equal(ctrl(IRQ_CTRL_OPEN, 0, 0, 0), SUCCESS);
	assert_int_equal(hc(HC_ARG1(HC_CREATE_SM, 0, SM), WORLD_SEL_PD, 0, 0, 0), SUCCESS);
}

UNIT_TEST(order_of_checks)
{
	for (unsigned op = IRQ_CTRL_COUNT + 1; op < 16; op++)
		assert_int_equal(ctrl(op, BEYOND, ~0ul, ~0ul), BAD_PAR);
	for (unsigned op = IRQ_CTRL_BIND_LINE; op <= IRQ_CTRL_COUNT; op++)
		assert_int_equal(ctrl(op, BEYOND, ~0ul, ~0ul), BAD_FTR);
	world_pd->passthrough = false;
	for (unsigned op = IRQ_CTRL_OPEN; op <= IRQ_CTRL_COUNT; op++)
		assert_int_equal(ctrl(op, BEYOND, ~0ul, ~0ul), op == IRQ_CTRL_ACK ? BAD_FTR : BAD_CAP);
	world_pd->passthrough = true;
	open_with_sm();
	for (unsigned op = IRQ_CTRL_BIND_LINE; op < IRQ_CTRL_COUNT; op++) {
		assert_int_equal(ctrl(op, BEYOND, ~0ul, ~0ul), BAD_CAP);
		assert_int_equal(ctrl(op, SELF, ~0ul, ~0ul), BAD_CAP);
	}
	assert_int_equal(ctrl(IRQ_CTRL_BIND_LINE, SM, ~0ul, ~0ul), BAD_PAR);
	assert_int_equal(ctrl(IRQ_CTRL_BIND_LINE, SM, IRQ_LINE_ISA | 16, ~0ul), BAD_PAR);
	assert_int_equal(ctrl(IRQ_CTRL_BIND_LINE, SM, IRQ_LINE_ISA | IRQ_LINE_LOW, ~0ul), BAD_PAR);
	assert_int_equal(ctrl(IRQ_CTRL_BIND_LINE, SM, HOST_IRQ_LINES, ~0ul), BAD_DEV);
	assert_int_equal(ctrl(IRQ_CTRL_BIND_LINE, SM, 3, ~0ul), BAD_CPU);
	assert_int_equal(ctrl(IRQ_CTRL_BIND_MESSAGE, SM, 0, WORLD_CPUS), BAD_CPU);
	assert_int_equal(ctrl(IRQ_CTRL_MOVE, SM, 0, 1ul << 32), BAD_CPU);
	assert_int_equal(ctrl(IRQ_CTRL_COUNT, 0, 0, 128), BAD_CPU);
	assert_int_equal(ctrl(IRQ_CTRL_UNBIND, SM, 0, 0), BAD_PAR);
	assert_int_equal(hc_self->regs.rax, 4);
}

UNIT_TEST(lines)
{
	open_with_sm();
	assert_int_equal(ctrl(IRQ_CTRL_BIND_LINE, SM, IRQ_LINE_ISA, 2), SUCCESS);
	assert_int_equal(host_irq.line[2].cpu_id, 2);
	assert_false(host_irq.line[2].level);
	assert_int_equal(ctrl(IRQ_CTRL_UNBIND, SM, 0, 0), SUCCESS);
	assert_int_equal(ctrl(IRQ_CTRL_BIND_LINE, SM, 17 | IRQ_LINE_LEVEL | IRQ_LINE_LOW, 1), SUCCESS);
	assert_true(host_irq.line[17].level && host_irq.line[17].low);
	assert_int_equal(ctrl(IRQ_CTRL_MOVE, SM, 0, 3), SUCCESS);
	assert_int_equal(host_irq.line[17].cpu_id, 3);
	assert_int_equal(ctrl(IRQ_CTRL_ACK, SM, 0, 0), SUCCESS);
}

UNIT_TEST(messages)
{
	open_with_sm();
	assert_int_equal(ctrl(IRQ_CTRL_BIND_MESSAGE, SM, 0, 1), SUCCESS);
	assert_int_equal(hc_self->regs.rsi, 0x1001);
	assert_int_equal(hc_self->regs.rdx, 0);
	assert_int_equal(ctrl(IRQ_CTRL_BIND_MESSAGE, SM, 7, 1), BUSY);
	assert_int_equal(hc_self->regs.rsi, 7);
	irq_take(cpu_current(), 3);
	assert_int_equal(ctrl(IRQ_CTRL_COUNT, 0, 0, 0), SUCCESS);
	assert_int_equal(hc_self->regs.rsi, 1);
	assert_int_equal(hc_self->regs.rdx, 1);
	assert_int_equal(hc_self->regs.rax, 0);
}

/* Up to bind, down to acknowledge. */
UNIT_TEST(permissions)
{
	open_with_sm();
	assert_int_equal(host_delegate(world_pd, SM, world_pd, WEAK, 0, PERM_SM_DOWN), SUCCESS);
	assert_int_equal(ctrl(IRQ_CTRL_BIND_LINE, WEAK, 3, 0), BAD_CAP);
	assert_int_equal(ctrl(IRQ_CTRL_BIND_LINE, SM, 3, 0), SUCCESS);
	assert_int_equal(ctrl(IRQ_CTRL_ACK, WEAK, 0, 0), SUCCESS);
	assert_int_equal(ctrl(IRQ_CTRL_UNBIND, WEAK, 0, 0), BAD_CAP);
	hc_weaken(SM, PERM_SM_DOWN);
	assert_int_equal(ctrl(IRQ_CTRL_ACK, SM, 0, 0), BAD_CAP);
	assert_int_equal(ctrl(IRQ_CTRL_UNBIND, SM, 0, 0), SUCCESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IRQ_TEST(order_of_checks),
		IRQ_TEST(lines),
		IRQ_TEST(messages),
		IRQ_TEST(permissions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
