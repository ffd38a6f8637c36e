/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/rtc.h"

#include "vmm/scale.h"

enum {
	SECOND,
	SECOND_ALARM,
	MINUTE,
	MINUTE_ALARM,
	HOUR,
	HOUR_ALARM,
	WEEKDAY,
	DAY,
	MONTH,
	YEAR,
	A,
	B,
	C,
	D,
	CENTURY = 0x32
};
enum { A_UPDATING = 0x80, A_RATE = 0x0f, A_DIVIDER = 0x70, A_RUNNING = 0x20 };
enum { B_SET = 0x80, B_PERIODIC = 0x40, B_ALARM = 0x20, B_UPDATE = 0x10, B_BINARY = 0x04, B_24 = 0x02 };
enum { C_INTERRUPT = 0x80, C_ENABLES = B_PERIODIC | B_ALARM | B_UPDATE };
enum { D_VALID = 0x80, ANY = 0xc0, PM = 0x80, PORT_INDEX = 0x70 };
enum { DAYS_4_YEARS = 1461, DAYS_400_YEARS = 146097, DAY_S = 86400 };
/* Data sheet, "Update cycle": 1984 us, announced 244 us before. The time changes at the end. */
#define UPDATE_NS 2228000ul

/* ---- Calendar ---- */

/* Days since 0000-03-01: years that begin in March have their leap day at the end. */
static uint64_t days_since_march_0(unsigned year, unsigned month, unsigned day)
{
	uint64_t y = month > 2 ? year : year - 1u;
	uint64_t m = month > 2 ? month - 3u : month + 9u;

	return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;
}

#define DAYS_TO_1970 719468ul

uint64_t rtc_seconds(const struct rtc_date *d)
{
	uint64_t days = days_since_march_0(d->year, d->month, d->day) - DAYS_TO_1970;

	return ((days * 24 + d->hour) * 60 + d->minute) * 60 + d->second;
}

struct rtc_date rtc_date(uint64_t seconds)
{
	uint64_t days = seconds / DAY_S + DAYS_TO_1970, era = days / DAYS_400_YEARS;
	unsigned in_era = (unsigned)(days % DAYS_400_YEARS);
	unsigned year = (in_era - in_era / (DAYS_4_YEARS - 1) + in_era / 36524 - in_era / (DAYS_400_YEARS - 1)) / 365;
	unsigned in_year = in_era - (365 * year + year / 4 - year / 100), m = (5 * in_year + 2) / 153;
	unsigned rest = (unsigned)(seconds % DAY_S);

	return (struct rtc_date){
		.year = (unsigned)(era * 400) + year + (m >= 10),
		.month = m < 10 ? m + 3 : m - 9,
		.day = in_year - (153 * m + 2) / 5 + 1,
		.hour = rest / 3600,
		.minute = rest / 60 % 60,
		.second = rest % 60,
		.weekday = (unsigned)((seconds / DAY_S + 4) % 7) + 1,
	};
}

/* ---- Numbers as register B wants them ---- */

static uint8_t encode(const struct rtc *r, unsigned value)
{
	return (uint8_t)(r->byte[B] & B_BINARY ? value : value / 10 << 4 | value % 10);
}

static unsigned decode(const struct rtc *r, uint8_t value)
{
	return r->byte[B] & B_BINARY ? value : (value >> 4) * 10u + (value & 15);
}

static uint8_t encode_hour(const struct rtc *r, unsigned hour)
{
	if (r->byte[B] & B_24)
		return encode(r, hour);
	return encode(r, (hour + 11) % 12 + 1) | (hour >= 12 ? PM : 0);
}

static unsigned decode_hour(const struct rtc *r, uint8_t value)
{
	if (r->byte[B] & B_24)
		return decode(r, value);
	return decode(r, value & (uint8_t)~PM) % 12 + (value & PM ? 12 : 0);
}

/* ---- Time ---- */

