/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A processor's local APIC with its timer, as xAPIC and as x2APIC. It begins as a firmware leaves it: enabled, and
 * the 8259A's interrupts pass through its pin 0 to the first processor; the others wait until they are started. NMIs
 * and SMIs are not known. Manual: Intel SDM volume 3, chapter 11.
 */
#pragma once

#include "vmm/apic.h"

#define LAPIC_AT 0xfee00000u
enum { LAPIC_SIZE = 4096, LAPIC_MSRS = 0x800, LAPIC_MSRS_COUNT = 0x100 };

enum lapic_local { LAPIC_TIMER, LAPIC_PIN_0, LAPIC_PIN_1, LAPIC_ERROR, LAPIC_LOCALS };

struct lapic {
	/* Set by the owner. */
	void (*send)(void *arg, const struct apic_message *message); /* to all local APICs, this one too */
	void (*end)(void *arg, uint8_t vector);                      /* a level-triggered interrupt is done */
	void *arg;
	uint32_t id, hz; /* of the clock that the timer divides */

	uint64_t base; /* IA32_APIC_BASE */
	bool waits;    /* the processor does nothing until it is started: an INIT has come, or it never was */
	bool starts;   /* it has been started, and has not begun */
	uint8_t page;  /* at which it begins */
	uint32_t requested[8], served[8], level[8];
	uint32_t local[LAPIC_LOCALS];
	uint32_t spurious, logical, format, task, command_high, command;
	uint32_t errors, errors_shown;

	/* The timer. Counting began at `start`; `taken` of its ends have raised the interrupt, or were masked. */
	uint32_t divide, initial;
	uint64_t start, taken;
	uint64_t deadline, deadline_time; /* in the guest's TSC, and when that is; 0: none */
};

void lapic_reset(struct lapic *l, uint32_t id, uint32_t hz); /* keeps the functions; 0 is the first processor */

bool lapic_is_on(const struct lapic *l); /* the guest has not switched it off */
bool lapic_is_x2(const struct lapic *l);
bool lapic_passes_pic(const struct lapic *l); /* the 8259A's interrupts come through */
bool lapic_set_base(struct lapic *l, uint64_t value);

/* When its timer has something to do, or NEVER. */
uint64_t lapic_next(const struct lapic *l);
void lapic_run(struct lapic *l, uint64_t now);

bool lapic_wants(const struct lapic *l);    /* the processor shall take an interrupt */
uint8_t lapic_acknowledge(struct lapic *l); /* it does: the vector */
bool lapic_is_requested(const struct lapic *l, uint8_t vector);
bool lapic_accept(struct lapic *l, const struct apic_message *m); /* takes a message if it is for this processor */

/* The task priority as CR8 has it. */
unsigned lapic_cr8(const struct lapic *l);
void lapic_set_cr8(struct lapic *l, unsigned value);

/* Does the guest use the deadline timer? What it wrote last, and when that is; 0 is none. */
bool lapic_has_deadline(const struct lapic *l);
void lapic_set_deadline(struct lapic *l, uint64_t deadline, uint64_t time);

/* Registers in memory, of four bytes each; what is not there reads as 0. */
uint32_t lapic_read(const struct lapic *l, unsigned at, uint64_t now);
void lapic_write(struct lapic *l, unsigned at, uint32_t value, uint64_t now);

/* The same as MSRs. False: #GP. */
bool lapic_read_msr(const struct lapic *l, uint32_t msr, uint64_t now, uint64_t *value);
bool lapic_write_msr(struct lapic *l, uint32_t msr, uint64_t value, uint64_t now);

/* For lapic.c and lapic_timer.c alone. */
enum { LAPIC_SPURIOUS_ON = 1 << 8, LAPIC_LOCAL_BITS = APIC_VECTOR | APIC_MASKED };
void lapic_request(struct lapic *l, uint8_t vector, bool level);
bool lapic_read_timer(const struct lapic *l, unsigned reg, uint64_t now, uint32_t *value);
bool lapic_write_timer(struct lapic *l, unsigned reg, uint32_t value, uint64_t now);
