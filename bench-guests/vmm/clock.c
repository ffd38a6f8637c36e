/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/clock.h"

#include "vmm/rtc.h"

#include "rt/port.h"
#include "rt/string.h"

enum { INDEX = 0x70, DATA = 0x71 };
enum { SECOND = 0, MINUTE = 2, HOUR = 4, DAY = 7, MONTH = 8, YEAR = 9, A = 0xa, B = 0xb };
enum { A_UPDATING = 0x80, B_BINARY = 4, B_24 = 2, PM = 0x80, THIS_CENTURY = 2000 };
enum { TRIES = 100000 }; /* an update takes 2 ms */

static uint8_t read(uint8_t index)
{
	rt_out8(INDEX, index);
	return rt_in8(DATA);
}

static unsigned number(uint8_t value, uint8_t b)
{
	return b & B_BINARY ? value : (value >> 4) * 10u + (value & 15);
}

static struct rtc_date read_date(void)
{
	uint8_t b = read(B), hour = read(HOUR);
	struct rtc_date d = {
		.year = THIS_CENTURY + number(read(YEAR), b),
		.month = number(read(MONTH), b),
		.day = number(read(DAY), b),
		.hour = number(b & B_24 ? hour : hour & (uint8_t)~PM, b),
		.minute = number(read(MINUTE), b),
		.second = number(read(SECOND), b),
	};

	if (!(b & B_24))
		d.hour = d.hour % 12 + (hour & PM ? 12 : 0);
	return d;
}

static bool is_date(const struct rtc_date *d)
{
	return d->month - 1 < 12 && d->day - 1 < 31 && d->hour < 24 && d->minute < 60 && d->second < 60;
}

/* What is read twice the same, and not during an update, is right. */
uint64_t clock_seconds(void)
{
	if (rt_ports(INDEX, 1) != SUCCESS)
		return 0;
	for (unsigned i = 0; i < TRIES; i++) {
		struct rtc_date first, second;

		if (read(A) & A_UPDATING)
			continue;
		first = read_date();
		second = read_date();
		if (!memcmp(&first, &second, sizeof(first)))
			return is_date(&first) ? rtc_seconds(&first) : 0;
	}
	return 0;
}
