/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/serial.h"

#include "arch/memory.h"
#include "lib/bits.h"
#include "platform/console.h"
#include "platform/memmap.h"
#include "platform/panic.h"
#include "platform/phys.h"
#include "platform/serial_pci.h"

#define COM1 0x3f8
#define BAUD 115200

/* The ports of COM1 to COM4 in the data area of the BIOS. */
#define BIOS_PORTS 0x400
#define BIOS_PORTS_COUNT 4

static struct {
	struct serial_word word;
	const struct boot_info *boot;
	const struct acpi_info *acpi;
	struct uart_line line; /* base 0: none yet */
	bool waiting;          /* a line was found where nothing can be mapped yet: serial_settle() goes on */
	bool settled;          /* serial_settle() was called, everything can be mapped */
} serial;

static struct serial_found line_at(u64 base, bool memory)
{
	return (struct serial_found){.line = {.base = base,
					      .memory = memory,
					      .stride = 1,
					      .baud = BAUD,
					      .clock = UART_CLOCK,
					      .lcr = UART_8N1},
				     .pci = SERIAL_NO_PCI};
}

/* What the command line says of a line counts more than what is known of it. */
static void apply_word(struct uart_line *line)
{
	const struct serial_word *w = &serial.word;

	if (w->clock)
		line->clock = w->clock;
	if (w->stride && line->memory)
		line->stride = w->stride;
	if (!w->baud)
		return;
	line->baud = w->baud;
	line->lcr = w->lcr;
	if (!line->clock)
		line->clock = UART_CLOCK;
}

/* Tables and command lines may have a wrong address, and the search writes: it must not write into RAM. */
static bool is_ram(const struct uart_line *line)
{
	struct range registers = {line->base, (u64)UART_REGISTERS * line->stride};

	return line->memory && memmap_has_ram(serial.boot, registers);
}

/* Page tables hold no such address. Before serial_settle() the limit is not known, and arch_map_device() refuses. */
static bool is_beyond(const struct uart_line *line)
{
	return serial.settled && line->memory && line->base >> arch_phys_bits();
}

static void report(const char *by)
{
	const struct uart_line *l = &serial.line;
	const char *kind = l->memory ? "registers" : "port";

	if (l->baud)
		log_info("serial: %s at %#lx (%s), %u baud", kind, l->base, by, l->baud);
	else
		log_info("serial: %s at %#lx (%s), speed as it was", kind, l->base, by);
}

static bool open_line(const struct serial_found *f, volatile void *registers)
{
	if (f->pci != SERIAL_NO_PCI)
		serial_pci_enable(f->pci, f->line.memory);
	if (uart_open(&f->line, registers))
		return true;
	serial_pci_disable();
	return false;
}

/* True: the search is over, because this is the line, or because it may be and has to wait. */
static bool try_line(struct serial_found f, const char *by)
{
	volatile void *registers = NULL;

	apply_word(&f.line);
	if (!uart_can_be_at(&f.line) || is_ram(&f.line) || is_beyond(&f.line))
		return false;
	if (f.line.memory) {
		registers = arch_map_device(paddr(f.line.base));
		serial.waiting = !registers && !serial.settled;
		if (!registers)
			return serial.waiting;
	}
	if (!open_line(&f, registers))
		return false;
	serial.line = f.line;
	report(by);
	return true;
}

static bool try_card(u32 function, const char *by)
{
	struct serial_found f = {.pci = function};

	return serial_pci_line(function, &f.line) && try_line(f, by);
}

static bool try_named(void)
{
	static const char by[] = "command line";
	u64 at = serial.word.at;
	u32 f = (u32)at;

	switch (serial.word.place) {
	case SERIAL_PORT:
	case SERIAL_MMIO:
		if (try_line(line_at(at, serial.word.place == SERIAL_MMIO), by))
			return true;
		log_warn("serial: no UART at %#lx, looking for another line", at);
		return false;
	case SERIAL_PCI:
		if (try_card(f, by))
			return true;
		log_warn("serial: no UART on PCI %02x:%02x.%x, looking for another line", f >> 8, f >> 3 & 31, f & 7);
		return false;
	default:
		return false;
	}
}

/* After a start by UEFI that memory is no data area of a BIOS, and may have any contents. */
static bool try_bios(void)
{
	u16 ports[BIOS_PORTS_COUNT];

	if (serial.boot->efi || !phys_read(BIOS_PORTS, ports, sizeof(ports)))
		return false;
	for (unsigned i = 0; i < BIOS_PORTS_COUNT; i++)
		if (try_line(line_at(ports[i], false), "BIOS"))
			return true;
	return false;
}

static bool try_cards(void)
{
	for (u32 f = serial_pci_next(0); f < SERIAL_PCI_END; f = serial_pci_next(f + 1))
		if (try_card(f, "PCI"))
			return true;
	return false;
}

static void search(void)
{
	if (try_line(serial.acpi->spcr, "SPCR") || try_line(serial.acpi->dbg2, "DBG2") || try_bios() || try_cards() ||
	    try_line(line_at(COM1, false), "COM1"))
		return;
	log_warn("serial: this machine has no serial line");
}

void serial_start(const struct serial_word *word, const struct boot_info *boot)
{
	serial.word = *word;
	serial.boot = boot;
	try_named();
}

void serial_find(const struct acpi_info *acpi)
{
	serial.acpi = acpi;
	if (serial.word.place != SERIAL_NONE && !serial.line.base && !serial.waiting)
		search();
}

void serial_settle(void)
{
	serial.settled = true;
	if (serial.line.base && serial.line.memory) {
		volatile void *registers = arch_map_device(paddr(serial.line.base));
		if (!registers)
			panic("out of memory while mapping the serial line");
		uart_move(registers);
	}
	if (serial.waiting && !try_named())
		search();
}

void serial_restore(void)
{
	if (!serial.line.base)
		return;
	serial_pci_restore();
	uart_restore();
}

bool serial_place(struct hip_gas *out)
{
	*out = (struct hip_gas){.space = serial.line.memory ? HIP_GAS_MEMORY : HIP_GAS_PORTS,
				.bits = (u8)(8 * serial.line.stride),
				.addr = serial.line.base};
	return serial.line.base;
}
