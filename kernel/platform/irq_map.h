/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What firmware says of interrupt lines: the I/O APICs with the global numbers from which on they count their inputs,
 * and which input an interrupt of the ISA bus comes to. Manual: ACPI Specification 6.5, 5.2.12.3, 5.2.12.5, 5.2.13.
 */
#pragma once

#include "lib/types.h"

#define IRQ_MAP_CHIPS 16
#define IRQ_MAP_ISA 16
/* Inputs with numbers beyond are not used. The largest machines have some hundreds. */
#define IRQ_MAP_LINES 1024

struct irq_map_chip {
	u64 pa;    /* of its registers */
	u32 first; /* the global number of its first input */
};

/* One input of an I/O APIC, by its global number. */
struct irq_line {
	u32 number;
	bool level, low; /* else edge-triggered, active high */
};

struct irq_map {
	u32 chip_count;
	struct irq_map_chip chip[IRQ_MAP_CHIPS];
	struct irq_line isa[IRQ_MAP_ISA];
};

/* No chips, and the lines of the ISA bus as they are unless firmware says otherwise. */
void irq_map_init(struct irq_map *map);
/* False: there is no room for it. */
bool irq_map_add_chip(struct irq_map *map, u64 pa, u32 first) must_check;
/* An entry of the MADT; `flags` as there. False: it makes no sense. */
bool irq_map_override(struct irq_map *map, unsigned bus, unsigned isa, u32 number, u16 flags) must_check;
