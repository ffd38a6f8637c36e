/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/irq_map.h"

#define BUS_ISA 0

/* Polarity and trigger mode have two bits each, with the same meaning of 0: as the bus has it. 2 is reserved. */
#define CONFORMS 0u
#define HIGH_OR_EDGE 1u
#define LOW_OR_LEVEL 3u

void irq_map_init(struct irq_map *map)
{
	*map = (struct irq_map){0};
	for (u32 i = 0; i < IRQ_MAP_ISA; i++)
		map->isa[i] = (struct irq_line){.number = i};
}

bool irq_map_add_chip(struct irq_map *map, u64 pa, u32 first)
{
	if (map->chip_count == IRQ_MAP_CHIPS || !pa || first >= IRQ_MAP_LINES)
		return false;
	map->chip[map->chip_count++] = (struct irq_map_chip){pa, first};
	return true;
}

static bool is_known(unsigned mode)
{
	return mode == CONFORMS || mode == HIGH_OR_EDGE || mode == LOW_OR_LEVEL;
}

/* The ISA bus has edges, active high. */
bool irq_map_override(struct irq_map *map, unsigned bus, unsigned isa, u32 number, u16 flags)
{
	unsigned polarity = flags & 3, trigger = flags >> 2 & 3;

	if (bus != BUS_ISA || isa >= IRQ_MAP_ISA || number >= IRQ_MAP_LINES || !is_known(polarity) ||
	    !is_known(trigger))
		return false;
	map->isa[isa] = (struct irq_line){
		.number = number, .level = trigger == LOW_OR_LEVEL, .low = polarity == LOW_OR_LEVEL};
	return true;
}
