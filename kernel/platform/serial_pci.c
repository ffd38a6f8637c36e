/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/serial_pci.h"

#include "arch/ports.h"
#include "lib/bits.h"

enum { CONFIG_ADDRESS = 0xcf8, CONFIG_DATA = 0xcfc };
#define CONFIG_ENABLE (1u << 31)

/* Registers of the configuration space, and what is in them. */
enum { ID = 0x00, COMMAND = 0x04, CLASS = 0x08, HEADER = 0x0c, BAR = 0x10 };
enum { BARS = 6, COMMAND_PORTS = 1, COMMAND_MEMORY = 2, BAR_IS_PORTS = 1, BAR_64 = 2 << 1, BAR_KIND = 3 << 1 };
#define MULTI_FUNCTION (1u << 23) /* of HEADER */
#define NO_DEVICE (0x7fu << 16)   /* of HEADER: another layout of registers, as bridges have it */
#define CLASS_SERIAL 0x0700       /* simple communication controllers, serial; what is programmed how is ignored */
#define NOBODY (~0u)

/* The function that was enabled. */
static struct {
	bool used;
	u32 function, command_before, command, bar[BARS];
} saved;

static void config_select(u32 function, u32 reg)
{
	arch_outl(CONFIG_ADDRESS, CONFIG_ENABLE | function << 8 | reg);
}

static u32 config_read(u32 function, u32 reg)
{
	config_select(function, reg);
	return arch_inl(CONFIG_DATA);
}

static void config_write(u32 function, u32 reg, u32 v)
{
	config_select(function, reg);
	arch_outl(CONFIG_DATA, v);
}

/* The next function that may be there. Without MULTI_FUNCTION only function 0 counts: reads of the others may show it
 * again. */
static u32 step(u32 function)
{
	bool first = !(function & 7);

	if (first && (config_read(function, ID) == NOBODY || !(config_read(function, HEADER) & MULTI_FUNCTION)))
		return function + 8;
	return function + 1;
}

u32 serial_pci_next(u32 from)
{
	for (; from < SERIAL_PCI_END; from = step(from))
		if (config_read(from, ID) != NOBODY && config_read(from, CLASS) >> 16 == CLASS_SERIAL)
			return from;
	return SERIAL_PCI_END;
}

/* One base address; *n is moved to the last register that belongs to it. 0: none. */
static u64 base_address(u32 function, unsigned *n, bool *memory)
{
	u32 low = config_read(function, BAR + 4 * *n);

	*memory = !(low & BAR_IS_PORTS);
	if (!*memory)
		return low & 0xfffc;
	if ((low & BAR_KIND) != BAR_64 || *n + 1 == BARS)
		return low & ~0xfu;
	return (u64)config_read(function, BAR + 4 * ++*n) << 32 | (low & ~0xfu);
}

bool serial_pci_line(u32 function, struct uart_line *out)
{
	*out = (struct uart_line){.baud = 115200, .clock = UART_CLOCK, .stride = 1, .lcr = UART_8N1};
	if (config_read(function, ID) == NOBODY || config_read(function, HEADER) & NO_DEVICE)
		return false;
	for (unsigned n = 0; n < BARS; n++) {
		out->base = base_address(function, &n, &out->memory);
		if (uart_can_be_at(out))
			return true;
	}
	return false;
}

/* In the upper half is the status, where writing 1 clears a bit: 0 leaves it alone (6.2.3). */
static void write_command(u32 function, u32 command)
{
	config_write(function, COMMAND, command & 0xffff);
}

void serial_pci_enable(u32 function, bool memory)
{
	saved.used = true;
	saved.function = function;
	saved.command_before = config_read(function, COMMAND);
	saved.command = saved.command_before | (memory ? COMMAND_MEMORY : COMMAND_PORTS);
	for (unsigned n = 0; n < BARS; n++)
		saved.bar[n] = config_read(function, BAR + 4 * n);
	write_command(function, saved.command);
}

void serial_pci_disable(void)
{
	if (saved.used)
		write_command(saved.function, saved.command_before);
	saved.used = false;
}

void serial_pci_restore(void)
{
	if (!saved.used || config_read(saved.function, ID) == NOBODY)
		return;
	write_command(saved.function, 0); /* it must not answer while its addresses are set one by one */
	for (unsigned n = 0; n < BARS; n++)
		config_write(saved.function, BAR + 4 * n, saved.bar[n]);
	write_command(saved.function, saved.command);
}
