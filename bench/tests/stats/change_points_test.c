/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Most of these series are synthetic with known changes; the Nile's is real, and its change at 1899 is well known. */
#include "test.h"

#include "host/compiler.h"
#include "stats/change_points.h"

static unsigned seed;

static double noise(double amount)
{
	double sum = 0;

	for (int i = 0; i < 6; i++) {
		seed = seed * 1103515245 + 12345;
		sum += (seed >> 16 & 0x7fff) / 32767.0 - 0.5;
	}
	return amount * sum;
}

UNIT_TEST(no_change)
{
	double values[40];
	size_t points[40];
	unsigned alarms = 0;

	for (unsigned run = 1; run <= 50; run++) {
		seed = run;
		for (size_t i = 0; i < 40; i++)
			values[i] = 1000 + noise(20);
		alarms += change_points(values, 40, points) > 0;
	}
	assert_in_range(alarms, 0, 4); /* 2% each */
	for (size_t i = 0; i < 40; i++)
		values[i] = 5;
	assert_int_equal(change_points(values, 40, points), 0);
}

UNIT_TEST(steps)
{
	double values[60];
	size_t points[60];
	unsigned exact = 0;

	for (unsigned run = 1; run <= 20; run++) {
		seed = run;
		for (size_t i = 0; i < 60; i++)
			values[i] = (i < 20 ? 1000 : i < 45 ? 1100 : 950) + noise(15);
		if (change_points(values, 60, points) == 2 && points[0] == 20 && points[1] == 45)
			exact++;
	}
	assert_in_range(exact, 18, 20); /* the others have a false alarm besides */
}

UNIT_TEST(one_outlier_is_no_change)
{
	double values[30];
	size_t points[30];

	seed = 1;
	for (size_t i = 0; i < 30; i++)
		values[i] = 1000 + noise(10);
	values[17] = 3000;
	assert_int_equal(change_points(values, 30, points), 0);
}

UNIT_TEST(short_series)
{
	double values[] = {1, 1, 1, 2, 2, 2};
	size_t points[6];

	for (size_t count = 0; count < 6; count++)
		assert_int_equal(change_points(values, count, points), 0);
}

/* Annual flow of the Nile at Aswan, 1871 to 1970 (Cobb, 1978). */
UNIT_TEST(the_nile)
{
	static const double flow[] = {
		1120, 1160, 963,  1210, 1160, 1160, 813,  1230, 1370, 1140, 995,  935,  1110, 994, 1020, 960,  1180,
		799,  958,  1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774,  840,  874, 694,  940,  833,
		701,  916,  692,  1020, 1050, 969,  831,  726,  456,  824,  702,  1120, 1100, 832, 764,  821,  768,
		845,  864,  862,  698,  845,  744,  796,  1040, 759,  781,  865,  845,  944,  984, 897,  822,  1010,
		771,  676,  649,  846,  812,  742,  801,  1040, 860,  874,  848,  890,  744,  749, 838,  1050, 918,
		986,  797,  923,  975,  815,  1020, 906,  901,  1170, 912,  746,  919,  718,  714, 740,
	};
	size_t points[array_size(flow)];

	assert_int_equal(array_size(flow), 100);
	assert_true(change_points(flow, 100, points) >= 1);
	assert_int_equal(points[0], 1899 - 1871);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_change),
		cmocka_unit_test(steps),
		cmocka_unit_test(one_outlier_is_no_change),
		cmocka_unit_test(short_series),
		cmocka_unit_test(the_nile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
