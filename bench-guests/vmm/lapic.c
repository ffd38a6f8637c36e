/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/lapic.h"

/* Numbers of registers: in memory each takes 16 bytes. */
enum {
	ID = 0x02,
	VERSION = 0x03,
	TASK = 0x08,
	PROCESSOR = 0x0a,
	END = 0x0b,
	LOGICAL = 0x0d,
	FORMAT = 0x0e,
	SPURIOUS = 0x0f,
	SERVED = 0x10,
	LEVEL = 0x18,
	REQUESTED = 0x20,
	ERRORS = 0x28,
	COMMAND = 0x30,
	COMMAND_HIGH = 0x31,
	LOCAL_PIN_0 = 0x35,
	LOCAL_PIN_1 = 0x36,
	LOCAL_ERROR = 0x37,
	SELF = 0x3f,
};
enum { BASE_FIRST = 1 << 8, BASE_X2 = 1 << 10, BASE_ON = 1 << 11 };
enum { VERSION_VALUE = 0x14 | (LAPIC_LOCALS - 1) << 16, SPURIOUS_BITS = 0x1ff, ALL_8 = 0xff };
enum { PIN_BITS = LAPIC_LOCAL_BITS | APIC_MODE | 1 << 13 | APIC_LEVEL };
enum {
	TIMER_MODE = 3 << 17,
	TIMER_PERIODIC = 1 << 17,
	TIMER_DEADLINE = 2 << 17,
	TIMER_BITS = LAPIC_LOCAL_BITS | TIMER_MODE
};
enum { ERROR_SENT_VECTOR = 1 << 5, ERROR_VECTOR = 1 << 6, ERROR_REGISTER = 1 << 7 };
enum { COMMAND_BITS = 0xccfff, COMMAND_WHOM_SHIFT = 18, FIRST_VECTOR = 16 };
#define FORMAT_CLUSTER 0x0fffffffu
#define FORMAT_FLAT (~0u)
#define ALL_32 (~0u)

bool lapic_is_on(const struct lapic *l)
{
	return l->base & BASE_ON;
}

bool lapic_is_x2(const struct lapic *l)
{
	return l->base & BASE_X2;
}

/* ---- Sets of vectors ---- */

static bool has(const uint32_t set[8], uint8_t vector)
{
	return set[vector / 32] >> vector % 32 & 1;
}

static void put(uint32_t set[8], uint8_t vector, bool in)
{
	uint32_t bit = 1u << vector % 32;

	set[vector / 32] = in ? set[vector / 32] | bit : set[vector / 32] & ~bit;
}

/* 0 if there is none: vectors begin with 16. */
static uint8_t highest(const uint32_t set[8])
{
	for (unsigned n = 8; n--;)
		if (set[n])
			return (uint8_t)(n * 32 + 31 - (unsigned)__builtin_clz(set[n]));
	return 0;
}

/* ---- Interrupts ---- */

bool lapic_is_requested(const struct lapic *l, uint8_t vector)
{
	return has(l->requested, vector);
}

static void note_error(struct lapic *l, unsigned error);

void lapic_request(struct lapic *l, uint8_t vector, bool level)
{
	if (vector < FIRST_VECTOR) {
		note_error(l, ERROR_VECTOR);
		return;
	}
	put(l->requested, vector, true);
	put(l->level, vector, level);
}

/* 11.5.3: the error's own vector being none must not be an error, or there would be no end. */
static void note_error(struct lapic *l, unsigned error)
{
	uint32_t entry = l->local[LAPIC_ERROR];

	l->errors |= error;
	if (!(entry & APIC_MASKED) && (entry & APIC_VECTOR) >= FIRST_VECTOR)
		lapic_request(l, (uint8_t)entry, false);
}

/* 11.8.3.1: the higher of the task's priority and the priority class of what is being served. */
static unsigned processor_priority(const struct lapic *l)
{
	unsigned served = highest(l->served) & 0xf0u;

	return (l->task & 0xf0) >= served ? l->task : served;
}

