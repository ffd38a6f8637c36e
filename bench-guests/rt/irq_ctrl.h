/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stubs of the hypercall IRQ_CTRL, as <hedron/irq.h> describes it. */
#pragma once

#include "rt/hypercall.h"

#include <hedron/irq.h>
#include <stdint.h>

struct hc_irq_message {
	uint64_t address, data;
};

struct hc_irq_counts {
	unsigned long taken, strays, spurious;
};

HC_ALWAYS enum status hc_irq_open(void)
{
	return hc_1(HC_ARG1(HC_IRQ_CTRL, IRQ_CTRL_OPEN, 0));
}

/* `line`: IRQ_LINE_*. */
HC_ALWAYS enum status hc_irq_bind_line(sel_t sm, unsigned long line, unsigned cpu)
{
	return hc_3(HC_ARG1(HC_IRQ_CTRL, IRQ_CTRL_BIND_LINE, sm), line, cpu);
}

/* What the device is to write where. */
HC_ALWAYS enum status hc_irq_bind_message(sel_t sm, unsigned cpu, struct hc_irq_message *m)
{
	struct hc_regs r = {HC_ARG1(HC_IRQ_CTRL, IRQ_CTRL_BIND_MESSAGE, sm), 0, cpu, 0, 0};
	enum status st = hc_raw(&r);

	*m = (struct hc_irq_message){r.rsi, r.rdx};
	return st;
}

HC_ALWAYS enum status hc_irq_unbind(sel_t sm)
{
	return hc_1(HC_ARG1(HC_IRQ_CTRL, IRQ_CTRL_UNBIND, sm));
}
HC_ALWAYS enum status hc_irq_move(sel_t sm, unsigned cpu)
{
	return hc_3(HC_ARG1(HC_IRQ_CTRL, IRQ_CTRL_MOVE, sm), 0, cpu);
}
HC_ALWAYS enum status hc_irq_ack(sel_t sm)
{
	return hc_1(HC_ARG1(HC_IRQ_CTRL, IRQ_CTRL_ACK, sm));
}

HC_ALWAYS enum status hc_irq_count(unsigned cpu, struct hc_irq_counts *c)
{
	struct hc_regs r = {HC_ARG1(HC_IRQ_CTRL, IRQ_CTRL_COUNT, 0), 0, cpu, 0, 0};
	enum status st = hc_raw(&r);

	*c = (struct hc_irq_counts){r.rsi, r.rdx, r.rax};
	return st;
}
