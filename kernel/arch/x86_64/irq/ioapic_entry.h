/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Redirection entries of I/O APICs. Manual: Intel 82093AA data sheet, 3.2.4. */
#pragma once

#include "platform/irq_map.h"

#define IOAPIC_ENTRY_LOW (1ull << 13)
#define IOAPIC_ENTRY_LEVEL (1ull << 15)
#define IOAPIC_ENTRY_MASKED (1ull << 16)
#define IOAPIC_ENTRY_DESTINATION 56 /* an APIC ID of eight bits */

/* Fixed delivery to one CPU. `vector` is that of the IDT. */
static inline u64 ioapic_entry(struct irq_line line, u32 apic_id, unsigned vector, bool masked)
{
	return vector | (line.low ? IOAPIC_ENTRY_LOW : 0) | (line.level ? IOAPIC_ENTRY_LEVEL : 0) |
	       (masked ? IOAPIC_ENTRY_MASKED : 0) | (u64)apic_id << IOAPIC_ENTRY_DESTINATION;
}
