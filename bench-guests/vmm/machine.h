/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The board of a VM: its devices, at which ports they are, and their lines to the interrupt controllers. It knows
 * nothing of the kernel: time comes in with each call, bytes for the console go out through a function.
 */
#pragma once

#include "vmm/acpi.h"
#include "vmm/ioapic.h"
#include "vmm/kbc.h"
#include "vmm/lapic.h"
#include "vmm/pci.h"
#include "vmm/pic.h"
#include "vmm/pit.h"
#include "vmm/rtc.h"
#include "vmm/uart.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	MACHINE_IRQ_TIMER = 0,
	MACHINE_IRQ_KEYBOARD = 1,
	MACHINE_IRQ_SERIAL = 4,
	MACHINE_IRQ_RTC = 8,
	MACHINE_IRQ_ACPI = 9,
};
enum { MACHINE_PIN_TIMER = 2 };  /* of the IO-APIC; other lines are at the pins with their numbers */
enum { MACHINE_PROCESSORS = 8 }; /* at most */
#define MACHINE_COM1 0x3f8

struct machine {
	struct lapic lapic[MACHINE_PROCESSORS];
	unsigned processors;
	struct ioapic ioapic;
	struct pic pic;
	struct pit pit;
	struct rtc rtc;
	struct kbc kbc;
	struct uart uart;
	struct acpi acpi;
	struct pci pci;     /* what is plugged in after the reset brings its ports and lines itself */
	uint16_t pci_lines; /* that the interrupt controllers have been told of */
};

/*
 * `processors` is how many there are, of which number 0 runs, `epoch` is the time of day, in seconds since 1970, at
 * the VM's start, `hz` the frequency of the local APIC's clock. The machine stays where it is in memory.
 */
void machine_reset(struct machine *m, unsigned processors, uint64_t epoch, uint32_t hz);

/*
 * The time at which machine_run() has something to do without the guest's doing, or NEVER; and that of what the
 * thread of one processor has to see to: its own timer, and the first one's the rest of the board.
 */
uint64_t machine_next(const struct machine *m, uint64_t now);
uint64_t machine_next_of(const struct machine *m, unsigned processor, uint64_t now);

/* Brings the devices up to `now`, and their interrupt lines. Afterwards machine_wants() is true or not. */
void machine_run(struct machine *m, uint64_t now);

bool machine_wants(const struct machine *m, unsigned processor);     /* it shall take an interrupt */
unsigned machine_acknowledge(struct machine *m, unsigned processor); /* it does: the vector */

/*
 * An access to `size` (1, 2, 4) ports. Where nothing is, reads give ones and writes are lost, as on the bus of a PC;
 * devices of bytes see an access of several as several.
 */
uint32_t machine_in(struct machine *m, uint16_t port, unsigned size, uint64_t now);
void machine_out(struct machine *m, uint16_t port, unsigned size, uint32_t value, uint64_t now);

/*
 * An access of a processor to `size` bytes where no memory is. Registers have four bytes: one that is written in
 * part, or eight bytes at once, does not change.
 */
uint64_t machine_load(struct machine *m, unsigned processor, uint64_t at, unsigned size, uint64_t now);
void machine_store(struct machine *m, unsigned processor, uint64_t at, unsigned size, uint64_t value, uint64_t now);

/* The guest has pulled the reset line. */
static inline bool machine_is_reset(const struct machine *m)
{
	return m->kbc.reset;
}

static inline bool machine_is_off(const struct machine *m)
{
	return m->acpi.off;
}