bool lapic_wants(const struct lapic *l)
{
	return lapic_is_on(l) && (highest(l->requested) & 0xf0u) > (processor_priority(l) & 0xf0);
}

uint8_t lapic_acknowledge(struct lapic *l)
{
	uint8_t vector = highest(l->requested);

	put(l->requested, vector, false);
	put(l->served, vector, true);
	return vector;
}

static void end_of_interrupt(struct lapic *l)
{
	uint8_t vector = highest(l->served);

	put(l->served, vector, false);
	if (vector && has(l->level, vector))
		l->end(l->arg, vector);
}

/* 11.6.2.2 and 11.12.10.2 */
static bool is_in_set(const struct lapic *l, uint32_t set)
{
	if (lapic_is_x2(l))
		return (set == ALL_32 || set >> 16 == l->logical >> 16) && set & l->logical & 0xffff;
	if (l->format == FORMAT_FLAT)
		return set & l->logical >> 24;
	return (set >> 4 == 0xf || set >> 4 == l->logical >> 28) && set & l->logical >> 24 & 0xf;
}

static bool is_for(const struct lapic *l, const struct apic_message *m)
{
	if (m->whom == APIC_OTHERS)
		return m->sender != l->id;
	if (m->whom != APIC_ADDRESSED)
		return true;
	if (m->logical)
		return is_in_set(l, m->destination);
	return m->destination == l->id || m->destination == (lapic_is_x2(l) ? ALL_32 : ALL_8);
}

static void clear(struct lapic *l);

/* 11.12.10.2: as an x2APIC it cannot be written. */
static void set_logical(struct lapic *l)
{
	if (lapic_is_x2(l))
		l->logical = (l->id >> 4) << 16 | 1u << (l->id & 15);
}

/* 11.4.7.3 and 11.12.5.1: everything but the processor's number, and which kind of APIC it is. */
static void initialize(struct lapic *l)
{
	clear(l);
	set_logical(l);
	l->waits = true;
	l->starts = false;
}

/* A processor that was not initialized cannot be started: Intel SDM volume 3, 9.4.4.1, sends two such messages. */
static void start(struct lapic *l, uint8_t page)
{
	if (!l->waits)
		return;
	l->waits = false;
	l->starts = true;
	l->page = page;
}

/* 11.4.7.2: while it is disabled by software, interrupts are not accepted, but what starts the processor is. */
bool lapic_accept(struct lapic *l, const struct apic_message *m)
{
	if (!lapic_is_on(l) || !is_for(l, m))
		return false;
	if (m->mode == APIC_INIT)
		initialize(l);
	else if (m->mode == APIC_START)
		start(l, m->vector);
	else if (l->spurious & LAPIC_SPURIOUS_ON && (m->mode == APIC_FIXED || m->mode == APIC_LOWEST))
		lapic_request(l, m->vector, m->level);
	else
		return false;
	return true;
}

/*
 * 11.6.1: an INIT whose level is not asserted has no meaning any more, and a processor can neither initialize nor
 * start itself.
 */
static bool means_nothing(uint32_t command)
{
	unsigned mode = command >> APIC_MODE_SHIFT & 7, whom = command >> COMMAND_WHOM_SHIFT & 3;

	if (mode == APIC_INIT && !(command & APIC_ASSERT))
		return true;
	return (mode == APIC_INIT || mode == APIC_START) && whom != APIC_ADDRESSED && whom != APIC_OTHERS;
}

static void send(struct lapic *l, uint32_t command, uint32_t high)
{
	struct apic_message m = {
		.destination = lapic_is_x2(l) ? high : high >> 24,
		.vector = (uint8_t)command,
		.mode = command >> APIC_MODE_SHIFT & 7,
		.whom = command >> COMMAND_WHOM_SHIFT & 3,
		.sender = l->id,
		.logical = command & APIC_LOGICAL,
	};

	if (means_nothing(command))
		return;
	if (m.mode == APIC_FIXED && m.vector < FIRST_VECTOR)
		note_error(l, ERROR_SENT_VECTOR);
	else if (m.whom == APIC_SELF)
		lapic_accept(l, &m);
	else
		l->send(l->arg, &m);
}

