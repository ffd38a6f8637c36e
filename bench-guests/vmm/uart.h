/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 16550A serial port with FIFOs. What the guest sends leaves at once; what is received waits in a FIFO of 16 bytes.
 * Manual: National PC16550D data sheet. Ports: eight from a base on, which is taken off before.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define UART_PORTS 8
#define UART_FIFO 16

struct uart {
	void (*send)(void *arg, uint8_t byte); /* set by the owner */
	void *arg;
	uint8_t fifo[UART_FIFO];
	unsigned first, held; /* of the FIFO */
	uint16_t divisor;
	uint8_t enabled, line_control, modem_control, scratch;
	bool has_fifo;
	uint8_t trigger;
	bool sent;       /* the interrupt "transmitter is empty" has not been seen yet */
	bool overrun;    /* a received byte was lost */
	uint8_t changed; /* modem status: what changed since it was read */
};

void uart_reset(struct uart *u); /* keeps `send` and `arg` */

bool uart_has_room(const struct uart *u); /* for a received byte */
void uart_receive(struct uart *u, uint8_t byte);
bool uart_interrupt(const struct uart *u); /* level of its interrupt line */

uint8_t uart_read(struct uart *u, unsigned reg);
void uart_write(struct uart *u, unsigned reg, uint8_t value);
