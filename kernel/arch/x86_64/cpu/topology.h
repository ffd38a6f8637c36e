/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The place of the running CPU in the machine, from its APIC ID. Manual: SDM vol. 3, 9.9.3 (fields of the APIC ID),
 * vol. 2, CPUID leaves 1, 4, 0Bh, 1Fh. */
#pragma once

#include "lib/types.h"
#include "platform/acpi.h"

struct topology {
	struct acpi_cpu id;
	unsigned package, core, thread;
};

/* `acpi` adds the ACPI ID; may be NULL. */
struct topology topology_self(const struct acpi_info *acpi);