bool lapic_passes_pic(const struct lapic *l)
{
	uint32_t entry = l->local[LAPIC_PIN_0];

	return !lapic_is_on(l) || (entry & (APIC_MASKED | APIC_MODE)) == APIC_EXTERNAL << APIC_MODE_SHIFT;
}

unsigned lapic_cr8(const struct lapic *l)
{
	return l->task >> 4;
}

void lapic_set_cr8(struct lapic *l, unsigned value)
{
	l->task = value << 4;
}

/* ---- Registers ---- */

static void set_local(struct lapic *l, enum lapic_local which, uint32_t value)
{
	l->local[which] = value | (l->spurious & LAPIC_SPURIOUS_ON ? 0 : APIC_MASKED);
}

/* 11.4.7.2: without the bit all local interrupts are masked, and cannot be unmasked. */
static void set_spurious(struct lapic *l, uint32_t value, uint64_t now)
{
	lapic_run(l, now);
	l->spurious = value & SPURIOUS_BITS;
	for (unsigned n = 0; n < LAPIC_LOCALS; n++)
		set_local(l, n, l->local[n]);
}

static void show_errors(struct lapic *l)
{
	l->errors_shown = l->errors;
	l->errors = 0;
}

static bool read_set(const struct lapic *l, unsigned reg, uint32_t *value)
{
	if (reg - SERVED < 8)
		*value = l->served[reg - SERVED];
	else if (reg - LEVEL < 8)
		*value = l->level[reg - LEVEL];
	else if (reg - REQUESTED < 8)
		*value = l->requested[reg - REQUESTED];
	else
		return false;
	return true;
}

/* False: there is no such register. */
static bool read_register(const struct lapic *l, unsigned reg, uint64_t now, uint32_t *value)
{
	const struct {
		unsigned reg;
		uint32_t value;
	} plain[] = {
		{ID, lapic_is_x2(l) ? l->id : l->id << 24},
		{VERSION, VERSION_VALUE},
		{TASK, l->task},
		{PROCESSOR, processor_priority(l)},
		{END, 0},
		{LOGICAL, l->logical},
		{FORMAT, l->format},
		{SPURIOUS, l->spurious},
		{ERRORS, l->errors_shown},
		{COMMAND, l->command},
		{COMMAND_HIGH, l->command_high},
		{LOCAL_PIN_0, l->local[LAPIC_PIN_0]},
		{LOCAL_PIN_1, l->local[LAPIC_PIN_1]},
		{LOCAL_ERROR, l->local[LAPIC_ERROR]},
	};

	for (unsigned n = 0; n < sizeof(plain) / sizeof(*plain); n++)
		if (plain[n].reg == reg) {
			*value = plain[n].value;
			return true;
		}
	return read_set(l, reg, value) || lapic_read_timer(l, reg, now, value);
}

/* False: there is none that can be written. */
static bool write_register(struct lapic *l, unsigned reg, uint32_t value, uint64_t now)
{
	switch (reg) {
	case END:
		end_of_interrupt(l);
		return true;
	case TASK:
		l->task = value & 0xff;
		return true;
	case SPURIOUS:
		set_spurious(l, value, now);
		return true;
	case ERRORS:
		show_errors(l);
		return true;
	case COMMAND:
		l->command = value & COMMAND_BITS;
		send(l, value, l->command_high);
		return true;
	case LOCAL_PIN_0:
	case LOCAL_PIN_1:
		set_local(l, LAPIC_PIN_0 + (reg - LOCAL_PIN_0), value & PIN_BITS);
		return true;
	case LOCAL_ERROR:
		set_local(l, LAPIC_ERROR, value & LAPIC_LOCAL_BITS);
		return true;
	default:
		return lapic_write_timer(l, reg, value, now);
	}
}

uint32_t lapic_read(const struct lapic *l, unsigned at, uint64_t now)
{
	uint32_t value = 0;

	return at % 16 == 0 && read_register(l, at / 16, now, &value) ? value : 0;
}

