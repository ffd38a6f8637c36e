/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the machine is reset (arch_reset()). */
#pragma once

#include "platform/acpi.h"

/* Remembers the firmware's reset register. */
void reset_init(const struct acpi_info *acpi);
