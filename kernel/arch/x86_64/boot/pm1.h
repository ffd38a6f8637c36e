/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PM1 control blocks, in ports or in memory. Manual: ACPI Specification 6.5, 4.8.3.2.1 (bits), 5.2.3.2
 * (addresses). */
#pragma once

#include "lib/types.h"

#include <hedron/hip.h>

#define PM1_SLEEP (1u << 13)

/* Whether the block is there, in a place that can be reached. */
bool pm1_usable(const struct hip_gas *block);
u16 pm1_read(const struct hip_gas *block);
void pm1_write(const struct hip_gas *block, u16 v);

/* A register's value, with another sleep type and without PM1_SLEEP. */
u16 pm1_with_type(u16 v, unsigned type);
