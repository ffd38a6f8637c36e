/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of ACPI's fixed hardware: the timer, its interrupt and the clock's, and the one that switches the
 * machine off. It is always in ACPI mode. There are no buttons. Manual: ACPI 6.4, 4.8.3. Ports: 0x600 to 0x60b.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { ACPI_PORT = 0x600, ACPI_EVENTS = 0, ACPI_CONTROL = 4, ACPI_TIMER = 8, ACPI_PORTS = 12, ACPI_OFF = 5 };
#define ACPI_HZ 3579545u

struct acpi {
	uint16_t enabled, control;
	bool clock, clock_event; /* level of the clock's interrupt line; it has risen */
	uint64_t seen;           /* changes of the timer's top bit that have been answered */
	bool off;                /* the guest has switched the machine off */
};

void acpi_reset(struct acpi *a);
void acpi_set_clock(struct acpi *a, bool high);          /* the clock's interrupt line */
uint64_t acpi_next(const struct acpi *a, uint64_t now);  /* when its line rises by itself, or NEVER */
bool acpi_interrupt(const struct acpi *a, uint64_t now); /* level of its interrupt line */

uint8_t acpi_read(const struct acpi *a, uint16_t port, uint64_t now);
void acpi_write(struct acpi *a, uint16_t port, uint8_t value, uint64_t now);
