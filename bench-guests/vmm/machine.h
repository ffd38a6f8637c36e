/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The board of a VM: its devices, at which ports they are, and their lines to the interrupt controllers. It knows
 * nothing of the kernel: time comes in with each call, bytes for the console go out through a function.
 */
#pragma once

#include "vmm/kbc.h"
#include "vmm/pci.h"
#include "vmm/pic.h"
#include "vmm/pit.h"
#include "vmm/rtc.h"
#include "vmm/uart.h"

#include <stdbool.h>
#include <stdint.h>

enum { MACHINE_IRQ_TIMER = 0, MACHINE_IRQ_KEYBOARD = 1, MACHINE_IRQ_SERIAL = 4, MACHINE_IRQ_RTC = 8 };
#define MACHINE_COM1 0x3f8

struct machine {
	struct pic pic;
	struct pit pit;
	struct rtc rtc;
	struct kbc kbc;
	struct uart uart;
	struct pci pci;     /* what is plugged in after the reset brings its ports and lines itself */
	uint16_t pci_lines; /* that the interrupt controllers have been told of */
};

/* `epoch` is the time of day, in seconds since 1970, at the VM's start. */
void machine_reset(struct machine *m, uint64_t epoch);

/* The time at which machine_run() has something to do without the guest's doing, or NEVER. */
uint64_t machine_next(const struct machine *m, uint64_t now);

/* Brings the devices up to `now`, and their interrupt lines. Afterwards pic_wants() is true or not. */
void machine_run(struct machine *m, uint64_t now);

/*
 * An access to `size` (1, 2, 4) ports. Where nothing is, reads give ones and writes are lost, as on the bus of a PC;
 * devices of bytes see an access of several as several.
 */
uint32_t machine_in(struct machine *m, uint16_t port, unsigned size, uint64_t now);
void machine_out(struct machine *m, uint16_t port, unsigned size, uint32_t value, uint64_t now);

/* The guest has pulled the reset line. */
static inline bool machine_is_reset(const struct machine *m)
{
	return m->kbc.reset;
}
