/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts the other CPUs. Manual: SDM vol. 3, 9.4.4 (INIT-SIPI-SIPI), MultiProcessor Specification 1.4, B.4. */
#pragma once

#include "platform/acpi.h"

struct hip;

/* The number of the running CPU among those of the firmware's table; the table is made to have it. */
unsigned smp_self(struct acpi_info *acpi);

/* Makes the struct cpu of CPU n, with its idle EC. Panics without memory. */
void smp_prepare_cpu(unsigned n, const struct acpi_info *acpi);

/* The top of the stack for the CPU that comes out of the trampoline next; read by start.S. */
extern u64 ap_stack;
/* Set by start.S on a CPU that has no long mode. */
extern u32 ap_no_long_mode;

/*
 * Starts all CPUs that are in the table, one after the other, and enters them in the HIP. They wait, idle, for work
 * items. CPUs that do not come up are reported and left off. Low memory that is used meanwhile is restored.
 */
void smp_start(const struct acpi_info *acpi, struct hip *hip);

/* Starts an offline CPU on this stack, with the trampoline in its place; true if it has come online, else there is a
 * line on the console that says why not. */
bool smp_start_cpu(unsigned n, u64 stack) must_check;

void smp_set_online(unsigned n, bool online);
