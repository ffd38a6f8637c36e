/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/uart.h"

#include "arch/cpu.h"
#include "arch/ports.h"
#include "platform/console.h"

#define COM1 0x3f8

/* Register offsets; the divisor latch replaces the first two while LCR_DLAB is set. */
enum { THR = 0, DLL = 0, IER = 1, DLM = 1, FCR = 2, LCR = 3, MCR = 4, LSR = 5, SCR = 7 };

enum {
	FCR_ENABLE_CLEAR = 0x07,
	LCR_8N1 = 0x03,
	LCR_DLAB = 0x80,
	MCR_DTR_RTS = 0x03,
	LSR_THRE = 0x20, /* the whole transmit FIFO is empty */
};

#define FIFO_SIZE 16

/* A full FIFO takes 1.4 ms to drain and a poll about 1 us; flow control may hold it for longer. */
#define POLLS_MAX 65536

/* The FIFO has not become empty in POLLS_MAX looks (flow control, and nobody reads). Until it does there is one look
 * for each load of the FIFO, so that messages are lost and the kernel is not slow. */
static bool stuck;

static void out(u16 reg, u8 v)
{
	arch_outb((u16)(COM1 + reg), v);
}
static u8 in(u16 reg)
{
	return arch_inb((u16)(COM1 + reg));
}

static bool wait_empty(void)
{
	for (u32 polls = stuck ? 1 : POLLS_MAX; polls; polls--) {
		if (in(LSR)&LSR_THRE) {
			stuck = false;
			return true;
		}
		arch_relax();
	}
	stuck = true;
	return false;
}

static bool scratch_keeps(u8 v)
{
	out(SCR, v);
	return in(SCR) == v;
}

/* Whether there is a UART: only that keeps what is written to its scratch register. Two patterns are tried, because a
 * floating bus may return what was last on it. */
static bool is_present(void)
{
	return scratch_keeps(0x5a) && scratch_keeps(0xa5) && in(LSR) != 0xff;
}

bool uart_restore(void)
{
	if (!is_present())
		return false;
	out(IER, 0);
	out(LCR, LCR_DLAB);
	out(DLL, 1); /* 115200 */
	out(DLM, 0);
	out(LCR, LCR_8N1);
	out(FCR, FCR_ENABLE_CLEAR);
	out(MCR, MCR_DTR_RTS);
	stuck = false;
	return true;
}

/* The room in the FIFO is not remembered between messages, because user land writes to the same UART. */
static void uart_write(const char *text, size_t length)
{
	unsigned room = 0;

	for (size_t i = 0; i < length; i++) {
		if (room < 2) {
			if (!wait_empty())
				return;
			room = FIFO_SIZE;
		}
		if (text[i] == '\n') {
			out(THR, '\r');
			room--;
		}
		out(THR, (u8)text[i]);
		room--;
	}
}

bool uart_init(void)
{
	static struct console console = {.write = uart_write};

	if (!uart_restore())
		return false;
	console_add(&console);
	return true;
}
