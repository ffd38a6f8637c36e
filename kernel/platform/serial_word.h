/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The word that names the serial line: `serial`, or serial=PLACE[,BAUD[PARITY[BITS]]][,stride=N][,clock=HZ]
 *
 *   auto            the line that the machine has (platform/serial.h), as with `serial` alone
 *   com1 .. com4    the ports 0x3f8, 0x2f8, 0x3e8 and 0x2e8
 *   0x3f8           any port
 *   mmio:0xfe034000 device registers in memory
 *   pci:00:16.3     a card: bus and device in hexadecimal, as lspci writes them
 *
 * PARITY is n, e or o; BITS 5 to 8. `stride` is the distance from one register in memory to the next, and their
 * width: 1, 2 or 4. `clock` is what the UART divides by 16 and its divisor.
 */
#pragma once

#include "platform/uart.h"

enum serial_place { SERIAL_NONE, SERIAL_AUTO, SERIAL_PORT, SERIAL_MMIO, SERIAL_PCI };

struct serial_word {
	enum serial_place place;
	u64 at;          /* port, physical address, or function of PCI: bus, device and function in 8, 5 and 3 bits */
	u32 baud, clock; /* 0: not said */
	u8 lcr;          /* counts where baud is said */
	u8 stride;       /* 0: not said */
};

/* What follows `serial=`. False: it is not of this form, or no UART can be so; *out is then `auto`. */
bool serial_word_parse(const char *text, size_t length, struct serial_word *out) must_check;
