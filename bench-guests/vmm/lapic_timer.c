/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The timer of a local APIC. Manual: Intel SDM volume 3, 11.5.4. */
#include "vmm/lapic.h"

#include "vmm/scale.h"

enum { LOCAL_TIMER = 0x32, INITIAL = 0x38, CURRENT = 0x39, DIVIDE = 0x3e }; /* registers */
enum { MODE = 3 << 17, PERIODIC = 1 << 17, DEADLINE = 2 << 17, TIMER_BITS = LAPIC_LOCAL_BITS | MODE };
#define BACKLOG_NS NS_PER_S

static bool is_periodic(const struct lapic *l)
{
	return (l->local[LAPIC_TIMER] & MODE) == PERIODIC;
}

bool lapic_has_deadline(const struct lapic *l)
{
	return (l->local[LAPIC_TIMER] & MODE) == DEADLINE;
}

/* 11.5.4: bits 3, 1 and 0 are one number; 7 is no division, others are powers of two from 2 on. */
static uint64_t divisor(const struct lapic *l)
{
	unsigned shift = (l->divide & 3) | (l->divide >> 1 & 4);

	return 1ul << (shift + 1) % 8;
}

static uint64_t counts(const struct lapic *l, uint64_t now)
{
	return now > l->start ? scale(now - l->start, l->hz, NS_PER_S * divisor(l)) : 0;
}

static uint64_t time_of(const struct lapic *l, uint64_t end)
{
	return l->start + scale_up(end * l->initial, NS_PER_S * divisor(l), l->hz);
}

static uint64_t ends(const struct lapic *l, uint64_t now)
{
	uint64_t n = counts(l, now) / l->initial;

	return is_periodic(l) || !n ? n : 1;
}

static uint32_t current(const struct lapic *l, uint64_t now)
{
	uint64_t n;

	if (!l->initial || lapic_has_deadline(l))
		return 0;
	n = counts(l, now);
	if (is_periodic(l))
		return l->initial - (uint32_t)(n % l->initial);
	return n < l->initial ? l->initial - (uint32_t)n : 0;
}

/*
 * A request that has not been answered holds back the next one, so that a guest that was not run for a while still
 * counts all of them, up to a second's.
 */
static bool waits(const struct lapic *l)
{
	uint32_t entry = l->local[LAPIC_TIMER];

	return entry & APIC_MASKED || lapic_is_requested(l, (uint8_t)entry);
}

uint64_t lapic_next(const struct lapic *l)
{
	if (!lapic_is_on(l))
		return NEVER;
	if (lapic_has_deadline(l))
		return l->deadline ? l->deadline_time : NEVER;
	if (!l->initial || waits(l) || (l->taken && !is_periodic(l)))
		return NEVER;
	return time_of(l, l->taken + 1);
}

static void raise_timer(struct lapic *l)
{
	uint32_t entry = l->local[LAPIC_TIMER];

	if (!(entry & APIC_MASKED))
		lapic_request(l, (uint8_t)entry, false);
}

static void run_deadline(struct lapic *l, uint64_t now)
{
	if (!l->deadline || now < l->deadline_time)
		return;
	l->deadline = 0;
	raise_timer(l);
}

static void run_count(struct lapic *l, uint64_t now)
{
	uint64_t n;

	if (!l->initial)
		return;
	n = ends(l, now);
	if (l->local[LAPIC_TIMER] & APIC_MASKED)
		l->taken = n;
	if (l->taken >= n || waits(l))
		return;
	l->taken++;
	if (now > BACKLOG_NS && time_of(l, l->taken + 1) < now - BACKLOG_NS && is_periodic(l))
		l->taken = ends(l, now - BACKLOG_NS);
	raise_timer(l);
}

void lapic_run(struct lapic *l, uint64_t now)
{
	if (!lapic_is_on(l))
		return;
	if (lapic_has_deadline(l))
		run_deadline(l, now);
	else
		run_count(l, now);
}

void lapic_set_deadline(struct lapic *l, uint64_t deadline, uint64_t time)
{
	l->deadline = deadline;
	l->deadline_time = time;
}

/* What ended before is told by the old entry. 11.5.4.1: a change to or from the deadline disarms the timer. */
static void set_timer(struct lapic *l, uint32_t value, uint64_t now)
{
	uint32_t change = (l->local[LAPIC_TIMER] ^ value) & MODE;

	lapic_run(l, now);
	l->local[LAPIC_TIMER] = value & TIMER_BITS;
	if (change & DEADLINE)
		l->initial = l->deadline = 0;
	else if (change && l->initial)
		l->taken = ends(l, now);
}

static void start(struct lapic *l, uint32_t value, uint64_t now)
{
	if (lapic_has_deadline(l))
		return; /* 11.5.4.1 */
	l->initial = value;
	l->start = now;
	l->taken = 0;
}

/* The count goes on at the new speed from where it is. */
static void set_divide(struct lapic *l, uint32_t value, uint64_t now)
{
	uint64_t done, since;

	lapic_run(l, now);
	done = l->initial ? l->initial - current(l, now) : 0;
	l->divide = value & 0xb;
	if (done == l->initial)
		return; /* a single count that has ended */
	since = scale(done, NS_PER_S * divisor(l), l->hz);
	l->start = now - (since < now ? since : now);
	l->taken = 0;
}

bool lapic_read_timer(const struct lapic *l, unsigned reg, uint64_t now, uint32_t *value)
{
	if (reg == INITIAL)
		*value = l->initial;
	else if (reg == CURRENT)
		*value = current(l, now);
	else if (reg == DIVIDE)
		*value = l->divide;
	else if (reg == LOCAL_TIMER)
		*value = l->local[LAPIC_TIMER];
	else
		return false;
	return true;
}

bool lapic_write_timer(struct lapic *l, unsigned reg, uint32_t value, uint64_t now)
{
	if (reg == LOCAL_TIMER)
		set_timer(l, value | (l->spurious & LAPIC_SPURIOUS_ON ? 0 : APIC_MASKED), now);
	else if (reg == INITIAL)
		start(l, value, now);
	else if (reg == DIVIDE)
		set_divide(l, value, now);
	else
		return false;
	return true;
}