static uint64_t running(const struct rtc *r, uint64_t now)
{
	return r->epoch + now / NS_PER_S;
}

static bool divides(const struct rtc *r)
{
	return (r->byte[A] & A_DIVIDER) == A_RUNNING;
}

static bool stands(const struct rtc *r)
{
	return r->byte[B] & B_SET || !divides(r);
}

static struct rtc_date shown(const struct rtc *r, uint64_t now)
{
	return stands(r) ? r->frozen : rtc_date(running(r, now));
}

static uint8_t read_time(const struct rtc *r, unsigned index, uint64_t now)
{
	struct rtc_date d = shown(r, now);

	switch (index) {
	case SECOND:
		return encode(r, d.second);
	case MINUTE:
		return encode(r, d.minute);
	case HOUR:
		return encode_hour(r, d.hour);
	case WEEKDAY:
		return encode(r, d.weekday);
	case DAY:
		return encode(r, d.day);
	case MONTH:
		return encode(r, d.month);
	case YEAR:
		return encode(r, d.year % 100);
	default:
		return encode(r, d.year / 100);
	}
}

/* Goes on from a date. One that is none, as the 31st of February, is one of the next month. */
static void start_at(struct rtc *r, const struct rtc_date *d, uint64_t now)
{
	struct rtc_date from = *d;

	if (from.year < 1970)
		from.year = 1970;
	r->epoch += rtc_seconds(&from) - running(r, now);
	r->seen_second = running(r, now);
}

/* A value that is no date is taken for the nearest one. */
static unsigned limit(unsigned value, unsigned low, unsigned high)
{
	return value < low ? low : value > high ? high : value;
}

static void write_time(struct rtc *r, unsigned index, uint8_t value, uint64_t now)
{
	struct rtc_date d = shown(r, now);
	unsigned number = decode(r, value);

	switch (index) {
	case SECOND:
		d.second = limit(number, 0, 59);
		break;
	case MINUTE:
		d.minute = limit(number, 0, 59);
		break;
	case HOUR:
		d.hour = limit(decode_hour(r, value), 0, 23);
		break;
	case DAY:
		d.day = limit(number, 1, 31);
		break;
	case MONTH:
		d.month = limit(number, 1, 12);
		break;
	case YEAR:
		d.year = d.year / 100 * 100 + limit(number, 0, 99);
		break;
	case CENTURY:
		d.year = limit(number, 19, 99) * 100 + d.year % 100;
		break;
	default:
		return; /* the day of the week follows from the date */
	}
	r->frozen = d;
	if (!stands(r))
		start_at(r, &d, now);
}

static bool alarm_field(uint8_t alarm, uint8_t is)
{
	return (alarm & ANY) == ANY || alarm == is;
}

static bool alarm_at(const struct rtc *r, uint64_t second)
{
	struct rtc_date d = rtc_date(second);

	return alarm_field(r->byte[SECOND_ALARM], encode(r, d.second)) &&
	       alarm_field(r->byte[MINUTE_ALARM], encode(r, d.minute)) &&
	       alarm_field(r->byte[HOUR_ALARM], encode_hour(r, d.hour));
}

/* ---- Interrupts ---- */

bool rtc_interrupt(const struct rtc *r)
{
	return r->byte[B] & r->byte[C] & C_ENABLES;
}

/* Data sheet, "Periodic interrupt rate": the rates 1 and 2 are those of 8 and 9. */
static uint64_t period(const struct rtc *r)
{
	unsigned rate = r->byte[A] & A_RATE;

	if (!rate)
		return NEVER;
	if (rate < 3)
		rate += 7;
	return (NS_PER_S << (rate - 1)) / 32768;
}

static void set_periodic(struct rtc *r, uint64_t now)
{
	uint64_t p = period(r);

	r->next_periodic = p == NEVER || !divides(r) ? NEVER : now + p;
}

