/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "host/mem.h"
#include "result/hist.h"

#include <stdlib.h>

static const struct hist standard = {0}, of_version_2 = {.coarser = 2}, coarse = {.coarser = 4};

UNIT_TEST(layout)
{
	assert_int_equal(hist_width(&standard, 0), 1);
	assert_int_equal(hist_width(&standard, 255), 1);
	assert_int_equal(hist_width(&standard, 256), 2);
	assert_int_equal(hist_width(&standard, 511), 2);
	assert_int_equal(hist_width(&standard, 512), 4);
	assert_int_equal(hist_lower(&standard, 257), 256);
	assert_int_equal(hist_lower(&standard, 1001), 1000);
	assert_int_equal(hist_width(&standard, UINT64_MAX), 1ull << 56);
	assert_int_equal(hist_lower(&standard, UINT64_MAX), 127ull * (1ull << 56) + (1ull << 63));
	assert_int_equal(hist_width(&of_version_2, 63), 1);
	assert_int_equal(hist_width(&of_version_2, 64), 2);
	assert_int_equal(hist_lower(&of_version_2, 1000), 992);
	assert_int_equal(hist_width(&coarse, 15), 1);
	assert_int_equal(hist_width(&coarse, 16), 2);
}

/* Every value is in exactly one bin: bins end where the next begin. */
UNIT_TEST(bins_join)
{
	uint64_t next = 0;

	for (int i = 0; i < 1000; i++) {
		assert_int_equal(hist_lower(&standard, next), next);
		assert_int_equal(hist_lower(&standard, next + hist_width(&standard, next) - 1), next);
		next += hist_width(&standard, next);
	}
}

/* What a histogram cannot tell apart is less than a comparison cares about. */
UNIT_TEST(no_bin_is_wide)
{
	for (uint64_t value = 1; value < 1 << 20; value += 1 + value / 1000)
		if (hist_width(&standard, value) > 1)
			assert_true((double)hist_width(&standard, value) <=
				    0.008 * (double)hist_lower(&standard, value));
}

UNIT_TEST(add_sorts)
{
	struct hist h = {0};

	hist_add(&h, 2002, 2);
	hist_add(&h, 3, 1);
	hist_add(&h, 280, 4);
	hist_add(&h, 281, 1);
	hist_add(&h, 9, 0);
	assert_int_equal(h.used, 3);
	assert_int_equal(h.bins[0].lower, 3);
	assert_int_equal(h.bins[1].lower, 280);
	assert_int_equal(h.bins[1].count, 5);
	assert_int_equal(h.bins[2].lower, 2000);
	assert_int_equal(hist_total(&h), 8);
	assert_true(hist_adopt(&h));
	hist_free(&h);
}

UNIT_TEST(quantiles)
{
	struct hist h = {0};

	assert_int_equal(hist_quantile(&h, 0.5), 0);
	for (uint64_t v = 1; v <= 50; v++)
		hist_add(&h, v, 1);
	assert_int_equal(hist_quantile(&h, 0), 1);
	assert_int_equal(hist_quantile(&h, 0.5), 25);
	assert_int_equal(hist_quantile(&h, 0.9), 45);
	assert_int_equal(hist_quantile(&h, 1), 50);
	hist_free(&h);
}

UNIT_TEST(merge_keeps_every_value)
{
	struct hist a = {0}, b = {0};

	for (uint64_t v = 0; v < 5000; v += 7)
		hist_add(&a, v, 1);
	for (uint64_t v = 3; v < 9000; v += 11)
		hist_add(&b, v, 2);
	uint64_t total = hist_total(&a) + hist_total(&b);

	hist_merge(&a, &b);
	assert_int_equal(hist_total(&a), total);
	assert_true(hist_adopt(&a));
	hist_free(&a);
	hist_free(&b);
}

UNIT_TEST(merge_takes_the_coarser_layout)
{
	struct hist a = {0}, b = {.coarser = 5}, c = {0};

	hist_add(&a, 1001, 1);
	hist_add(&b, 1001, 1);
	hist_add(&c, 5, 1);
	hist_merge(&a, &b);
	assert_int_equal(a.coarser, 5);
	assert_int_equal(a.used, 1);
	assert_int_equal(a.bins[0].width, 128);
	hist_merge(&a, &c);
	assert_int_equal(a.coarser, 5);
	assert_int_equal(hist_total(&a), 3);
	hist_free(&a);
	hist_free(&b);
	hist_free(&c);
}

static bool adopt(const struct bin *bins, size_t used, unsigned *coarser)
{
	struct hist h = {xcalloc(used, sizeof(*bins)), used, 0};
	bool good;

	for (size_t i = 0; i < used; i++)
		h.bins[i] = bins[i];
	good = hist_adopt(&h);
	*coarser = h.coarser;
	hist_free(&h);
	return good;
}

UNIT_TEST(adopt_finds_the_layout)
{
	unsigned coarser;

	assert_true(adopt((struct bin[]){{5, 1, 1}, {256, 2, 1}}, 2, &coarser));
	assert_int_equal(coarser, 0);
	assert_true(adopt((struct bin[]){{5, 1, 1}, {64, 2, 1}}, 2, &coarser));
	assert_int_equal(coarser, 2);
	assert_true(adopt((struct bin[]){{5, 1, 1}, {64, 16, 1}}, 2, &coarser));
	assert_int_equal(coarser, 5);
	assert_true(adopt((struct bin[]){{1, 1, 1}, {2, 2, 1}, {4, 4, 9}}, 3, &coarser));
	assert_int_equal(coarser, 7);
}

UNIT_TEST(adopt_refuses)
{
	unsigned coarser;

	assert_false(adopt((struct bin[]){{5, 1, 0}}, 1, &coarser));
	assert_false(adopt((struct bin[]){{5, 1, 1}, {5, 1, 1}}, 2, &coarser));
	assert_false(adopt((struct bin[]){{6, 1, 1}, {5, 1, 1}}, 2, &coarser));
	assert_false(adopt((struct bin[]){{64, 3, 1}}, 1, &coarser));
	assert_false(adopt((struct bin[]){{65, 2, 1}}, 1, &coarser));
	assert_false(adopt((struct bin[]){{64, 0, 1}}, 1, &coarser));
	assert_false(adopt((struct bin[]){{64, 2, 1}, {128, 8, 1}}, 2, &coarser));
	assert_false(adopt((struct bin[]){{1, 1, UINT64_MAX}, {2, 1, 1}}, 2, &coarser));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout),
		cmocka_unit_test(bins_join),
		cmocka_unit_test(no_bin_is_wide),
		cmocka_unit_test(add_sorts),
		cmocka_unit_test(quantiles),
		cmocka_unit_test(merge_keeps_every_value),
		cmocka_unit_test(merge_takes_the_coarser_layout),
		cmocka_unit_test(adopt_finds_the_layout),
		cmocka_unit_test(adopt_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
