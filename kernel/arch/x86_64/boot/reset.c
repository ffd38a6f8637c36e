/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What resets a PC, one after the other: the register that firmware names, the chipset's reset control, the keyboard
 * controller, a triple fault. Memory keeps its contents as far as firmware lets it.
 * Manual: ACPI Specification 6.5, 4.8.3.6 (reset register), 5.2.3.2 (addresses in PCI configuration space).
 */
#include "boot/reset.h"

#include "arch/cpu.h"
#include "arch/ports.h"
#include "mmu/kspace.h"

enum { SPACE_MEMORY = 0, SPACE_IO = 1, SPACE_PCI = 2 };
enum { PCI_ADDRESS = 0xcf8, PCI_DATA = 0xcfc };
enum { RESET_CONTROL = 0xcf9, RESET_SYSTEM = 0x02, RESET_NOW = 0x04 }; /* of all of it; power stays on */
enum { KEYBOARD = 0x64, KEYBOARD_BUSY = 0x02, KEYBOARD_RESET = 0xfe };

#define RESET_WAIT (1ull << 27) /* ticks of the TSC until another way is tried */

static struct hip_gas reset;
static u8 reset_value;

void reset_init(const struct acpi_info *acpi)
{
	reset = acpi->reset;
	reset_value = acpi->reset_value;
}

static void wait(void)
{
	for (u64 start = arch_tsc(); arch_tsc() - start < RESET_WAIT;)
		arch_relax();
}

/* On bus 0: device in bits 47:32 of the address, function in 31:16, register in 15:0. */
static void write_pci(u64 where, u8 v)
{
	u32 device = where >> 32 & 31, function = where >> 16 & 7, at = where & 0xff;
	u32 address = 1u << 31 | device << 11 | function << 8 | (at & ~3u);

	arch_outl(PCI_ADDRESS, address);
	arch_outb((u16)(PCI_DATA + (at & 3)), v);
}

/* The window of this CPU may be open: nobody comes back to it. */
static void write_register(void)
{
	if (!reset.addr)
		return;
	if (reset.space == SPACE_IO)
		arch_outb((u16)reset.addr, reset_value);
	else if (reset.space == SPACE_PCI)
		write_pci(reset.addr, reset_value);
	else if (reset.space == SPACE_MEMORY && !(reset.addr >> 52))
		*(volatile u8 *)kspace_window_open(paddr(reset.addr), KPTE_RW | KPTE_PCD | KPTE_PWT) = reset_value;
	wait();
}

static void write_reset_control(void)
{
	arch_outb(RESET_CONTROL, RESET_SYSTEM);
	arch_outb(RESET_CONTROL, RESET_SYSTEM | RESET_NOW);
	wait();
}

static void pulse_by_keyboard(void)
{
	for (unsigned i = 0; i < 65536 && arch_inb(KEYBOARD) & KEYBOARD_BUSY; i++)
		arch_relax();
	arch_outb(KEYBOARD, KEYBOARD_RESET);
	wait();
}

/* Without gates every exception is a double fault, and that a triple fault. */
__attribute__((noreturn)) static void triple_fault(void)
{
	static const struct {
		u16 limit;
		u64 base;
	} __attribute__((__packed__)) nothing;

	for (;;)
		__asm__ volatile("lidt %0\n\tint3" : : "m"(nothing));
}

void arch_reset(void)
{
	__asm__ volatile("mfence" : : : "memory"); /* caches that are being written back (arch_write_back()) */
	write_register();
	write_reset_control();
	pulse_by_keyboard();
	triple_fault();
}
