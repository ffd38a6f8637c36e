/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 8042 keyboard controller of a PC without a keyboard and without a mouse: operating systems find that none is
 * there, and reset the machine with it. Ports: 0x60 (data), 0x64 (status, command).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { KBC_COMMAND = 0x64, KBC_RESET = 0xfe }; /* what pulses the reset line */

struct kbc {
	uint8_t mode, output, command, port;
	bool full;  /* `output` waits to be read */
	bool told;  /* the last write was a command */
	bool reset; /* the guest has pulled the machine's reset line */
};

void kbc_reset(struct kbc *k);
bool kbc_interrupt(const struct kbc *k); /* level of interrupt 1 */
uint8_t kbc_read(struct kbc *k, uint16_t port);
void kbc_write(struct kbc *k, uint16_t port, uint8_t value);