uint64_t rtc_next(const struct rtc *r, uint64_t now)
{
	/* While the flag is up another period changes nothing: a guest that never looks is not woken for it. */
	bool periodic = r->byte[B] & B_PERIODIC && !(r->byte[C] & B_PERIODIC);
	uint64_t next = periodic ? r->next_periodic : NEVER, second = (now / NS_PER_S + 1) * NS_PER_S;

	if (!stands(r) && r->byte[B] & (B_ALARM | B_UPDATE) && second < next)
		next = second;
	return next;
}

void rtc_run(struct rtc *r, uint64_t now)
{
	uint64_t second = running(r, now);

	if (now >= r->next_periodic) {
		uint64_t p = period(r);

		r->byte[C] |= B_PERIODIC;
		r->next_periodic += ((now - r->next_periodic) / p + 1) * p;
	}
	if (stands(r) || second <= r->seen_second)
		return;
	r->byte[C] |= B_UPDATE;
	/* Whoever sleeps longer than a day has met every alarm. */
	if (second - r->seen_second > DAY_S)
		r->seen_second = second - DAY_S;
	while (r->seen_second < second)
		if (alarm_at(r, ++r->seen_second))
			r->byte[C] |= B_ALARM;
}

/* ---- Registers ---- */

void rtc_reset(struct rtc *r, uint64_t epoch)
{
	*r = (struct rtc){.epoch = epoch, .seen_second = epoch, .frozen = rtc_date(epoch)};
	r->byte[A] = A_RUNNING | 6;
	r->byte[B] = B_24;
	r->byte[D] = D_VALID;
	set_periodic(r, 0);
}

static uint8_t read_a(const struct rtc *r, uint64_t now)
{
	bool updating = !stands(r) && now % NS_PER_S >= NS_PER_S - UPDATE_NS;

	return r->byte[A] | (updating ? A_UPDATING : 0);
}

static uint8_t read_c(struct rtc *r)
{
	uint8_t value = r->byte[C] | (rtc_interrupt(r) ? C_INTERRUPT : 0);

	r->byte[C] = 0;
	return value;
}

static bool is_time(unsigned index)
{
	return index == CENTURY ||
	       (index <= YEAR && index != SECOND_ALARM && index != MINUTE_ALARM && index != HOUR_ALARM);
}

uint8_t rtc_read(struct rtc *r, uint16_t port, uint64_t now)
{
	if (port == PORT_INDEX)
		return 0xff; /* it can only be written */
	rtc_run(r, now);
	if (is_time(r->index))
		return read_time(r, r->index, now);
	if (r->index == A)
		return read_a(r, now);
	return r->index == C ? read_c(r) : r->byte[r->index];
}

/*
 * A clock that stops shows the time it stopped at, then what is written; it goes on from there. Data sheet, "Register
 * B": setting the time ends the update interrupt. Periods are the divider's, register B does not touch them.
 */
static void write_control(struct rtc *r, unsigned index, uint8_t value, uint64_t now)
{
	bool stood = stands(r);
	struct rtc_date date = shown(r, now);

	if (index == A)
		value &= (uint8_t)~A_UPDATING;
	else if (value & B_SET)
		value &= (uint8_t)~B_UPDATE;
	r->byte[index] = value;
	r->frozen = date;
	if (stood && !stands(r))
		start_at(r, &date, now);
	if (index == A)
		set_periodic(r, now);
}

void rtc_write(struct rtc *r, uint16_t port, uint8_t value, uint64_t now)
{
	unsigned index = r->index;

	if (port == PORT_INDEX) {
		r->index = value % RTC_BYTES; /* bit 7 is the board's: NMIs off */
		return;
	}
	rtc_run(r, now);
	if (is_time(index))
		write_time(r, index, value, now);
	else if (index == A || index == B)
		write_control(r, index, value, now);
	else if (index != C && index != D)
		r->byte[index] = value;
}
