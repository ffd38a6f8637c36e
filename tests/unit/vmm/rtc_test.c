/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <time.h>

#include "vmm/rtc.h"
#include "vmm/scale.h"

#define S NS_PER_S
#define EPOCH 1709210096ul /* 2024-02-29 12:34:56, a Thursday */

static struct rtc rtc;

UNIT_FIXTURE(setup)
{
	rtc_reset(&rtc, EPOCH);
	return 0;
}

static unsigned get(unsigned index, uint64_t now)
{
	rtc_write(&rtc, 0x70, (uint8_t)index, now);
	return rtc_read(&rtc, 0x71, now);
}

static void set(unsigned index, unsigned value, uint64_t now)
{
	rtc_write(&rtc, 0x70, (uint8_t)index, now);
	rtc_write(&rtc, 0x71, (uint8_t)value, now);
}

static void shows(uint64_t now, unsigned year, unsigned month, unsigned day, unsigned hour, unsigned minute,
		  unsigned second)
{
	assert_int_equal(get(0x32, now) << 8 | get(9, now), year);
	assert_int_equal(get(8, now), month);
	assert_int_equal(get(7, now), day);
	assert_int_equal(get(4, now), hour);
	assert_int_equal(get(2, now), minute);
	assert_int_equal(get(0, now), second);
}

/* Against the C library, over four centuries. */
UNIT_TEST(test_calendar)
{
	for (uint64_t t = 0; t < 14000000000ul; t += 86400ul * 13 + 4711) {
		time_t when = (time_t)t;
		struct tm tm;
		struct rtc_date d = rtc_date(t);

		assert_non_null(gmtime_r(&when, &tm));
		assert_int_equal(d.year, tm.tm_year + 1900);
		assert_int_equal(d.month, tm.tm_mon + 1);
		assert_int_equal(d.day, tm.tm_mday);
		assert_int_equal(d.hour, tm.tm_hour);
		assert_int_equal(d.minute, tm.tm_min);
		assert_int_equal(d.second, tm.tm_sec);
		assert_int_equal(d.weekday, tm.tm_wday + 1);
		assert_int_equal(rtc_seconds(&d), t);
	}
}

UNIT_TEST(test_time)
{
	shows(0, 0x2024, 0x02, 0x29, 0x12, 0x34, 0x56);
	assert_int_equal(get(6, 0), 5);
	shows(86400 * S, 0x2024, 0x03, 0x01, 0x12, 0x34, 0x56);
	set(0xb, 0x04, 0); /* binary, 12 hours */
	assert_int_equal(get(4, 0), 12 | 0x80);
	assert_int_equal(get(4, 12 * 3600 * S), 12);
	assert_int_equal(get(2, 0), 34);
}

UNIT_TEST(test_set)
{
	set(0xb, 0x82, 10 * S); /* stopped */
	assert_int_equal(get(0, 20 * S), 0x06);
	set(0, 0x58, 20 * S);
	set(2, 0x59, 20 * S);
	set(4, 0x23, 20 * S);
	set(7, 0x31, 20 * S);
	set(8, 0x12, 20 * S);
	set(9, 0x99, 20 * S);
	set(0x32, 0x19, 20 * S);
	shows(25 * S, 0x1999, 0x12, 0x31, 0x23, 0x59, 0x58);
	set(0xb, 0x02, 30 * S);
	shows(32 * S, 0x2000, 0x01, 0x01, 0x00, 0x00, 0x00);
	set(8, 0xff, 32 * S); /* no month */
	assert_int_equal(get(8, 32 * S), 0x12);
}

UNIT_TEST(test_update_in_progress)
{
	assert_int_equal(get(0xa, 0), 0x26);
	assert_int_equal(get(0xa, S - 1), 0xa6);
	assert_int_equal(get(0xa, S - 2228000), 0xa6);
	assert_int_equal(get(0xa, S - 2228001), 0x26);
	assert_int_equal(get(0xa, S), 0x26);
	assert_int_equal(get(0xd, 0), 0x80);
	set(0xd, 0, 0);
	assert_int_equal(get(0xd, 0), 0x80);
}

UNIT_TEST(test_update_interrupt)
{
	assert_true(rtc_next(&rtc, 0) == NEVER);
	set(0xb, 0x12, S / 2);
	assert_int_equal(rtc_next(&rtc, S / 2), S);
	rtc_run(&rtc, S - 1);
	assert_false(rtc_interrupt(&rtc));
	rtc_run(&rtc, S);
	assert_true(rtc_interrupt(&rtc));
	assert_int_equal(get(0xc, S) & 0xb0, 0x90);
	assert_false(rtc_interrupt(&rtc));
	assert_int_equal(get(0xc, S), 0);
}

