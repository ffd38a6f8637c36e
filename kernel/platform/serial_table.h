/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Serial lines in the tables of the firmware: SPCR names the one on which it talks itself, DBG2 those for debuggers.
 * Both tell of much that is no UART of a PC; that is left out. Tables are untrusted, their checksums have been
 * checked. Manual: Microsoft, Serial Port Console Redirection Table, revisions 1 to 4; Debug Port Table 2; ACPI
 * Specification 6.5, 5.2.3.2.
 */
#pragma once

#include "platform/uart.h"

#define SERIAL_NO_PCI (~0u)

/* A line, from wherever it is known; line.base is 0 if there is none. */
struct serial_found {
	struct uart_line line;
	u32 pci; /* the function that decodes it, as in serial_word.at; SERIAL_NO_PCI: none, or not known */
};

/* The table of `length` bytes at pa. */
void serial_table_spcr(u64 pa, u32 length, struct serial_found *out);
void serial_table_dbg2(u64 pa, u32 length, struct serial_found *out);
