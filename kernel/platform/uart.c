/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/uart.h"

#include "arch/cpu.h"
#include "arch/ports.h"
#include "lib/bits.h"
#include "platform/console.h"

/* Registers; the divisor latch replaces the first two while LCR_DLAB is set. */
enum { THR = 0, DLL = 0, IER = 1, DLM = 1, IIR = 2, FCR = 2, LCR = 3, MCR = 4, LSR = 5 };

enum {
	IER_BITS = 0x0f,
	IIR_FIFO = 0xc0, /* both bits: there is a FIFO, and it works */
	FCR_ENABLE_CLEAR = 0x07,
	LCR_DLAB = 0x80,
	MCR_DTR_RTS = 0x03,
	LSR_THRE = 0x20, /* the whole transmit FIFO is empty */
};

#define FIFO_SIZE 16

/*
 * How often is looked whether the FIFO is empty. A look takes 0.25 us to 1 us, a full FIFO 1.4 ms at 115200 baud and
 * longer at lower rates; flow control may hold it for longer.
 */
#define POLLS_MIN 65536u
#define POLLS_AT_ONE_BAUD (1u << 30)
#define SLOWEST 1200

/* Written by uart_open(), uart_move() and uart_restore() while no other CPU runs; `stuck` under the console's lock.
 */
static struct {
	struct uart_line line;
	volatile void *registers;
	unsigned fifo; /* bytes that the transmitter takes when it is empty */
	u16 divisor;
	u32 polls;
	bool stuck; /* the FIFO did not become empty in time (nobody reads). Until it does there is one look for each
		     * load, so that messages are lost and the kernel is not slow. */
} uart;

static volatile void *at(unsigned reg)
{
	return (volatile u8 *)uart.registers + reg * uart.line.stride;
}

static void out(unsigned reg, u8 v)
{
	if (uart.line.memory)
		arch_mmio_out(at(reg), uart.line.stride, v);
	else
		arch_outb((u16)(uart.line.base + reg), v);
}

static u8 in(unsigned reg)
{
	return uart.line.memory ? arch_mmio_in(at(reg), uart.line.stride) : arch_inb((u16)(uart.line.base + reg));
}

static bool wait_empty(void)
{
	for (u32 polls = uart.stuck ? 1 : uart.polls; polls; polls--) {
		if (in(LSR)&LSR_THRE) {
			uart.stuck = false;
			return true;
		}
		arch_relax();
	}
	uart.stuck = true;
	return false;
}

/* Something else is written in between, because a floating bus may return what was last on it. */
static bool ier_keeps(u8 v)
{
	out(IER, v);
	out(MCR, MCR_DTR_RTS);
	return (in(IER)&IER_BITS) == v;
}

/* Memory returns what was written. A UART has another register there for reading, in which this means nothing. */
static bool is_memory(void)
{
	out(FCR, FCR_ENABLE_CLEAR);
	return in(IIR) == FCR_ENABLE_CLEAR;
}

/*
 * Whether there is a UART: its interrupt enable register keeps four bits. Not all have a scratch register. Interrupts
 * of the transmitter stay off, the only ones with a cause by now; and without OUT2 none reaches a PC's controller.
 */
static bool is_present(void)
{
	if (in(LSR) == 0xff)
		return false;
	out(MCR, MCR_DTR_RTS);
	out(LCR, UART_8N1); /* with DLAB set, the divisor latch would be in the register's place */
	return ier_keeps(0x0d) && ier_keeps(0) && !is_memory();
}

/* The divisor that the firmware has left; where that is 0, which is none, the highest speed. */
static u16 divisor_found(void)
{
	u16 divisor = (u16)(in(DLL) | in(DLM) << 8);

	return divisor ? divisor : 1;
}

static void program(void)
{
	out(LCR, LCR_DLAB);
	if (!uart.divisor)
		uart.divisor = divisor_found();
	out(DLL, (u8)uart.divisor);
	out(DLM, (u8)(uart.divisor >> 8));
	out(LCR, uart.line.lcr);
	out(FCR, FCR_ENABLE_CLEAR);
	out(MCR, MCR_DTR_RTS);
	uart.fifo = (in(IIR)&IIR_FIFO) == IIR_FIFO ? FIFO_SIZE : 1;
	uart.stuck = false;
}

bool uart_restore(void)
{
	if (!is_present())
		return false;
	program();
	return true;
}

/* False: the byte is lost, and so had better be the rest of the message. */
static bool put(char c, unsigned *room)
{
	if (!*room) {
		if (!wait_empty())
			return false;
		*room = uart.fifo;
	}
	out(THR, (u8)c);
	--*room;
	return true;
}

/* The room in the FIFO is not remembered between messages, because user land writes to the same UART. */
static void uart_write(const char *text, size_t length)
{
	unsigned room = 0;

	for (size_t i = 0; i < length; i++)
		if ((text[i] == '\n' && !put('\r', &room)) || !put(text[i], &room))
			return;
}

static size_t uart_room(void)
{
	return in(LSR)&LSR_THRE ? uart.fifo : 0;
}

bool uart_can_be_at(const struct uart_line *line)
{
	u64 size = (u64)UART_REGISTERS * line->stride;

	return line->base && is_aligned(line->base, size) && (line->memory || line->base <= 0xffff);
}

u16 uart_divisor(u32 clock, u32 baud)
{
	u64 rate = 16ull * baud, divisor = rate ? (clock + rate / 2) / rate : 0, error;

	if (!divisor || divisor > 0xffff)
		return 0;
	error = clock > divisor * rate ? clock - divisor * rate : divisor * rate - clock;
	return error * 32 <= divisor * rate ? (u16)divisor : 0;
}

bool uart_open(const struct uart_line *line, volatile void *registers)
{
	static struct console console = {.write = uart_write, .room = uart_room, .sharing = CONSOLE_SHARED};

	uart.line = *line;
	uart.registers = registers;
	uart.divisor = line->baud ? uart_divisor(line->clock, line->baud) : 0;
	uart.polls = (u32)max_u64(POLLS_MIN, POLLS_AT_ONE_BAUD / max_u64(line->baud, SLOWEST));
	if (!uart_restore())
		return false;
	console_add(&console);
	return true;
}

void uart_move(volatile void *registers)
{
	uart.registers = registers;
}
