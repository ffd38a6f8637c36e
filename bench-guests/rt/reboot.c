/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel does the same after a panic (kernel/arch/x86_64/boot/reset.c), but has read the tables at boot.
 * Manual: ACPI Specification 6.5, 5.2.6 to 5.2.9 (tables), 4.8.3.6 (reset register), 5.2.3.2 (addresses in PCI
 * configuration space).
 */
#include "rt/reboot.h"

#include "rt/cpu.h"
#include "rt/hip.h"
#include "rt/map.h"
#include "rt/port.h"
#include "rt/string.h"

#include <stdbool.h>

enum { SPACE_MEMORY = 0, SPACE_IO = 1, SPACE_PCI = 2 };
enum { PCI_ADDRESS = 0xcf8, PCI_DATA = 0xcfc };
enum { RESET_CONTROL = 0xcf9, RESET_SYSTEM = 0x02, RESET_NOW = 0x04 };
enum { KEYBOARD = 0x64, KEYBOARD_BUSY = 0x02, KEYBOARD_RESET = 0xfe };
enum { HEADER_SIZE = 36, TABLE_MAX = 1 << 20, TABLES_MAX = 256 };

#define FADT_RESET_REG (1u << 10)

struct header {
	char signature[4];
	uint32_t length;
};

/* The FADT's parts that matter here. */
struct fadt {
	struct header header;
	uint8_t unused1[104];
	uint32_t flags;
	struct hip_gas reset;
	uint8_t reset_value;
} __attribute__((__packed__));

_Static_assert(offsetof(struct fadt, flags) == 112 && offsetof(struct fadt, reset_value) == 128, "as in the manual");

/* Some ten milliseconds, for a reset that is on its way: 2^27 ticks are 34 ms at 4 GHz. */
static void wait(void)
{
	for (uint64_t start = rt_rdtsc(); rt_rdtsc() - start < 1ull << 27;)
		rt_pause();
}

/* A table with all that belongs to it; null if it cannot be had. */
static const struct header *map_table(uint64_t pa)
{
	const struct header *h = pa ? rt_map(pa, sizeof(*h), PERM_MEM_R) : NULL;

	return h && h->length >= HEADER_SIZE && h->length <= TABLE_MAX ? rt_map(pa, h->length, PERM_MEM_R) : NULL;
}

/* The root table has addresses of 8 or of 4 bytes. */
static const struct fadt *find_fadt(void)
{
	const struct header *root = map_table(rt_hip->xsdt_rsdt);
	size_t width = root && !memcmp(root->signature, "XSDT", 4) ? 8 : 4;

	for (size_t i = 0; root && i < TABLES_MAX && HEADER_SIZE + (i + 1) * width <= root->length; i++) {
		uint64_t pa = 0;

		memcpy(&pa, (const char *)root + HEADER_SIZE + i * width, width);
		const struct header *h = map_table(pa);
		if (h && !memcmp(h->signature, "FACP", 4))
			return h->length >= sizeof(struct fadt) ? (const struct fadt *)h : NULL;
	}
	return NULL;
}

static bool put(uint16_t port, uint8_t v)
{
	if (rt_ports(port, 0) != SUCCESS)
		return false;
	rt_out8(port, v);
	return true;
}

/* On bus 0: device in bits 47:32 of the address, function in 31:16, register in 15:0. */
static void write_pci(uint64_t where, uint8_t v)
{
	uint32_t device = where >> 32 & 31, function = where >> 16 & 7, at = where & 0xff;
	uint32_t address = 1u << 31 | device << 11 | function << 8 | (at & ~3u);

	if (rt_ports(PCI_ADDRESS, 3) != SUCCESS)
		return;
	rt_out32(PCI_ADDRESS, address);
	rt_out8((uint16_t)(PCI_DATA + (at & 3)), v);
}

static void write_register(void)
{
	const struct fadt *f = find_fadt();

	if (!f || !(f->flags & FADT_RESET_REG))
		return;
	if (f->reset.space == SPACE_IO) {
		put((uint16_t)f->reset.addr, f->reset_value);
	} else if (f->reset.space == SPACE_PCI) {
		write_pci(f->reset.addr, f->reset_value);
	} else if (f->reset.space == SPACE_MEMORY) {
		volatile uint8_t *reg = rt_map(f->reset.addr, 1, PERM_MEM_R | PERM_MEM_W);
		if (reg)
			*reg = f->reset_value;
	}
	wait();
}

void rt_reboot(void)
{
	write_register();
	/* First the kind of reset, then the bit that starts it when it changes from 0 to 1. */
	if (put(RESET_CONTROL, RESET_SYSTEM) && put(RESET_CONTROL, RESET_SYSTEM | RESET_NOW))
		wait();
	if (rt_ports(KEYBOARD, 0) != SUCCESS)
		return;
	for (unsigned i = 0; i < 65536 && rt_in8(KEYBOARD) & KEYBOARD_BUSY; i++)
		rt_pause();
	rt_out8(KEYBOARD, KEYBOARD_RESET);
	wait();
}
