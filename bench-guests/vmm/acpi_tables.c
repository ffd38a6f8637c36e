/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/acpi_tables.h"

#include "vmm/acpi.h"
#include "vmm/ioapic.h"
#include "vmm/lapic.h"
#include "vmm/machine.h"

#include "rt/string.h"

#include <stddef.h>

#define PACKED __attribute__((packed))

struct header {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], table[8];
	uint32_t oem_revision;
	char creator[4];
	uint32_t creator_revision;
} PACKED;

/* ---- 5.2.9: the fixed hardware ---- */

struct address {
	uint8_t space, bits, offset, access;
	uint64_t at;
} PACKED;

struct fadt {
	struct header header;
	uint32_t facs, dsdt;
	uint8_t unused1, profile;
	uint16_t interrupt;
	uint32_t smi_port;
	uint8_t enable, disable, s4, p_states;
	uint32_t event_a, event_b, control_a, control_b, control_2, timer, gpe_0, gpe_1;
	uint8_t event_size, control_size, control_2_size, timer_size, gpe_0_size, gpe_1_size, gpe_1_base, c_states;
	uint16_t c2_latency, c3_latency, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot;
	uint8_t unused2;
	uint32_t flags;
	struct address reset;
	uint8_t reset_value;
	uint16_t arm_boot;
	uint8_t minor;
	uint64_t facs_64, dsdt_64;
	struct address others[10]; /* the same registers again, hypervisor's name: all 0 */
} PACKED;

enum { SPACE_PORTS = 1, ACCESS_BYTE = 1, BOOT_LEGACY = 1, BOOT_KEYBOARD = 2, BOOT_NO_SCREEN = 4 };
enum { FLAG_WBINVD = 1, FLAG_C1 = 4, FLAG_NO_POWER_BUTTON = 0x10, FLAG_NO_SLEEP_BUTTON = 0x20 };
enum { FLAG_RESET = 0x400, NO_C2 = 101, NO_C3 = 1001, CENTURY = 0x32 };

/* ---- 5.2.12: interrupt controllers ---- */

struct madt {
	struct header header;
	uint32_t lapic, flags;
} PACKED;

struct madt_lapic {
	uint8_t type, length, processor, id;
	uint32_t flags;
} PACKED;

struct madt_ioapic {
	uint8_t type, length, id, unused;
	uint32_t at, first;
} PACKED;

struct madt_override {
	uint8_t type, length, bus, irq;
	uint32_t pin;
	uint16_t flags;
} PACKED;

enum { MADT_LAPIC, MADT_IOAPIC, MADT_OVERRIDE, HAS_PIC = 1, ENABLED = 1, ACTIVE_HIGH_LEVEL = 0xd };

/* ---- 5.2.5, 5.2.8, 5.2.10 ---- */

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt, length;
	uint64_t xsdt;
	uint8_t checksum_all, unused[3];
} PACKED;

struct xsdt {
	struct header header;
	uint64_t table[2];
} PACKED;

struct facs {
	char signature[4];
	uint32_t length, hardware, waking, lock, flags;
	uint64_t waking_64;
	uint8_t version, unused[31];
} PACKED;

_Static_assert(offsetof(struct fadt, flags) == 112 && offsetof(struct fadt, dsdt_64) == 140, "ACPI 6.4, 5.2.9");
_Static_assert(sizeof(struct fadt) == 268 && sizeof(struct facs) == 64 && sizeof(struct rsdp) == 36, "ACPI 6.4");

/*
 * Name (\_S5, Package () { 5, 5, 0, 0 })                              how to switch it off
 * Device (\_SB.PCI0) {
 *	Name (_HID, EisaId ("PNP0A03"))                                  the PCI bus
 *	Name (_CRS, ResourceTemplate () {
 *		WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0, 0, 0, 0, 1)
 *		IO (Decode16, 0x0cf8, 0x0cf8, 1, 8)
 *		WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0xc000, 0xcfff, 0, 0x1000)
 *	})
 *	Name (_PRT, Package () {                                         its interrupt pins
 *		Package () { 0x0001ffff, 0, 0, 10 }, ...
 *	})
 * }
 */
static const uint8_t before_pins[] = {
	0x08,     '_',  'S',      '5',  '_',  0x12, 0x08, 0x04, 0x0a,
	ACPI_OFF, 0x0a, ACPI_OFF, 0x00, 0x00, /* _S5 */
	0x5b,     0x82, 0x45,     0x0a, 0x2e, '_',  'S',  'B',  '_',
	'P',      'C',  'I',      '0', /* PCI0 */
	0x08,     '_',  'H',      'I',  'D',  0x0c, 0x41, 0xd0, 0x0a,
	0x03,                                                         /* _HID */
	0x08,     '_',  'C',      'R',  'S',  0x11, 0x2d, 0x0a, 0x2a, /* _CRS */
	0x88,     0x0d, 0x00,     0x02, 0x0c, 0x00, 0x00, 0x00, 0x00,
	0x00,     0x00, 0x00,     0x00, 0x00, 0x01, 0x00, 0x47, 0x01,
	0xf8,     0x0c, 0xf8,     0x0c, 0x01, 0x08, /* IO */
	0x88,     0x0d, 0x00,     0x01, 0x0c, 0x03, 0x00, 0x00, 0x00,
	0xc0,     0xff, 0xcf,     0x00, 0x00, 0x00, 0x10, 0x79, 0x00,            /* the end of _CRS */
	0x08,     '_',  'P',      'R',  'T',  0x12, 0x47, 0x05, PCI_DEVICES - 1, /* _PRT */
};

enum { PINS = PCI_DEVICES - 1, PIN_SIZE = 12, BEFORE = sizeof(before_pins) };
_Static_assert(PINS == 7, "the lengths above are for as many pins");

