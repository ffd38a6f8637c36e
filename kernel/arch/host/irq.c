/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupt controllers that only remember what they were told. */
#include "host.h"

#include "arch/irq.h"

struct host_irq host_irq;

enum status arch_irq_supported(void)
{
	return host_irq.missing ? BAD_FTR : SUCCESS;
}

void arch_irq_open(void)
{
	host_irq.opened++;
}

void arch_irq_window(void)
{
	host_irq.windows++;
	if (host_irq.window)
		host_irq.window();
}

void arch_irq_end(void)
{
	host_irq.ended++;
}

bool arch_irq_reaches(unsigned cpu_id)
{
	(void)cpu_id;
	return true;
}

bool arch_irq_has_line(u32 number)
{
	return number < HOST_IRQ_LINES;
}

/* As on most machines: the PIT is at input 2, and 9 is by level. */
struct irq_line arch_irq_isa(unsigned isa)
{
	return (struct irq_line){.number = isa ? isa : 2, .level = isa == 9};
}

void arch_irq_route(struct irq_line line, unsigned cpu_id, unsigned vector, bool masked)
{
	host_irq.line[line.number] = (struct host_irq_line){cpu_id, vector, line.level, line.low, masked, true};
}

void arch_irq_mask(u32 number, bool masked)
{
	host_irq.line[number].masked = masked;
}

struct arch_irq_message arch_irq_message(unsigned cpu_id, unsigned vector)
{
	return (struct arch_irq_message){0x1000 + cpu_id, vector};
}
