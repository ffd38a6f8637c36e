/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Serial lines on PCI cards, by ports 0xcf8 and 0xcfc: the only way that works before anything is known of the
 * machine. At boot, and when it wakes up, while no other CPU runs. A function is bus, device and function in 8, 5 and
 * 3 bits. Manual: PCI Local Bus Specification 3.0, 3.2.2.3 and 6.1 to 6.2.5.
 */
#pragma once

#include "platform/uart.h"

#define SERIAL_PCI_END 0x10000u

/* The first function from `from` on that is a serial controller; SERIAL_PCI_END if there is none. */
u32 serial_pci_next(u32 from);

/* The UART behind the function's first base address that the firmware has set. False: there is none. */
bool serial_pci_line(u32 function, struct uart_line *out) must_check;

/* Lets the function answer at its ports, or in memory, and remembers how it was. */
void serial_pci_enable(u32 function, bool memory);

/* The function that was enabled last, if any, is as before. */
void serial_pci_disable(void);

/* After sleep: the function that is enabled, if any, gets its addresses back. Bridges before it are not touched. */
void serial_pci_restore(void);
