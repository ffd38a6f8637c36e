/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What interrupts: the PIT by edges, the UART by level, the local APIC by messages. All machines have them. */
#pragma once

#include "rt/irq_ctrl.h"

#include <stdbool.h>

/* Asks for ports and memory. */
void irq_device_init(void);

/* Channel 0 of the PIT: silent; one edge in `ticks` of 838 ns; an edge every `ticks`. */
#define IRQ_PIT_ISA 0
void irq_pit_stop(void);
void irq_pit_once(unsigned ticks);
void irq_pit_every(unsigned ticks);

/* The UART that the console uses, which has nothing to send: its line is high while it is on. */
#define IRQ_UART_ISA 4
bool irq_uart_there(void);
void irq_uart_on(void);
void irq_uart_off(void);

/* What a device would write. False: the local APIC is in another mode, in which no program can send. */
bool irq_can_send(void);
void irq_send(const struct hc_irq_message *m);
