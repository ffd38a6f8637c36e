/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O APICs: what lines come to which CPU. Each has two registers to be seen, of which one chooses what the other is.
 * Locking: one lock for all, which comes last. Manual: Intel 82093AA data sheet.
 */
#pragma once

#include "platform/irq_map.h"

/* Boot processor: maps the chips' registers. They keep what firmware has written to them. */
void ioapic_init(const struct irq_map *map);
/* All lines are masked, whatever firmware or user land have made of them. */
void ioapic_mask_all(void);
/* Writes all entries again, after the chips were reset. */
void ioapic_restore(void);

struct irq_line ioapic_isa(unsigned isa);
bool ioapic_has(u32 line);
void ioapic_write(u32 line, u64 entry);
void ioapic_mask(u32 line, bool masked);
