/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "platform/ratelimit.h"

#define BURST 4
#define EVERY 100

static struct ratelimit limit;
static u32 missed;

UNIT_FIXTURE(setup)
{
	limit = RATELIMIT_INIT(BURST, EVERY);
	return 0;
}

/* How many of `tries` get through at this time. */
static unsigned take(u64 now, unsigned tries)
{
	unsigned n = 0;

	while (tries--)
		n += ratelimit_take(&limit, now, &missed);
	return n;
}

UNIT_TEST(test_burst_then_rate)
{
	assert_int_equal(take(1000, 10), BURST);
	assert_int_equal(take(1099, 10), 0);
	assert_int_equal(take(1100, 10), 1);
	assert_int_equal(take(1199, 10), 0);
	assert_int_equal(take(1250, 10), 1); /* half an interval is left over */
	assert_int_equal(take(1299, 10), 0);
	assert_int_equal(take(1300, 10), 1);
	assert_int_equal(take(1500, 10), 2);
}

/* However long it was quiet, no more than a burst. */
UNIT_TEST(test_full_is_full)
{
	assert_int_equal(take(1000000, 1), 1);
	assert_int_equal(take(9000000, 100), BURST);
	assert_int_equal(take(9000099, 100), 0);
	assert_int_equal(take(9000100, 100), 1);
	assert_int_equal(take(UINT64_MAX / 2, 100), BURST);
}

UNIT_TEST(test_clock_stands_still)
{
	assert_int_equal(take(0, 1000), BURST);
	setup(NULL);
	assert_int_equal(take(77, 1000), BURST);
	assert_int_equal(take(77, 1000), 0);
}

UNIT_TEST(test_clock_jumps_back)
{
	assert_int_equal(take(1000000, 10), BURST);
	assert_int_equal(take(500, 10), 0); /* no tokens from that */
	assert_int_equal(take(599, 10), 0);
	assert_int_equal(take(600, 10), 1); /* goes on from there */
	assert_int_equal(take(0, 10), 0);
	assert_int_equal(take(100, 10), 1);
}

UNIT_TEST(test_clock_wraps)
{
	limit.last = UINT64_MAX - 49;
	assert_int_equal(take(UINT64_MAX - 49, 10), BURST);
	assert_int_equal(take(49, 10), 0);
	assert_int_equal(take(50, 10), 1);
}

UNIT_TEST(test_missed)
{
	take(0, BURST);
	assert_int_equal(missed, 0);
	take(0, 7);
	assert_int_equal(take(EVERY, 1), 1);
	assert_int_equal(missed, 7);
	assert_int_equal(take(2 * EVERY, 1), 1);
	assert_int_equal(missed, 0);

	limit.missed = UINT32_MAX - 1; /* does not wrap */
	take(2 * EVERY, 5);
	assert_int_equal(take(3 * EVERY, 1), 1);
	assert_int_equal(missed, UINT32_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(test_##name, setup)
	const struct CMUnitTest tests[] = {
		TEST(burst_then_rate),  TEST(full_is_full), TEST(clock_stands_still),
		TEST(clock_jumps_back), TEST(clock_wraps),  TEST(missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
