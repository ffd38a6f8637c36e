/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "irq/ioapic.h"

#include "irq/ioapic_entry.h"
#include "lib/spinlock.h"
#include "lib/string.h"
#include "mmu/kspace.h"
#include "platform/console.h"

#define SELECT 0x00
#define WINDOW 0x10
#define VERSION 0x01 /* 23:16: the highest input */
#define ENTRY 0x10   /* two registers each */

struct chip {
	volatile u8 *registers;
	u32 first, count; /* lines */
};

/* constant after boot */
static struct chip chips[IRQ_MAP_CHIPS];
static unsigned chip_count;
static struct irq_line isa_lines[IRQ_MAP_ISA];

/* `lock` */
static struct spinlock lock;
static u64 entries[IRQ_MAP_LINES]; /* what was written */

static u32 read(const struct chip *c, u32 reg)
{
	*(volatile u32 *)(c->registers + SELECT) = reg;
	return *(volatile u32 *)(c->registers + WINDOW);
}

static void write(const struct chip *c, u32 reg, u32 value)
{
	*(volatile u32 *)(c->registers + SELECT) = reg;
	*(volatile u32 *)(c->registers + WINDOW) = value;
}

static void add_chip(const struct irq_map_chip *from)
{
	struct chip c = {.registers = kspace_map_device(paddr(from->pa)), .first = from->first};

	if (!c.registers) {
		log_warn("irq: the I/O APIC at %#lx cannot be mapped", from->pa);
		return;
	}
	c.count = (read(&c, VERSION) >> 16 & 0xff) + 1;
	if (c.count > IRQ_MAP_LINES - c.first)
		c.count = IRQ_MAP_LINES - c.first;
	chips[chip_count++] = c;
}

void ioapic_init(const struct irq_map *map)
{
	memcpy(isa_lines, map->isa, sizeof(isa_lines));
	for (u32 i = 0; i < map->chip_count; i++)
		add_chip(&map->chip[i]);
}

struct irq_line ioapic_isa(unsigned isa)
{
	return isa_lines[isa];
}

static const struct chip *chip_of(u32 line)
{
	for (unsigned i = 0; i < chip_count; i++)
		if (line - chips[i].first < chips[i].count)
			return &chips[i];
	return NULL;
}

bool ioapic_has(u32 line)
{
	return chip_of(line);
}

/* The half with the mask is written first if it masks, else last: nothing is delivered by half an entry. */
static void write_locked(u32 line, u64 entry)
{
	const struct chip *c = chip_of(line);
	u32 reg = ENTRY + 2 * (line - c->first);

	write(c, reg, (u32)(entry | IOAPIC_ENTRY_MASKED));
	write(c, reg + 1, (u32)(entry >> 32));
	if (!(entry & IOAPIC_ENTRY_MASKED))
		write(c, reg, (u32)entry);
	entries[line] = entry;
}

void ioapic_write(u32 line, u64 entry)
{
	spin_lock(&lock);
	write_locked(line, entry);
	spin_unlock(&lock);
}

void ioapic_mask(u32 line, bool masked)
{
	const struct chip *c = chip_of(line);

	spin_lock(&lock);
	u64 entry = masked ? entries[line] | IOAPIC_ENTRY_MASKED : entries[line] & ~IOAPIC_ENTRY_MASKED;
	write(c, ENTRY + 2 * (line - c->first), (u32)entry);
	entries[line] = entry;
	spin_unlock(&lock);
}

static void write_all(bool fresh)
{
	spin_lock(&lock);
	for (unsigned i = 0; i < chip_count; i++)
		for (u32 line = chips[i].first; line < chips[i].first + chips[i].count; line++)
			write_locked(line, fresh ? IOAPIC_ENTRY_MASKED : entries[line]);
	spin_unlock(&lock);
}

void ioapic_mask_all(void)
{
	write_all(true);
}

void ioapic_restore(void)
{
	write_all(false);
}
