/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The serial line that messages go to. The command line names it, or else it is the first of these that answers like
 * a UART: what the firmware's tables SPCR and DBG2 name, the ports in the data area of the BIOS, cards on PCI, COM1.
 * All of this runs on the boot CPU while no other one runs. Manual: for the BIOS, the IBM PC/AT Technical Reference.
 */
#pragma once

#include "platform/acpi.h"
#include "platform/serial_word.h"

/* The line that the word names, if it names one. `boot` has to stay. */
void serial_start(const struct serial_word *word, const struct boot_info *boot);

/* If a line is wanted and there is none yet: looks for it. `acpi` has to stay. */
void serial_find(const struct acpi_info *acpi);

/* The kernel has page tables: what was mapped before is mapped there, and what could not be mapped is tried now. */
void serial_settle(void);

/* After the machine slept: the line is as it was before. */
void serial_restore(void);

/* Where the registers are; `bits` is the width of each, and so their distance. False: there is no line. */
bool serial_place(struct hip_gas *out) must_check;
