/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/ioapic.h"

enum { INDEX = 0, DATA = 0x10, END = 0x40 };
enum { ID, VERSION, ARBITRATION, FIRST_PIN = 0x10 };
enum { VERSION_VALUE = 0x20 | (IOAPIC_PINS - 1) << 16 };
#define PIN_LOW 0x1afffu /* what can be written: all but the delivery status and the remote IRR */
#define PIN_HIGH 0xff000000u

bool ioapic_is_masked(const struct ioapic *p, unsigned pin)
{
	return p->pin[pin] & APIC_MASKED;
}

uint8_t ioapic_vector(const struct ioapic *p, unsigned pin)
{
	return (uint8_t)p->pin[pin];
}

static void send(struct ioapic *p, unsigned pin)
{
	uint64_t e = p->pin[pin];
	struct apic_message m = {
		.destination = (uint32_t)(e >> 56),
		.vector = (uint8_t)e,
		.mode = e >> APIC_MODE_SHIFT & 7,
		.whom = APIC_ADDRESSED,
		.logical = e & APIC_LOGICAL,
		.level = e & APIC_LEVEL,
	};

	p->send(p->arg, &m);
}

/* A level is sent once until its interrupt has ended, and then again if it is still there. */
static void send_level(struct ioapic *p, unsigned pin)
{
	uint64_t *e = &p->pin[pin];

	if (!(p->lines >> pin & 1) || (*e & (APIC_LEVEL | APIC_MASKED | APIC_REMOTE_IRR)) != APIC_LEVEL)
		return;
	*e |= APIC_REMOTE_IRR;
	send(p, pin);
}

void ioapic_set_line(struct ioapic *p, unsigned pin, bool high)
{
	uint32_t bit = 1u << pin;
	bool rises = high && !(p->lines & bit);

	p->lines = high ? p->lines | bit : p->lines & ~bit;
	if (rises && !(p->pin[pin] & (APIC_LEVEL | APIC_MASKED)))
		send(p, pin);
	send_level(p, pin);
}

void ioapic_end(struct ioapic *p, uint8_t vector)
{
	for (unsigned n = 0; n < IOAPIC_PINS; n++)
		if (p->pin[n] & APIC_REMOTE_IRR && ioapic_vector(p, n) == vector) {
			p->pin[n] &= ~(uint64_t)APIC_REMOTE_IRR;
			send_level(p, n);
		}
}

static uint32_t read_data(const struct ioapic *p)
{
	unsigned pin = (p->index - FIRST_PIN) / 2u;

	if (p->index == ID || p->index == ARBITRATION)
		return (uint32_t)p->id << 24;
	if (p->index == VERSION)
		return VERSION_VALUE;
	if (p->index < FIRST_PIN || pin >= IOAPIC_PINS)
		return 0;
	return (uint32_t)(p->pin[pin] >> (p->index % 2 ? 32 : 0));
}

/* A pin that becomes edge triggered forgets that its level was sent. */
static void write_pin(struct ioapic *p, unsigned pin, bool high, uint32_t value)
{
	uint64_t *e = &p->pin[pin];

	if (high) {
		*e = (uint32_t)*e | (uint64_t)(value & PIN_HIGH) << 32;
		return;
	}
	*e = (*e & (PIN_HIGH * (1ul << 32) | APIC_REMOTE_IRR)) | (value & PIN_LOW);
	if (!(*e & APIC_LEVEL))
		*e &= ~(uint64_t)APIC_REMOTE_IRR;
	send_level(p, pin);
}

static void write_data(struct ioapic *p, uint32_t value)
{
	unsigned pin = (p->index - FIRST_PIN) / 2u;

	if (p->index == ID)
		p->id = value >> 24 & 15;
	else if (p->index >= FIRST_PIN && pin < IOAPIC_PINS)
		write_pin(p, pin, p->index % 2, value);
}

uint32_t ioapic_read(const struct ioapic *p, unsigned at)
{
	if (at == INDEX)
		return p->index;
	return at == DATA ? read_data(p) : 0;
}

void ioapic_write(struct ioapic *p, unsigned at, uint32_t value)
{
	if (at == INDEX)
		p->index = (uint8_t)value;
	else if (at == DATA)
		write_data(p, value);
	else if (at == END)
		ioapic_end(p, (uint8_t)value);
}

void ioapic_reset(struct ioapic *p)
{
	*p = (struct ioapic){.send = p->send, .arg = p->arg};
	for (unsigned n = 0; n < IOAPIC_PINS; n++)
		p->pin[n] = APIC_MASKED;
}
