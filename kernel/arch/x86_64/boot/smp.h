/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts the other CPUs. Manual: SDM vol. 3, 9.4.4 (INIT-SIPI-SIPI), MultiProcessor Specification 1.4, B.4. */
#pragma once

#include "platform/acpi.h"

struct hip;

/* The number of the running CPU among those of the firmware's table; the table is made to have it. */
unsigned smp_self(struct acpi_info *acpi);

/* Makes the struct cpu of CPU n, with its idle EC. Panics without memory. */
void smp_prepare_cpu(unsigned n, const struct acpi_info *acpi);

/*
 * Starts all CPUs that are in the table and enters them in the HIP. They wait, idle, for work items. CPUs that do not
 * come up are reported and left off. Low memory that is used meanwhile is restored.
 */
void smp_start(const struct acpi_info *acpi, struct hip *hip);

/* CPU n begins on this stack when it comes out of the trampoline. */
void smp_begin_at(unsigned n, u64 stack);
/* Enters an offline CPU in the list of those that smp_start_invited() starts, on this stack. */
void smp_invite(unsigned n, u64 stack);
/*
 * Starts all CPUs in the list, with the trampoline in its place, and empties it. Whoever has started is online then;
 * a line on the console says why another is not. What is waited for those that do not answer does not depend on how
 * many they are.
 */
void smp_start_invited(void);

void smp_set_online(unsigned n, bool online);
