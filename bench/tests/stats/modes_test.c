/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "stats/modes.h"

/* count values spread around a place like a bell: the sum of three dice. */
static void add_bell(struct hist *hist, uint64_t place, uint64_t width, uint64_t count, unsigned seed)
{
	for (uint64_t i = 0; i < count; i++) {
		uint64_t sum = 0;

		for (int die = 0; die < 3; die++) {
			seed = seed * 1103515245 + 12345;
			sum += (seed >> 16) % (width + 1);
		}
		hist_add(hist, place + sum / 3 - width / 2, 1);
	}
}

UNIT_TEST(one_mode)
{
	struct mode modes[MODES_MAX];
	struct hist hist = {0};

	assert_int_equal(modes_find(&hist, modes), 0);
	hist_add(&hist, 7, 100);
	assert_int_equal(modes_find(&hist, modes), 1);
	assert_int_equal(modes[0].place, 7);
	assert_true(modes[0].mass == 1);
	hist_free(&hist);
	for (unsigned seed = 1; seed < 50; seed++) {
		add_bell(&hist, 1000, 400, 500, seed);
		assert_int_equal(modes_find(&hist, modes), 1);
		assert_in_range(modes[0].place, 900, 1100);
		hist_free(&hist);
	}
}

UNIT_TEST(two_modes)
{
	struct mode modes[MODES_MAX];

	for (unsigned seed = 1; seed < 50; seed++) {
		struct hist hist = {0};

		add_bell(&hist, 412, 30, 700, seed);
		add_bell(&hist, 600, 40, 300, seed + 1);
		hist_add(&hist, 90000, 3); /* outliers are no mode */
		assert_int_equal(modes_find(&hist, modes), 2);
		assert_in_range(modes[0].place, 395, 430);
		assert_in_range(modes[1].place, 575, 625);
		assert_true(modes[0].mass > 0.67 && modes[0].mass < 0.72);
		assert_true(modes[1].mass > 0.27 && modes[1].mass < 0.32);
		assert_true(modes[0].high <= modes[1].low);
		hist_free(&hist);
	}
}

UNIT_TEST(more_modes_than_are_kept)
{
	struct mode modes[MODES_MAX];
	struct hist hist = {0};

	for (uint64_t i = 0; i < 15; i++)
		hist_add(&hist, 100 << i, 100);
	assert_int_equal(modes_find(&hist, modes), MODES_MAX);
	hist_free(&hist);
}

UNIT_TEST(ends_of_the_range)
{
	struct mode modes[MODES_MAX];
	struct hist hist = {0};

	hist_add(&hist, 0, 500);
	hist_add(&hist, INT64_MAX, 500);
	assert_int_equal(modes_find(&hist, modes), 2);
	assert_int_equal(modes[0].place, 0);
	hist_free(&hist);
}

UNIT_TEST(values_move)
{
	struct hist a = {0}, b = {0};
	struct mode_shift shift;

	add_bell(&a, 412, 20, 1000, 1);
	add_bell(&b, 412, 20, 800, 2);
	add_bell(&b, 700, 20, 200, 3);
	shift = modes_shift(&a, &b);
	assert_in_range(shift.from, 400, 425);
	assert_in_range(shift.to, 680, 720);
	assert_true(shift.mass > 0.18 && shift.mass < 0.22);
	shift = modes_shift(&a, &a);
	assert_true(shift.mass == 0);
	hist_free(&a);
	hist_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_mode),
		cmocka_unit_test(two_modes),
		cmocka_unit_test(more_modes_than_are_kept),
		cmocka_unit_test(ends_of_the_range),
		cmocka_unit_test(values_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
