/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "irq_device.h"

#include "rt/hip.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/panic.h"
#include "rt/port.h"

#include <stdint.h>

enum { PIT = 0x40, PIT_MODE = 0x43, PIT_ONCE = 0x30, PIT_RATE = 0x34 };
enum { UART = 0x3f8, UART_ENABLE = UART + 1, UART_MODEM = UART + 4, ENABLE_EMPTY = 2, MODEM_OUT2 = 8 };
enum { MSR_APIC_BASE = 0x1b, APIC_X2 = 1 << 10, ICR_LOW = 0x300, ICR_HIGH = 0x310, ICR_ASSERT = 1 << 14 };

static volatile uint8_t *apic;
static uint8_t modem;

static void map_apic(void)
{
	unsigned long base;

	RT_MUST(hc_msr_read(MSR_APIC_BASE, &base));
	if (!(base & APIC_X2))
		apic = rt_map(base & 0xffffff000, RT_PAGE, RT_MEM_RW);
}

void irq_device_init(void)
{
	RT_MUST(rt_ports(PIT, 2));
	irq_pit_stop();
	if (irq_uart_there()) {
		RT_MUST(rt_ports(UART, 3));
		modem = rt_in8(UART_MODEM);
	}
	map_apic();
}

/* Its output is low until a count is written. */
void irq_pit_stop(void)
{
	rt_out8(PIT_MODE, PIT_ONCE);
}

static void count(unsigned ticks)
{
	rt_out8(PIT, (uint8_t)ticks);
	rt_out8(PIT, (uint8_t)(ticks >> 8));
}

void irq_pit_once(unsigned ticks)
{
	rt_out8(PIT_MODE, PIT_ONCE);
	count(ticks);
}

void irq_pit_every(unsigned ticks)
{
	rt_out8(PIT_MODE, PIT_RATE);
	count(ticks);
}

bool irq_uart_there(void)
{
	const struct hip_gas *line = rt_hip_serial();

	return line && line->space == HIP_GAS_PORTS && line->addr == UART;
}

void irq_uart_on(void)
{
	rt_out8(UART_MODEM, modem | MODEM_OUT2);
	rt_out8(UART_ENABLE, ENABLE_EMPTY);
}

void irq_uart_off(void)
{
	rt_out8(UART_ENABLE, 0);
	rt_out8(UART_MODEM, modem);
}

bool irq_can_send(void)
{
	return apic;
}

static void write(unsigned offset, uint32_t value)
{
	*(volatile uint32_t *)(apic + offset) = value;
}

/* The destination is in bits 19:12 of a message's address. */
void irq_send(const struct hc_irq_message *m)
{
	write(ICR_HIGH, (uint32_t)(m->address >> 12 & 0xff) << 24);
	write(ICR_LOW, (uint32_t)m->data | ICR_ASSERT);
}
