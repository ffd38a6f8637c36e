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

/* A lasting step is found beside an outlier, and beside a regression that was reverted. */
UNIT_TEST(steps_beside_outliers)
{
	static const struct {
		size_t from, count, to;
	} rows[] = {{5, 1, 10}, {15, 1, 10}, {9, 1, 10},  {10, 1, 10},
		    {4, 2, 10}, {12, 2, 14}, {19, 1, 10}, {0, 1, 7}};
	double values[20];
	size_t points[20];

	for (size_t row = 0; row < array_size(rows); row++) {
		seed = (unsigned)row + 1;
		for (size_t i = 0; i < 20; i++) {
			bool out = i >= rows[row].from && i < rows[row].from + rows[row].count;

			values[i] = (out ? 5000 : i < rows[row].to ? 1000 : 1100) + noise(10);
		}
		/* of an outlier between both levels nobody knows to which it belongs */
		if (change_points(values, 20, points) != 1 ||
		    (points[0] != rows[row].to && points[0] + rows[row].count != rows[row].to))
			fail_msg("row %zu", row);
	}
}

/* A regression that lasted for some revisions, was reverted, and another that lasts. */
UNIT_TEST(reverted)
{
	double values[40];
	size_t points[40];

	for (size_t length = 3; length <= 6; length++)
		for (unsigned run = 1; run <= 5; run++) {
			seed = run;
			for (size_t i = 0; i < 40; i++)
				values[i] = (i >= 12 && i < 12 + length ? 1500 : i < 28 ? 1000 : 1200) + noise(10);
			size_t found = change_points(values, 40, points);

			if (found != 3 || points[0] != 12 || points[1] != 12 + length || points[2] != 28)
				fail_msg("length %zu, run %u: %zu changes, %zu", length, run, found, points[0]);
		}
}

/* What no permutation test can tell of few values: half as much again, but for noise. */
UNIT_TEST(few_values)
{
	double values[9];
	size_t points[9];
	unsigned alarms = 0;

	for (size_t count = 6; count <= 9; count++)
		for (size_t to = 3; to + 3 <= count; to++) {
			seed = (unsigned)(10 * count + to);
			for (size_t i = 0; i < count; i++)
				values[i] = (i < to ? 1000 : 1500) + noise(15);
			if (change_points(values, count, points) != 1 || points[0] != to)
				fail_msg("%zu of %zu", to, count);
		}
	for (unsigned run = 1; run <= 200; run++) {
		seed = run;
		for (size_t i = 0; i < 8; i++)
			values[i] = 1000 + noise(20);
		alarms += change_points(values, 8, points) > 0;
	}
	assert_in_range(alarms, 0, 8); /* 2% each */
}

UNIT_TEST(outliers)
{
	static const double values[] = {10, 10, 90, 10, 10, 10, 20, 20, 20, 20, 90, 90};
	static const bool wanted[] = {0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1};
	bool outliers[array_size(values)];

	change_outliers(values, array_size(values), outliers);
	assert_memory_equal(outliers, wanted, sizeof(wanted));
	change_outliers(values, 11, outliers);
	assert_true(outliers[10]);
	change_outliers(values, 1, outliers);
	assert_false(outliers[0]);
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

/* Results come one by one: what was settled stays, and is what a look at all of them finds. */
UNIT_TEST(continued_series)
{
	enum { COUNT = 1500 };
	static double values[COUNT];
	static size_t all[COUNT], settled[COUNT];
	size_t count = 0, from = 0;

	for (size_t i = 0; i < COUNT; i++)
		values[i] = 1000 + (double)(i * 7919 % 13) + (i >= 300) * 40 - (i >= 310) * 40 + (i >= 700) * 25 +
			    (i >= 1130) * 30;
	for (size_t end = 250; end <= COUNT; end += 125) {
		size_t window[CHANGE_WINDOW], found, next;

		do {
			change_window(values + from, end - from, window, &found, &next);
			for (size_t i = 0; next && i < found; i++)
				settled[count++] = from + window[i];
			from += next;
		} while (next);
	}
	assert_true(from > COUNT - 2 * CHANGE_WINDOW);
	size_t total = change_points(values, COUNT, all);

	assert_true(total >= 3);
	assert_true(count <= total);
	assert_memory_equal(settled, all, count * sizeof(*all));
	assert_int_equal(all[total - 2], 700);
	assert_int_equal(all[total - 1], 1130);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_change),
		cmocka_unit_test(steps),
		cmocka_unit_test(one_outlier_is_no_change),
		cmocka_unit_test(steps_beside_outliers),
		cmocka_unit_test(reverted),
		cmocka_unit_test(few_values),
		cmocka_unit_test(outliers),
		cmocka_unit_test(short_series),
		cmocka_unit_test(the_nile),
		cmocka_unit_test(continued_series),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
