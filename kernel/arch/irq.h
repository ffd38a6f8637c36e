/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What core/irq.c needs of the machine: interrupt controllers, and interrupts that come to the kernel. Vectors are
 * numbers of 0 to IRQ_VECTORS - 1 of a CPU.
 */
#pragma once

#include "lib/types.h"
#include "platform/irq_map.h"

#include <hedron/abi.h>
#include <hedron/irq.h>

struct arch_irq_message {
	u64 address;
	u32 data;
};

/* BAD_FTR: interrupts cannot be had on this machine. */
enum status arch_irq_supported(void) must_check;
/* Interrupts end in the kernel from now on, on all CPUs, in irq_take(). In a hypercall; no lines are bound. */
void arch_irq_open(void);
/* Takes what is pending on this CPU, where the kernel is interrupted otherwise never. The caller holds no lock. */
void arch_irq_window(void);
/* The interrupt that irq_take() is about is over for the local interrupt controller. */
void arch_irq_end(void);

/* Whether interrupts can be sent to that CPU. */
bool arch_irq_reaches(unsigned cpu_id);
/* Whether an interrupt controller has this line; which line an interrupt of the ISA bus comes to. */
bool arch_irq_has_line(u32 number);
struct irq_line arch_irq_isa(unsigned isa);

/* A line leads to that CPU and vector from now on. */
void arch_irq_route(struct irq_line line, unsigned cpu_id, unsigned vector, bool masked);
/* What comes meanwhile by edges is lost. */
void arch_irq_mask(u32 number, bool masked);
/* What a device has to write where. */
struct arch_irq_message arch_irq_message(unsigned cpu_id, unsigned vector);