/* What only the registers in memory have: the sets that a processor is in, and the destination as one of its own. */
static bool write_memory_only(struct lapic *l, unsigned reg, uint32_t value)
{
	if (reg == LOGICAL)
		l->logical = value & 0xff000000;
	else if (reg == FORMAT)
		l->format = value | FORMAT_CLUSTER;
	else if (reg == COMMAND_HIGH)
		l->command_high = value & 0xff000000;
	else
		return false;
	return true;
}

void lapic_write(struct lapic *l, unsigned at, uint32_t value, uint64_t now)
{
	if (at % 16 == 0 && !write_memory_only(l, at / 16, value) && !write_register(l, at / 16, value, now))
		note_error(l, ERROR_REGISTER);
}

/* ---- As MSRs: 11.12.1.2 ---- */

bool lapic_read_msr(const struct lapic *l, uint32_t msr, uint64_t now, uint64_t *value)
{
	unsigned reg = msr - LAPIC_MSRS;
	uint32_t low;

	if (!lapic_is_x2(l) || reg == FORMAT || reg == COMMAND_HIGH || reg == END ||
	    !read_register(l, reg, now, &low))
		return false;
	*value = low;
	if (reg == COMMAND)
		*value |= (uint64_t)l->command_high << 32;
	return true;
}

static bool write_self(struct lapic *l, uint32_t value)
{
	send(l, (value & APIC_VECTOR) | APIC_SELF << COMMAND_WHOM_SHIFT, 0);
	return true;
}

bool lapic_write_msr(struct lapic *l, uint32_t msr, uint64_t value, uint64_t now)
{
	unsigned reg = msr - LAPIC_MSRS;

	if (!lapic_is_x2(l) || (value >> 32 && reg != COMMAND) || ((reg == END || reg == ERRORS) && value))
		return false;
	if (reg == COMMAND)
		l->command_high = (uint32_t)(value >> 32);
	return reg == SELF ? write_self(l, (uint32_t)value) : write_register(l, reg, (uint32_t)value, now);
}

/* ---- On, off, and which of the two ---- */

/* 11.4.7.1. Without LAPIC_SPURIOUS_ON the local interrupts are masked. */
static void clear(struct lapic *l)
{
	*l = (struct lapic){.send = l->send,
			    .end = l->end,
			    .arg = l->arg,
			    .id = l->id,
			    .hz = l->hz,
			    .base = l->base,
			    .waits = l->waits,
			    .starts = l->starts,
			    .page = l->page,
			    .spurious = ALL_8,
			    .format = FORMAT_FLAT};
	for (unsigned n = 0; n < LAPIC_LOCALS; n++)
		l->local[n] = APIC_MASKED;
}

void lapic_reset(struct lapic *l, uint32_t id, uint32_t hz)
{
	l->id = id;
	l->hz = hz;
	l->base = LAPIC_AT | BASE_ON | (id ? 0 : BASE_FIRST);
	l->waits = id;
	l->starts = false;
	clear(l);
	if (id)
		return;
	l->spurious |= LAPIC_SPURIOUS_ON;
	l->local[LAPIC_PIN_0] = APIC_EXTERNAL << APIC_MODE_SHIFT;
}

/*
 * 11.12.5: x2APIC is left only by switching the APIC off, and entered only from xAPIC. It can be at no other address
 * than the one it has after a reset.
 */
bool lapic_set_base(struct lapic *l, uint64_t value)
{
	uint64_t on = value & (BASE_ON | BASE_X2), was = l->base & (BASE_ON | BASE_X2);

	if ((value & ~(uint64_t)(BASE_ON | BASE_X2 | BASE_FIRST)) != LAPIC_AT || on == BASE_X2 ||
	    (was == (BASE_ON | BASE_X2) && on == BASE_ON) || (!was && on == (BASE_ON | BASE_X2)))
		return false;
	l->base = LAPIC_AT | on | (l->base & BASE_FIRST);
	if (!on)
		clear(l);
	if (on & BASE_X2 && !(was & BASE_X2)) {
		set_logical(l);
		l->command_high = 0;
	}
	return true;
}
