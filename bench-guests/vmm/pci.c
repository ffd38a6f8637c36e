/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/pci.h"

#include <stddef.h>

enum { PORT_DATA = 0xcfc, FIRST_BAR = 0xc000 };
enum {
	VENDOR = 0,
	NUMBER = 2,
	COMMAND = 4,
	STATUS = 6,
	REVISION = 8,
	CLASS = 9,
	CACHE_LINE = 0xc,
	LATENCY = 0xd,
	BAR = 0x10,
	SUBSYSTEM = 0x2c,
	CAPABILITIES = 0x34,
	LINE = 0x3c,
	PIN = 0x3d,
	OWN = 0x40, /* the first byte behind what all devices have */
};
enum { COMMAND_PORTS = 1, COMMAND_MASTER = 4, COMMAND_NO_LINE = 0x400, STATUS_LINE = 8, STATUS_CAPABILITIES = 0x10 };
enum { BAR_IS_PORTS = 1, PIN_A = 1 };
enum { BRIDGE_VENDOR = 0x1b36, BRIDGE_NUMBER = 8, BRIDGE_CLASS = 0x060000 };

static uint32_t get(const uint8_t *from, unsigned size)
{
	uint32_t value = 0;

	while (size--)
		value = value << 8 | from[size];
	return value;
}

static void put(uint8_t *to, unsigned size, uint32_t value)
{
	for (unsigned n = 0; n < size; n++)
		to[n] = (uint8_t)(value >> 8 * n);
}

/* ---- What devices do ---- */

static bool has_command(const struct pci_device *d, unsigned bit)
{
	return get(d->config + COMMAND, 2) & bit;
}

/* Line 10, 11, 5 and again, in the order of devices. */
uint8_t pci_line(unsigned number)
{
	static const uint8_t lines[] = {5, 10, 11};

	return lines[number % 3];
}

static void set_lines(struct pci *p)
{
	p->lines = 0;
	for (unsigned n = 1; n < p->devices; n++)
		if (p->device[n].line && !has_command(&p->device[n], COMMAND_NO_LINE))
			p->lines |= (uint16_t)(1u << pci_line(n));
}

void pci_set_line(struct pci *p, struct pci_device *d, bool high)
{
	d->line = high;
	set_lines(p);
}

void pci_run(struct pci *p)
{
	for (unsigned n = 1; n < p->devices; n++)
		if (p->device[n].run)
			p->device[n].run(p->device[n].arg);
}

bool pci_listens(const struct pci *p)
{
	for (unsigned n = 1; n < p->devices; n++)
		if (p->device[n].run)
			return true;
	return false;
}

struct pci_device *pci_find(struct pci *p, uint16_t port, unsigned *at)
{
	for (unsigned n = 1; n < p->devices; n++) {
		struct pci_device *d = &p->device[n];
		uint32_t from = get(d->config + BAR, 4) & -4u;

		if (has_command(d, COMMAND_PORTS) && port - from < PCI_PORTS) {
			*at = port - from;
			return d;
		}
	}
	return NULL;
}

/* ---- Plugging in ---- */

static struct pci_device *add(struct pci *p, uint16_t vendor, uint16_t number, uint32_t class_code)
{
	struct pci_device *d = &p->device[p->devices++];

	*d = (struct pci_device){.capabilities_end = OWN};
	put(d->config + VENDOR, 2, vendor);
	put(d->config + NUMBER, 2, number);
	put(d->config + CLASS, 3, class_code);
	d->writable[CACHE_LINE] = d->writable[LATENCY] = 0xff;
	return d;
}

void pci_reset(struct pci *p)
{
	*p = (struct pci){0};
	add(p, BRIDGE_VENDOR, BRIDGE_NUMBER, BRIDGE_CLASS);
}

struct pci_device *pci_add(struct pci *p, uint16_t vendor, uint16_t number, uint32_t class_code)
{
	struct pci_device *d;

	if (p->devices == PCI_DEVICES)
		return NULL;
	d = add(p, vendor, number, class_code);
	put(d->config + SUBSYSTEM, 2, vendor);
	put(d->config + SUBSYSTEM + 2, 2, number);
	put(d->config + COMMAND, 2, COMMAND_PORTS);
	put(d->writable + COMMAND, 2, COMMAND_PORTS | COMMAND_MASTER | COMMAND_NO_LINE);
	put(d->config + BAR, 4, (FIRST_BAR + (p->devices - 1) * PCI_PORTS) | BAR_IS_PORTS);
	put(d->writable + BAR, 4, (uint32_t)-PCI_PORTS);
	d->config[PIN] = PIN_A;
	d->config[LINE] = pci_line(p->devices - 1);
	d->writable[LINE] = 0xff;
	return d;
}

unsigned pci_add_capability(struct pci_device *d, uint8_t number, const void *body, unsigned size)
{
	unsigned at = d->capabilities_end;

	d->config[d->last_capability ? d->last_capability + 1u : CAPABILITIES] = (uint8_t)at;
	d->config[STATUS] |= STATUS_CAPABILITIES;
	d->config[at] = number;
	for (unsigned n = 0; n < size; n++)
		d->config[at + 2 + n] = ((const uint8_t *)body)[n];
	d->last_capability = (uint8_t)at;
	d->capabilities_end = (uint8_t)((at + 2 + size + 3) & -4u);
	return at;
}

/* ---- Configuration ---- */

/* Bits 31 on, 23:16 bus, 15:11 device, 10:8 function, 7:2 register. */
static struct pci_device *addressed(struct pci *p)
{
	unsigned number = p->address >> 11 & 0x1f;

	return p->address >> 31 && !(p->address & 0xff0700) && number < p->devices ? &p->device[number] : NULL;
}

/*
 * Virtio's way to reach registers without a BAR (4.1.4.9): the four bytes stand for those from the offset on which is
 * eight bytes before them; a length, 1 to 4, is between.
 */
static bool in_window(const struct pci_device *d, unsigned reg, unsigned *at)
{
	unsigned n = reg - d->window;
	uint32_t from;

	if (!d->window || n >= 4)
		return false;
	from = get(d->config + d->window - 8, 4);
	*at = from + n;
	return from < PCI_PORTS - 3 && n < get(d->config + d->window - 4, 4);
}

static uint8_t read_config(const struct pci_device *d, unsigned reg)
{
	unsigned at;

	if (in_window(d, reg, &at))
		return d->read(d->arg, at);
	return d->config[reg] | (reg == STATUS && d->line ? STATUS_LINE : 0);
}

static void write_config(struct pci *p, struct pci_device *d, unsigned reg, uint8_t value)
{
	unsigned at;

	if (in_window(d, reg, &at))
		d->write(d->arg, at, value);
	else
		d->config[reg] = (uint8_t)((d->config[reg] & ~d->writable[reg]) | (value & d->writable[reg]));
	set_lines(p);
}

uint8_t pci_read(struct pci *p, uint16_t port)
{
	const struct pci_device *d = addressed(p);

	if (port < PORT_DATA)
		return (uint8_t)(p->address >> 8 * (port & 3));
	return d ? read_config(d, (p->address & 0xfc) | (port & 3)) : 0xff;
}

/* An address that is written byte by byte is one, too. */
void pci_write(struct pci *p, uint16_t port, uint8_t value)
{
	struct pci_device *d = addressed(p);
	unsigned shift = 8 * (port & 3);

	if (port < PORT_DATA)
		p->address = (p->address & ~(0xffu << shift)) | (uint32_t)value << shift;
	else if (d)
		write_config(p, d, (p->address & 0xfc) | (port & 3), value);
}
