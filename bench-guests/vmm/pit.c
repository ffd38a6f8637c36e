/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/pit.h"

#include "vmm/scale.h"

enum { PORT_CHANNEL_0 = 0x40, PORT_CONTROL = 0x43, PORT_SPEAKER = 0x61 };
enum { ACCESS_LOW = 1, ACCESS_HIGH = 2, ACCESS_BOTH = 3 };
enum { SPEAKER = 2, CHANNEL_READ_BACK = 3 };
/* Edges that are late are caught up, as far as this; older ones are lost. */
#define BACKLOG_NS NS_PER_S

static uint64_t counts_at(uint64_t now)
{
	return scale(now, PIT_HZ, NS_PER_S);
}

static uint64_t time_of(uint64_t counts)
{
	return scale_up(counts, NS_PER_S, PIT_HZ);
}

static bool is_periodic(const struct pit_channel *c)
{
	return c->mode == 2 || c->mode == 3;
}

/* In these modes a low gate stops the count; in the others a rising one starts it. */
static bool waits_for_gate(const struct pit_channel *c)
{
	return c->mode == 0 || c->mode == 4;
}

static bool is_counting(const struct pit_channel *c)
{
	if (!c->loaded)
		return false;
	return c->mode == 1 || c->mode == 5 ? c->triggered : c->gate;
}

/* Counts done since the count began. */
static uint64_t elapsed(const struct pit_channel *c, uint64_t now)
{
	uint64_t counts = counts_at(now);

	return is_counting(c) && counts > c->start ? counts - c->start : is_counting(c) ? 0 : c->stopped;
}

static bool output(const struct pit_channel *c, uint64_t now)
{
	uint64_t done = elapsed(c, now);

	switch (c->mode) {
	case 0:
		return c->loaded && done >= c->count;
	case 1:
		return !c->triggered || done >= c->count;
	case 2:
		return !is_counting(c) || done % c->count != c->count - 1;
	case 3:
		return !is_counting(c) || done % c->count < (c->count + 1) / 2;
	default:
		return !is_counting(c) || done != c->count;
	}
}

/* What the counter shows: it goes on below 0 where the mode has only one turn. */
static uint16_t current(const struct pit_channel *c, uint64_t now)
{
	uint64_t done = elapsed(c, now);
	unsigned turn = c->bcd ? 10000 : 0x10000;
	uint64_t value = c->count + turn - done % turn;

	if (c->mode == 2)
		value = c->count - done % c->count;
	else if (c->mode == 3)
		value = c->count - 2 * done % c->count; /* down by two, twice in a period */
	if (!c->bcd)
		return (uint16_t)value;
	value %= turn;
	return (uint16_t)(value % 10 | value / 10 % 10 << 4 | value / 100 % 10 << 8 | value / 1000 << 12);
}

static void begin(struct pit_channel *c, uint64_t now)
{
	c->start = counts_at(now) + 1; /* the count is taken over with the next pulse of the clock */
	c->stopped = 0;
}

static void load(struct pit_channel *c, uint16_t value, uint64_t now)
{
	uint32_t count = value;

	if (c->bcd)
		count = (value & 15) + (value >> 4 & 15) * 10u + (value >> 8 & 15) * 100u + (value >> 12) * 1000u;
	c->count = count ? count : c->bcd ? 10000 : 0x10000;
	c->loaded = true;
	if (c->mode != 1 && c->mode != 5)
		begin(c, now);
}

static void set_gate(struct pit_channel *c, bool gate, uint64_t now)
{
	if (c->gate == gate)
		return;
	if (waits_for_gate(c) && !gate) {
		c->stopped = elapsed(c, now);
	} else if (waits_for_gate(c)) {
		c->start = counts_at(now) - c->stopped;
	} else if (gate) {
		c->triggered = true;
		begin(c, now);
	}
	c->gate = gate;
}

static void latch_count(struct pit_channel *c, uint64_t now)
{
	if (c->count_latched)
		return; /* the first one stands until it is read */
	c->latched = current(c, now);
	c->count_latched = c->access == ACCESS_BOTH ? 2 : 1;
	c->high_next_read = c->access == ACCESS_HIGH;
}

static void latch_status(struct pit_channel *c, uint64_t now)
{
	enum { OUTPUT = 0x80, NULL_COUNT = 0x40 };

	if (c->status_latched)
		return;
	c->status = (uint8_t)(c->access << 4 | c->mode << 1 | c->bcd | (output(c, now) ? OUTPUT : 0) |
			      (c->loaded ? 0 : NULL_COUNT));
	c->status_latched = true;
}

