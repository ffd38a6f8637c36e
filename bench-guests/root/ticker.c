/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A driver in small, that of docs/roottask.md: the PIT interrupts a hundred times a second, a thread counts. */
#include "rt/console.h"
#include "rt/hip.h"
#include "rt/irq_ctrl.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/port.h"
#include "rt/start.h"
#include "rt/thread.h"

enum { LINE = 0, COUNTER = 0x40, MODE = 0x43, RATE = 0x34, HZ_100 = 11932 };

static sel_t irq, tenth;

static void start_device(void)
{
	RT_MUST(rt_ports(COUNTER, 2));
	rt_out8(MODE, RATE);
	rt_out8(COUNTER, HZ_100 & 0xff);
	rt_out8(COUNTER, HZ_100 >> 8);
}

/* The device has nothing to be asked: so the interrupt is acknowledged at once. */
static void drive(RT_UNUSED void *unused)
{
	for (unsigned long ticks = 1;; ticks++) {
		RT_MUST(hc_sm_down(irq));
		RT_MUST(hc_irq_ack(irq));
		if (ticks % 10 == 0)
			RT_MUST(hc_sm_up(tenth));
	}
}

bool main(void)
{
	struct rt_ec driver = {.cpu = rt_cpu};

	if (!(rt_hip->api_flg & HIP_EXT_IRQ))
		return false;
	RT_MUST(hc_irq_open());
	RT_MUST(rt_sm(&irq, 0));
	RT_MUST(rt_sm(&tenth, 0));
	RT_MUST(hc_irq_bind_line(irq, IRQ_LINE_ISA | LINE, rt_cpu));
	RT_MUST(rt_thread(&driver, RT_PRIO + 1, drive, NULL));
	start_device();
	for (unsigned i = 1; i <= 5; i++) {
		RT_MUST(hc_sm_down(tenth));
		rt_printf("ticker: %u00 ms\n", i);
	}
	return true;
}
