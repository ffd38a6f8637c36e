/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ACPI tables that tell a guest of its board: interrupt controllers, PCI, how to reset it and to switch it off.
 * Manual: ACPI 6.4, chapter 5.
 */
#pragma once

#include <stdint.h>

/* Where a firmware of a PC has them; operating systems search the pointer to all others from the start on. */
enum { ACPI_TABLES_AT = 0xe0000, ACPI_TABLES_SIZE = 0x1000 };

/* Writes them to `to`, which is guest memory at ACPI_TABLES_AT. */
void acpi_tables_write(uint8_t to[ACPI_TABLES_SIZE], unsigned processors);
