/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/uart.h"

enum { DATA, INTERRUPT_ENABLE, INTERRUPT_ID, LINE_CONTROL, MODEM_CONTROL, LINE_STATUS, MODEM_STATUS, SCRATCH };
enum { FIFO_CONTROL = INTERRUPT_ID };
enum { ENABLE_RECEIVED = 1, ENABLE_SENT = 2, ENABLE_LINE = 4, ENABLE_MODEM = 8 };
enum { ID_NONE = 1, ID_MODEM = 0, ID_SENT = 2, ID_RECEIVED = 4, ID_LINE = 6, ID_TIMEOUT = 12, ID_FIFO = 0xc0 };
enum { FIFO_ENABLE = 1, FIFO_CLEAR_RECEIVED = 2 };
enum { DIVISOR_ACCESS = 0x80 };
enum { CONTROL_DTR = 1, CONTROL_RTS = 2, CONTROL_OUT1 = 4, CONTROL_OUT2 = 8, CONTROL_LOOP = 16, CONTROL_BITS = 0x1f };
enum { STATUS_READY = 1, STATUS_OVERRUN = 2, STATUS_EMPTY = 0x60 };
enum { MODEM_CTS = 0x10, MODEM_DSR = 0x20, MODEM_RI = 0x40, MODEM_DCD = 0x80 };

/* With loopback the outputs of the modem control are its inputs; else there is a terminal that is ready. */
static uint8_t modem_lines(const struct uart *u)
{
	uint8_t control = u->modem_control;

	if (!(control & CONTROL_LOOP))
		return MODEM_CTS | MODEM_DSR | MODEM_DCD;
	return (uint8_t)((control & CONTROL_RTS ? MODEM_CTS : 0) | (control & CONTROL_DTR ? MODEM_DSR : 0) |
			 (control & CONTROL_OUT1 ? MODEM_RI : 0) | (control & CONTROL_OUT2 ? MODEM_DCD : 0));
}

/* Interrupts in the order of their priority. A FIFO that is not filled to its trigger is told by the timeout. */
static uint8_t identify(const struct uart *u)
{
	if (u->enabled & ENABLE_LINE && u->overrun)
		return ID_LINE;
	if (u->enabled & ENABLE_RECEIVED && u->held)
		return u->has_fifo && u->held < u->trigger ? ID_TIMEOUT : ID_RECEIVED;
	if (u->enabled & ENABLE_SENT && u->sent)
		return ID_SENT;
	if (u->enabled & ENABLE_MODEM && u->changed)
		return ID_MODEM;
	return ID_NONE;
}

bool uart_interrupt(const struct uart *u)
{
	return u->modem_control & CONTROL_OUT2 && !(u->modem_control & CONTROL_LOOP) && identify(u) != ID_NONE;
}

bool uart_has_room(const struct uart *u)
{
	return u->held < (u->has_fifo ? UART_FIFO : 1);
}

void uart_receive(struct uart *u, uint8_t byte)
{
	if (!uart_has_room(u)) {
		u->overrun = true;
		return;
	}
	u->fifo[(u->first + u->held++) % UART_FIFO] = byte;
}

static uint8_t take(struct uart *u)
{
	uint8_t byte = u->fifo[u->first];

	if (!u->held)
		return 0;
	u->first = (u->first + 1) % UART_FIFO;
	u->held--;
	return byte;
}

static void send(struct uart *u, uint8_t byte)
{
	u->sent = true;
	if (u->modem_control & CONTROL_LOOP)
		uart_receive(u, byte);
	else
		u->send(u->arg, byte);
}

static void set_fifo(struct uart *u, uint8_t value)
{
	static const uint8_t triggers[] = {1, 4, 8, 14};

	if (u->has_fifo != (value & FIFO_ENABLE) || value & FIFO_CLEAR_RECEIVED)
		u->held = 0;
	u->has_fifo = value & FIFO_ENABLE;
	u->trigger = triggers[value >> 6];
}

static void set_modem_control(struct uart *u, uint8_t value)
{
	uint8_t before = modem_lines(u), now;

	u->modem_control = value & CONTROL_BITS;
	now = modem_lines(u);
	/* The ring indicator tells its end only. */
	u->changed |=
		(uint8_t)(((before ^ now) & (uint8_t)~MODEM_RI) >> 4 | (before & (uint8_t)~now & MODEM_RI) >> 4);
}

void uart_reset(struct uart *u)
{
	*u = (struct uart){.send = u->send, .arg = u->arg, .divisor = 1, .trigger = 1};
}

static uint8_t read_id(struct uart *u)
{
	uint8_t id = identify(u);

	if (id == ID_SENT)
		u->sent = false;
	return id | (u->has_fifo ? ID_FIFO : 0);
}

static uint8_t read_line_status(struct uart *u)
{
	uint8_t value = (uint8_t)(STATUS_EMPTY | (u->held ? STATUS_READY : 0) | (u->overrun ? STATUS_OVERRUN : 0));

	u->overrun = false;
	return value;
}

static uint8_t read_modem_status(struct uart *u)
{
	uint8_t value = modem_lines(u) | u->changed;

	u->changed = 0;
	return value;
}

uint8_t uart_read(struct uart *u, unsigned reg)
{
	bool divisor = u->line_control & DIVISOR_ACCESS;

	switch (reg) {
	case DATA:
		return divisor ? (uint8_t)u->divisor : take(u);
	case INTERRUPT_ENABLE:
		return divisor ? (uint8_t)(u->divisor >> 8) : u->enabled;
	case INTERRUPT_ID:
		return read_id(u);
	case LINE_CONTROL:
		return u->line_control;
	case MODEM_CONTROL:
		return u->modem_control;
	case LINE_STATUS:
		return read_line_status(u);
	case MODEM_STATUS:
		return read_modem_status(u);
	default:
		return u->scratch;
	}
}

void uart_write(struct uart *u, unsigned reg, uint8_t value)
{
	bool divisor = u->line_control & DIVISOR_ACCESS;

	switch (reg) {
	case DATA:
		if (divisor)
			u->divisor = (uint16_t)((u->divisor & 0xff00) | value);
		else
			send(u, value);
		break;
	case INTERRUPT_ENABLE:
		if (divisor) {
			u->divisor = (uint16_t)((u->divisor & 0xff) | value << 8);
			break;
		}
		/* Enabling the interrupt of an empty transmitter raises it. */
		if (value & ~u->enabled & ENABLE_SENT)
			u->sent = true;
		u->enabled = value & 0xf;
		break;
	case FIFO_CONTROL:
		set_fifo(u, value);
		break;
	case LINE_CONTROL:
		u->line_control = value;
		break;
	case MODEM_CONTROL:
		set_modem_control(u, value);
		break;
	case SCRATCH:
		u->scratch = value;
		break;
	default:
		break; /* the statuses are read only */
	}
}
