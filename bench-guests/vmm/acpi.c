/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/acpi.h"

#include "vmm/scale.h"

enum { EVENT_TIMER = 1, EVENT_BIOS = 1 << 5, EVENT_CLOCK = 1 << 10, ENABLES = ACPI_EVENTS + 2 };
enum { CONTROL_ACPI = 1, CONTROL_OWN = 0x1c02 }; /* the guest's own bits: a bus master wakes it, kind of sleep */
enum { SLEEP_SHIFT = 10, SLEEP = 1 << 13 };
enum { TIMER_BITS = 24 };

static uint64_t counts(uint64_t now)
{
	return scale(now, ACPI_HZ, NS_PER_S);
}

/* How often the top bit has changed. */
static uint64_t changes(uint64_t now)
{
	return counts(now) >> (TIMER_BITS - 1);
}

void acpi_reset(struct acpi *a)
{
	*a = (struct acpi){0};
}

void acpi_set_clock(struct acpi *a, bool high)
{
	a->clock_event = a->clock_event || (high && !a->clock);
	a->clock = high;
}

static unsigned events(const struct acpi *a, uint64_t now)
{
	return (changes(now) > a->seen ? EVENT_TIMER : 0) | (a->clock_event ? EVENT_CLOCK : 0);
}

bool acpi_interrupt(const struct acpi *a, uint64_t now)
{
	return a->enabled & events(a, now);
}

uint64_t acpi_next(const struct acpi *a, uint64_t now)
{
	if (!(a->enabled & EVENT_TIMER) || changes(now) > a->seen)
		return NEVER;
	return scale_up((a->seen + 1) << (TIMER_BITS - 1), NS_PER_S, ACPI_HZ);
}

static uint32_t look(const struct acpi *a, unsigned reg, uint64_t now)
{
	if (reg == ACPI_EVENTS)
		return events(a, now) | (uint32_t)a->enabled << 16;
	if (reg == ACPI_CONTROL)
		return a->control | CONTROL_ACPI;
	return (uint32_t)counts(now) & ((1u << TIMER_BITS) - 1);
}

uint8_t acpi_read(const struct acpi *a, uint16_t port, uint64_t now)
{
	unsigned at = port - ACPI_PORT;

	return (uint8_t)(look(a, at & -4u, now) >> 8 * (at & 3));
}

/* Bits that are written as 1 are answered. */
static void answer(struct acpi *a, unsigned bits, uint64_t now)
{
	if (bits & EVENT_TIMER)
		a->seen = changes(now);
	if (bits & EVENT_CLOCK)
		a->clock_event = false;
}

static uint16_t with_byte(uint16_t old, unsigned shift, uint8_t value, uint16_t writable)
{
	unsigned bits = writable & 0xffu << shift;

	return (uint16_t)((old & ~bits) | ((unsigned)value << shift & bits));
}

static void write_control(struct acpi *a, unsigned shift, uint8_t value)
{
	a->control = with_byte(a->control, shift, value, CONTROL_OWN);
	if ((unsigned)value << shift & SLEEP && a->control >> SLEEP_SHIFT == ACPI_OFF)
		a->off = true;
}

/* The bit for the firmware's lock can be enabled and never comes: there is no firmware that would have it. */
void acpi_write(struct acpi *a, uint16_t port, uint8_t value, uint64_t now)
{
	unsigned at = port - ACPI_PORT, shift = 8 * (at & 1);

	if (at < ENABLES)
		answer(a, (unsigned)value << shift, now);
	else if (at < ACPI_CONTROL)
		a->enabled = with_byte(a->enabled, shift, value, EVENT_TIMER | EVENT_BIOS | EVENT_CLOCK);
	else if (at < ACPI_CONTROL + 2)
		write_control(a, shift, value);
}
