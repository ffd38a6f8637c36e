/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UARTs as they are found in machines, at ports or in memory, from an 8250 on, which has no FIFO and no scratch
 * register.
 */
#pragma once

#include "unit.h"

#include "host.h"
#include "platform/uart.h"

#define FAKE_UARTS 5
#define FAKE_SENT 16384
#define FAKE_MAPPED 0x100000000000 /* what is added to physical addresses when they are mapped */

struct fake_uart {
	u64 base;
	bool memory;
	unsigned stride;
	bool fifo;
	bool frozen;    /* the transmitter does not become empty any more */
	unsigned busy;  /* looks for which it is not empty */
	unsigned polls; /* looks at it */
	u8 ier, lcr, mcr, dll, dlm;
	bool fifo_on;
	unsigned room; /* bytes that can be written before the next look */
	size_t sent_count;
	char sent[FAKE_SENT];
};

static struct fake_uart fake_uart[FAKE_UARTS];
static unsigned fake_uart_count;

/* What reads where nothing is; or, where it floats, what was last written anywhere. */
static u8 fake_bus = 0xff;
static bool fake_bus_floats;

static inline u8 fake_uart_read(struct fake_uart *u, unsigned reg)
{
	bool latch = u->lcr & 0x80;

	switch (reg) {
	case 0:
		return latch ? u->dll : 0;
	case 1:
		return latch ? u->dlm : u->ier;
	case 2:
		return u->fifo_on ? 0xc1 : 0x01;
	case 3:
		return u->lcr;
	case 4:
		return u->mcr;
	case 5:
		u->polls++;
		if (u->frozen || (u->busy && u->busy--))
			return 0x00;
		u->room = u->fifo_on ? 16 : 1;
		return 0x60;
	default:
		return 0; /* no scratch register */
	}
}

static inline void fake_uart_send(struct fake_uart *u, u8 v)
{
	assert_true(u->room); /* else it would be lost */
	u->room--;
	assert_true(u->sent_count + 1 < FAKE_SENT);
	u->sent[u->sent_count++] = (char)v;
	u->sent[u->sent_count] = '\0';
}

static inline void fake_uart_write(struct fake_uart *u, unsigned reg, u8 v)
{
	bool latch = u->lcr & 0x80;

	switch (reg) {
	case 0:
		if (latch)
			u->dll = v;
		else
			fake_uart_send(u, v);
		break;
	case 1:
		if (latch)
			u->dlm = v;
		else
			u->ier = v & 0x0f;
		break;
	case 2:
		u->fifo_on = u->fifo && v & 1;
		break;
	case 3:
		u->lcr = v;
		break;
	case 4:
		u->mcr = v & 0x1f;
		break;
	default:
		break;
	}
}

static inline struct fake_uart *fake_uart_at(u64 address, bool memory, unsigned *reg)
{
	for (unsigned i = 0; i < fake_uart_count; i++) {
		struct fake_uart *u = &fake_uart[i];
		u64 offset = address - u->base;
		if (u->memory == memory && offset < 8 * u->stride && offset % u->stride == 0) {
			*reg = (unsigned)(offset / u->stride);
			return u;
		}
	}
	return NULL;
}

static u8 fake_in(u64 address, bool memory)
{
	unsigned reg;
	struct fake_uart *u = fake_uart_at(address, memory, &reg);

	return u ? fake_uart_read(u, reg) : fake_bus;
}

static void fake_out(u64 address, bool memory, u8 v)
{
	unsigned reg;
	struct fake_uart *u = fake_uart_at(address, memory, &reg);

	if (u)
		fake_uart_write(u, reg, v);
	if (fake_bus_floats)
		fake_bus = v;
}

static u8 fake_port_in(u16 port)
{
	return fake_in(port, false);
}

static void fake_port_out(u16 port, u8 v)
{
	fake_out(port, false, v);
}

static u8 fake_mmio_in(u64 at, unsigned width)
{
	unsigned reg;
	struct fake_uart *u = fake_uart_at(at - FAKE_MAPPED, true, &reg);

	assert_true(!u || u->stride == width); /* some UARTs take no other */
	return fake_in(at - FAKE_MAPPED, true);
}

static void fake_mmio_out(u64 at, unsigned width, u8 v)
{
	unsigned reg;
	struct fake_uart *u = fake_uart_at(at - FAKE_MAPPED, true, &reg);

	assert_true(!u || u->stride == width);
	fake_out(at - FAKE_MAPPED, true, v);
}

static u64 fake_map(u64 pa)
{
	return pa + FAKE_MAPPED;
}

/* A machine without any; after host_reset(). */
static inline void fake_uart_start(void)
{
	fake_uart_count = 0;
	fake_bus = 0xff;
	fake_bus_floats = false;
	host_on_in = fake_port_in;
	host_on_out = fake_port_out;
	host_on_mmio_in = fake_mmio_in;
	host_on_mmio_out = fake_mmio_out;
	host_on_map = fake_map;
}

/* A 16550A; as firmware may leave it: another speed, the divisor latch open, interrupts on. */
static inline struct fake_uart *fake_uart_add(u64 base, bool memory, unsigned stride)
{
	struct fake_uart *u = &fake_uart[fake_uart_count++];

	assert_true(fake_uart_count <= FAKE_UARTS);
	*u = (struct fake_uart){.base = base,
				.memory = memory,
				.stride = stride,
				.fifo = true,
				.ier = 0x0f,
				.lcr = 0x80,
				.mcr = 0x1f,
				.dll = 26};
	return u;
}
