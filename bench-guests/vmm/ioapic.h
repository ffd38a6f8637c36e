/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An IO-APIC with 24 pins, whose polarity is that of whatever is connected. Modes besides fixed and lowest priority
 * send nothing. Manual: Intel 82093AA data sheet (290566); the register for ends of interrupts is that of later ones.
 */
#pragma once

#include "vmm/apic.h"

#define IOAPIC_AT 0xfec00000u
enum { IOAPIC_SIZE = 0x1000, IOAPIC_PINS = 24 };

struct ioapic {
	/* Set by the owner. */
	void (*send)(void *arg, const struct apic_message *message);
	void *arg;

	uint8_t index, id;
	uint32_t lines; /* levels of the pins */
	uint64_t pin[IOAPIC_PINS];
};

void ioapic_reset(struct ioapic *p); /* keeps the function */
void ioapic_set_line(struct ioapic *p, unsigned pin, bool high);
void ioapic_end(struct ioapic *p, uint8_t vector); /* a level-triggered interrupt is done */

bool ioapic_is_masked(const struct ioapic *p, unsigned pin);
uint8_t ioapic_vector(const struct ioapic *p, unsigned pin);

/* Registers of four bytes; what is not there reads as 0. */
uint32_t ioapic_read(const struct ioapic *p, unsigned at);
void ioapic_write(struct ioapic *p, unsigned at, uint32_t value);
