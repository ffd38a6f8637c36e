/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A UART of the 8250 family as a console, polled: from the 8250, which has neither FIFO nor scratch register, on,
 * with registers in I/O ports or in memory. There is one. Manual: 16550D data sheet, 8.
 */
#pragma once

#include "lib/types.h"

#define UART_REGISTERS 8
#define UART_CLOCK 1843200 /* Hz; of all that imitate the PC's */

/* Bits of the line control register; the lowest two are the number of data bits less 5. One stop bit. */
enum { UART_PARITY_NONE = 0x00, UART_PARITY_ODD = 0x08, UART_PARITY_EVEN = 0x18, UART_8N1 = 0x03 };

struct uart_line {
	u64 base;    /* the first port, or the physical address of the registers */
	u32 baud;    /* 0: the speed stays as it was found */
	u32 clock;   /* Hz */
	bool memory; /* registers are in memory */
	u8 stride;   /* bytes from one register to the next, and of an access; of ports always 1 */
	u8 lcr;      /* format of characters: UART_8N1 and the like */
};

/* Whether the registers can be there: at a multiple of their size, so that they do not leave their page. */
bool uart_can_be_at(const struct uart_line *line);

/* The divisor for a rate; 0 if there is none that comes near enough for the other side to understand. */
u16 uart_divisor(u32 clock, u32 baud);

/*
 * Programs the UART and adds it to the consoles. `registers` is where those in memory are mapped, uncached. False: it
 * does not behave like a UART; nothing is added.
 */
bool uart_open(const struct uart_line *line, volatile void *registers) must_check;

/* The same registers are mapped elsewhere from now on. Boot time, after uart_open(). */
void uart_move(volatile void *registers);

/* Programs the UART that was opened again, after the machine slept. False: it does not answer. */
bool uart_restore(void);