static void write_control(struct pit *p, uint8_t value, uint64_t now)
{
	enum { NOT_COUNT = 0x20, NOT_STATUS = 0x10 };
	unsigned n = value >> 6, mode = value >> 1 & 7;
	struct pit_channel *c = &p->channel[n];

	if (n == CHANNEL_READ_BACK) {
		for (n = 0; n < PIT_CHANNELS; n++) {
			if (!(value >> (n + 1) & 1))
				continue;
			if (!(value & NOT_STATUS))
				latch_status(&p->channel[n], now);
			if (!(value & NOT_COUNT))
				latch_count(&p->channel[n], now);
		}
	} else if (!(value >> 4 & 3)) {
		latch_count(c, now);
	} else {
		*c = (struct pit_channel){.gate = c->gate, .count = 0x10000};
		c->access = value >> 4 & 3;
		c->mode = (uint8_t)(mode >= 6 ? mode - 4 : mode); /* the third bit means nothing in modes 2 and 3 */
		c->bcd = value & 1;
	}
}

static void write_count(struct pit *p, unsigned n, uint8_t value, uint64_t now)
{
	struct pit_channel *c = &p->channel[n];

	if (c->access == ACCESS_BOTH && !c->high_next_write) {
		c->low = value;
		c->high_next_write = true;
		if (c->mode == 0)
			c->loaded = false; /* the first byte stops it */
		return;
	}
	c->high_next_write = false;
	if (c->access == ACCESS_LOW)
		load(c, value, now);
	else
		load(c, (uint16_t)(value << 8 | (c->access == ACCESS_BOTH ? c->low : 0)), now);
	if (n == 0)
		p->edges = 0;
}

static uint8_t read_count(struct pit_channel *c, uint64_t now)
{
	uint16_t value = c->count_latched ? c->latched : current(c, now);
	bool high = c->access == ACCESS_HIGH || (c->access == ACCESS_BOTH && c->high_next_read);

	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	if (c->access == ACCESS_BOTH)
		c->high_next_read = !c->high_next_read;
	if (c->count_latched)
		c->count_latched--;
	return (uint8_t)(high ? value >> 8 : value);
}

void pit_reset(struct pit *p)
{
	*p = (struct pit){0};
	for (unsigned n = 0; n < PIT_CHANNELS; n++)
		p->channel[n] = (struct pit_channel){.access = ACCESS_BOTH, .gate = n != SPEAKER, .count = 0x10000};
}

/* Counts from the start of channel 0 to its edge number `n`, from 0 on. */
static uint64_t edge(const struct pit_channel *c, uint64_t n)
{
	if (is_periodic(c))
		return (n + 1) * c->count;
	return c->mode >= 4 ? c->count + 1ul : c->count;
}

uint64_t pit_next(const struct pit *p)
{
	const struct pit_channel *c = &p->channel[0];

	if (!is_counting(c) || (!is_periodic(c) && p->edges))
		return NEVER;
	return time_of(c->start + edge(c, p->edges));
}

void pit_take(struct pit *p, uint64_t now)
{
	const struct pit_channel *c = &p->channel[0];

	p->edges++;
	if (is_periodic(c) && now > BACKLOG_NS && pit_next(p) < now - BACKLOG_NS)
		p->edges = (counts_at(now - BACKLOG_NS) - c->start) / c->count;
}

uint8_t pit_read(struct pit *p, uint16_t port, uint64_t now)
{
	enum { REFRESH = 0x10, OUTPUT = 0x20, REFRESH_NS = 15085 };
	const struct pit_channel *c = &p->channel[SPEAKER];

	if (port == PORT_CONTROL)
		return 0xff; /* it can only be written */
	if (port != PORT_SPEAKER)
		return read_count(&p->channel[port - PORT_CHANNEL_0], now);
	return (uint8_t)(c->gate | p->speaker << 1 | (now / REFRESH_NS & 1 ? REFRESH : 0) |
			 (output(c, now) ? OUTPUT : 0));
}

void pit_write(struct pit *p, uint16_t port, uint8_t value, uint64_t now)
{
	if (port == PORT_SPEAKER) {
		set_gate(&p->channel[SPEAKER], value & 1, now);
		p->speaker = value >> 1 & 1;
	} else if (port == PORT_CONTROL) {
		write_control(p, value, now);
	} else {
		write_count(p, port - PORT_CHANNEL_0, value, now);
	}
}
