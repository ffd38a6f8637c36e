/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/serial_table.h"

#include "lib/bits.h"
#include "platform/phys.h"

#include <hedron/hip.h>

/* Kinds of UARTs: the first byte of the type in SPCR, the subtype in DBG2. The last one is as its address says. */
enum { UART_16550 = 0, UART_16550_SUBSET = 1, UART_16550_BY_ADDRESS = 0x12 };

#define SPCR_SIZE_MIN 80
#define NO_PCI_DEVICE 0xffff

struct spcr {
	u8 header[8], revision, header2[27];
	u8 type, reserved[3];
	struct hip_gas base;
	u8 interrupt[6], baud, parity, stop_bits, flow, terminal, language;
	u16 pci_device, pci_vendor;
	u8 pci_bus, pci_slot, pci_function, pci_flags[4], pci_segment;
	u32 clock;        /* from revision 3 on */
	u32 precise_baud; /* from revision 4 on */
} packed;

struct dbg2 {
	u8 header[36];
	u32 offset, count; /* of descriptions of ports */
} packed;

#define DBG2_SERIAL 0x8000
#define DBG2_BAUD 115200 /* the table does not say, and debuggers use it */

struct dbg2_port {
	u8 revision;
	u16 length;
	u8 registers;
	u16 name_length, name_offset, oem_length, oem_offset, type, subtype, reserved;
	u16 address_offset, size_offset; /* from the start of this description */
} packed;

_Static_assert(offsetof(struct spcr, type) == 36 && offsetof(struct spcr, baud) == 58, "as in the specification");
_Static_assert(offsetof(struct spcr, pci_device) == 64 && offsetof(struct spcr, clock) == 76, "as there");
_Static_assert(offsetof(struct dbg2_port, type) == 12 && sizeof(struct dbg2_port) == 22, "as in the specification");

static bool is_16550(u16 type)
{
	return type == UART_16550 || type == UART_16550_SUBSET || type == UART_16550_BY_ADDRESS;
}

/* The size of an access, whose codes 1 to 3 stand for 1, 2 and 4 bytes; where it is not said, the width of a
 * register. */
static u8 stride_of(const struct hip_gas *gas)
{
	if (gas->access >= 1 && gas->access <= 3)
		return (u8)(1u << (gas->access - 1));
	return gas->bits == 16 || gas->bits == 32 ? gas->bits / 8 : 1;
}

/* The line at this address, without a speed; base 0 if no UART can be there. */
static struct uart_line line_at(const struct hip_gas *gas)
{
	struct uart_line line = {.base = gas->addr, .memory = gas->space == HIP_GAS_MEMORY, .lcr = UART_8N1};

	line.stride = line.memory ? stride_of(gas) : 1;
	if ((gas->space != HIP_GAS_MEMORY && gas->space != HIP_GAS_PORTS) || !uart_can_be_at(&line))
		line.base = 0;
	return line;
}

/* 0: the speed stays as the firmware has set it. */
static u32 spcr_baud(const struct spcr *t)
{
	static const u32 known[] = {[3] = 9600, [4] = 19200, [6] = 57600, [7] = 115200};

	if (t->revision >= 4 && t->precise_baud)
		return t->precise_baud;
	return t->baud < array_size(known) ? known[t->baud] : 0;
}

/* In memory the clock may be any; without knowing it, the speed can only be left as it is. */
static void set_speed(const struct spcr *t, struct uart_line *line)
{
	line->clock = t->revision >= 3 && t->clock ? t->clock : line->memory ? 0 : UART_CLOCK;
	line->baud = line->clock ? spcr_baud(t) : 0;
}

void serial_table_spcr(u64 pa, u32 length, struct serial_found *out)
{
	struct spcr t = {0};

	*out = (struct serial_found){.pci = SERIAL_NO_PCI};
	if (length < SPCR_SIZE_MIN || !phys_read(pa, &t, min_u64(length, sizeof(t))) || !is_16550(t.type))
		return;
	out->line = line_at(&t.base);
	set_speed(&t, &out->line);
	if (t.pci_vendor != NO_PCI_DEVICE && !t.pci_segment && t.pci_slot < 32 && t.pci_function < 8)
		out->pci = (u32)(t.pci_bus << 8 | t.pci_slot << 3 | t.pci_function);
}

/* The first line of the port that is described at `at`. */
static void read_port(u64 pa, u32 length, u32 at, const struct dbg2_port *port, struct serial_found *out)
{
	struct hip_gas gas;
	u64 offset = (u64)at + port->address_offset;

	if (port->type != DBG2_SERIAL || !is_16550(port->subtype) || !port->registers ||
	    offset + sizeof(gas) > length || !phys_read(pa + offset, &gas, sizeof(gas)))
		return;
	out->line = line_at(&gas);
	if (!out->line.memory) {
		out->line.clock = UART_CLOCK;
		out->line.baud = DBG2_BAUD;
	}
}

void serial_table_dbg2(u64 pa, u32 length, struct serial_found *out)
{
	struct dbg2 t;
	struct dbg2_port port;

	*out = (struct serial_found){.pci = SERIAL_NO_PCI};
	if (length < sizeof(t) || !phys_read(pa, &t, sizeof(t)))
		return;
	for (u64 at = t.offset; t.count-- && at + sizeof(port) <= length && !out->line.base; at += port.length) {
		if (!phys_read(pa + at, &port, sizeof(port)) || port.length < sizeof(port))
			return;
		read_port(pa, length, (u32)at, &port, out);
	}
}