UNIT_TEST(test_alarm)
{
	set(1, 0x05, 0);
	set(3, 0x35, 0);
	set(5, 0xff, 0); /* each hour */
	set(0xb, 0x22, 0);
	rtc_run(&rtc, 8 * S);
	assert_false(rtc_interrupt(&rtc));
	rtc_run(&rtc, 9 * S);
	assert_true(rtc_interrupt(&rtc));
	assert_int_equal(get(0xc, 9 * S) & 0xa0, 0xa0);
	rtc_run(&rtc, 3608 * S);
	assert_false(rtc_interrupt(&rtc));
	rtc_run(&rtc, 1000000 * S); /* whoever is late gets it, once */
	assert_true(rtc_interrupt(&rtc));
	get(0xc, 1000000 * S);
	assert_false(rtc_interrupt(&rtc));
}

UNIT_TEST(test_periodic)
{
	set(0xb, 0x42, 0); /* rate 6: 1024 Hz */
	assert_int_equal(rtc_next(&rtc, 0), S / 1024);
	rtc_run(&rtc, S / 1024);
	assert_int_equal(get(0xc, S / 1024), 0xc0);
	rtc_run(&rtc, S / 4);
	assert_true(rtc_next(&rtc, S / 4) == NEVER); /* the flag is up: another one changes nothing */
	get(0xc, S / 4);
	assert_int_equal(rtc_next(&rtc, S / 4), S / 1024 * 257);
	set(0xa, 0x20, S / 4); /* no rate */
	assert_true(rtc_next(&rtc, S / 4) == NEVER);
}

/* The flag comes without its interrupt, too, and while the time is set. */
UNIT_TEST(test_periodic_polled)
{
	set(0xa, 0x26, 0);
	assert_true(rtc_next(&rtc, 0) == NEVER);
	assert_int_equal(get(0xc, S / 1024 - 1), 0);
	assert_int_equal(get(0xc, S / 1024), 0x40);
	set(0xb, 0xc2, S / 1024);
	assert_int_equal(rtc_next(&rtc, S / 1024), S / 1024 * 2);
	assert_int_equal(get(0xc, S / 1024 * 2), 0xc0);
}

/* Setting the time ends the interrupt of updates. */
UNIT_TEST(test_set_ends_updates)
{
	set(0xb, 0x92, 0);
	assert_int_equal(get(0xb, 0), 0x82);
	set(0xb, 0x12, 0);
	assert_int_equal(get(0xb, 0), 0x12);
}

UNIT_TEST(test_memory)
{
	for (unsigned i = 0xe; i < RTC_BYTES; i++)
		if (i != 0x32)
			set(i, i ^ 0x5a, 0);
	for (unsigned i = 0xe; i < RTC_BYTES; i++)
		if (i != 0x32)
			assert_int_equal(get(i, 0), i ^ 0x5a);
	assert_int_equal(get(0x8e, 0), 0xe ^ 0x5a); /* bit 7 is not the index's */
	assert_int_equal(rtc_read(&rtc, 0x70, 0), 0xff);
}

UNIT_TEST(test_random)
{
	uint64_t now = 0;

	for (unsigned i = 0; i < 100000; i++) {
		now += unit_random(2000) ? unit_random(100000000) : 100000 * S;
		rtc_write(&rtc, 0x70, (uint8_t)unit_random(unit_random(2) ? 14 : 256), now);
		if (unit_random(2))
			rtc_write(&rtc, 0x71, (uint8_t)unit_random(256), now);
		else
			rtc_read(&rtc, 0x71, now);
		rtc_run(&rtc, now);
		assert_true(rtc_next(&rtc, now) > now);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calendar),
		cmocka_unit_test_setup(test_time, setup),
		cmocka_unit_test_setup(test_set, setup),
		cmocka_unit_test_setup(test_update_in_progress, setup),
		cmocka_unit_test_setup(test_update_interrupt, setup),
		cmocka_unit_test_setup(test_alarm, setup),
		cmocka_unit_test_setup(test_periodic, setup),
		cmocka_unit_test_setup(test_periodic_polled, setup),
		cmocka_unit_test_setup(test_set_ends_updates, setup),
		cmocka_unit_test_setup(test_memory, setup),
		cmocka_unit_test_setup(test_random, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
