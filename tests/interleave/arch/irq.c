/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scenarios open no interrupts: these are never called. */
#include "arch/irq.h"

enum status arch_irq_supported(void)
{
	return BAD_FTR;
}

void arch_irq_open(void) {}
void arch_irq_window(void) {}
void arch_irq_end(void) {}

bool arch_irq_reaches(unsigned cpu_id)
{
	(void)cpu_id;
	return false;
}

bool arch_irq_has_line(u32 number)
{
	(void)number;
	return false;
}

struct irq_line arch_irq_isa(unsigned isa)
{
	return (struct irq_line){.number = isa};
}

void arch_irq_route(struct irq_line line, unsigned cpu_id, unsigned vector, bool masked)
{
	(void)line;
	(void)cpu_id;
	(void)vector;
	(void)masked;
}

void arch_irq_mask(u32 number, bool masked)
{
	(void)number;
	(void)masked;
}

struct arch_irq_message arch_irq_message(unsigned cpu_id, unsigned vector)
{
	(void)cpu_id;
	return (struct arch_irq_message){0, vector};
}
