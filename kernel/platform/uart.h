/* SPDX-License-Identifier: GPL-2.0-or-later */
/* COM1 as a console: 115200 8n1, polled. Needs arch_outb() and arch_inb(). Manual: 16550D data sheet, 8. */
#pragma once

#include "lib/types.h"

/* Programs the UART and adds it to the consoles. False: there is none. */
bool uart_init(void);

/* Programs the UART again, after the machine slept. */
bool uart_restore(void);