struct dsdt {
	struct header header;
	uint8_t before[BEFORE];
	uint8_t pin[PINS][PIN_SIZE];
} PACKED;

/* All of them, one behind the other; the first two are where their alignment has to be. */
struct tables {
	struct rsdp rsdp __attribute__((aligned(64)));
	struct facs facs __attribute__((aligned(64)));
	struct xsdt xsdt;
	struct fadt fadt;
	struct dsdt dsdt;
	struct {
		struct madt madt;
		struct madt_ioapic ioapic;
		struct madt_override timer, acpi;
		struct madt_lapic lapic[MACHINE_PROCESSORS];
	} PACKED madt;
};

_Static_assert(sizeof(struct tables) <= ACPI_TABLES_SIZE, "there is room for all");
#define AT(member) (ACPI_TABLES_AT + (uint32_t)offsetof(struct tables, member))

static uint8_t checksum(const void *from, size_t size)
{
	uint8_t sum = 0;

	for (size_t n = 0; n < size; n++)
		sum += ((const uint8_t *)from)[n];
	return (uint8_t)-sum;
}

/* Completes a table whose contents are there. */
static void finish(struct header *h, const char *signature, uint8_t revision, size_t length)
{
	memcpy(h->signature, signature, 4);
	memcpy(h->oem, "HEDRON", 6);
	memcpy(h->table, "MONITOR ", 8);
	memcpy(h->creator, "HDRN", 4);
	h->oem_revision = h->creator_revision = 1;
	h->revision = revision;
	h->length = (uint32_t)length;
	h->checksum = checksum(h, length);
}

static void write_roots(struct tables *t)
{
	memcpy(t->rsdp.signature, "RSD PTR ", 8);
	memcpy(t->rsdp.oem, "HEDRON", 6);
	t->rsdp.revision = 2;
	t->rsdp.length = sizeof(t->rsdp);
	t->rsdp.xsdt = AT(xsdt);
	t->rsdp.checksum = checksum(&t->rsdp, 20);
	t->rsdp.checksum_all = checksum(&t->rsdp, sizeof(t->rsdp));
	memcpy(t->facs.signature, "FACS", 4);
	t->facs.length = sizeof(t->facs);
	t->facs.version = 2;
	t->xsdt.table[0] = AT(fadt);
	t->xsdt.table[1] = AT(madt);
	finish(&t->xsdt.header, "XSDT", 1, sizeof(t->xsdt));
}

static void write_fadt(struct fadt *f)
{
	f->facs = AT(facs);
	f->dsdt = AT(dsdt);
	f->dsdt_64 = AT(dsdt);
	f->interrupt = MACHINE_IRQ_ACPI;
	f->event_a = ACPI_PORT + ACPI_EVENTS;
	f->event_size = 4;
	f->control_a = ACPI_PORT + ACPI_CONTROL;
	f->control_size = 2;
	f->timer = ACPI_PORT + ACPI_TIMER;
	f->timer_size = 4;
	f->c2_latency = NO_C2;
	f->c3_latency = NO_C3;
	f->century = CENTURY;
	f->boot = BOOT_LEGACY | BOOT_KEYBOARD | BOOT_NO_SCREEN;
	f->flags = FLAG_WBINVD | FLAG_C1 | FLAG_NO_POWER_BUTTON | FLAG_NO_SLEEP_BUTTON | FLAG_RESET;
	f->reset = (struct address){SPACE_PORTS, 8, 0, ACCESS_BYTE, KBC_COMMAND};
	f->reset_value = KBC_RESET;
	f->minor = 4;
	finish(&f->header, "FACP", 6, sizeof(*f));
}

static void write_dsdt(struct dsdt *d)
{
	memcpy(d->before, before_pins, BEFORE);
	for (unsigned n = 0; n < PINS; n++) {
		const uint8_t pin[PIN_SIZE] = {0x12, 0x0b, 0x04, 0x0c, 0xff,           0xff, (uint8_t)(n + 1),
					       0x00, 0x00, 0x00, 0x0a, pci_line(n + 1)};

		memcpy(d->pin[n], pin, PIN_SIZE);
	}
	finish(&d->header, "DSDT", 2, sizeof(*d));
}

static void write_madt(struct tables *t, unsigned processors)
{
	t->madt.madt.lapic = LAPIC_AT;
	t->madt.madt.flags = HAS_PIC;
	t->madt.ioapic = (struct madt_ioapic){MADT_IOAPIC, sizeof(t->madt.ioapic), 0, 0, IOAPIC_AT, 0};
	t->madt.timer = (struct madt_override){MADT_OVERRIDE,     sizeof(t->madt.timer), 0,
					       MACHINE_IRQ_TIMER, MACHINE_PIN_TIMER,     0};
	t->madt.acpi = (struct madt_override){MADT_OVERRIDE,    sizeof(t->madt.acpi), 0,
					      MACHINE_IRQ_ACPI, MACHINE_IRQ_ACPI,     ACTIVE_HIGH_LEVEL};
	for (unsigned n = 0; n < processors; n++)
		t->madt.lapic[n] =
			(struct madt_lapic){MADT_LAPIC, sizeof(*t->madt.lapic), (uint8_t)n, (uint8_t)n, ENABLED};
	finish(&t->madt.madt.header, "APIC", 5,
	       offsetof(struct tables, madt.lapic[processors]) - offsetof(struct tables, madt));
}

void acpi_tables_write(uint8_t to[ACPI_TABLES_SIZE], unsigned processors)
{
	struct tables *t = (struct tables *)to;

	memset(t, 0, sizeof(*t));
	write_roots(t);
	write_fadt(&t->fadt);
	write_dsdt(&t->dsdt);
	write_madt(t, processors);
}
