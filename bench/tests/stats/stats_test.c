/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The expected values are those of scipy 1.10.1: kruskal(a, b, c), kendalltau(range(n), values, method='asymptotic'),
 * median_abs_deviation(values).
 */
#include "test.h"

#include "stats/stats.h"

#include "build.h"

#include <math.h>

static void near(double got, double wanted)
{
	if (fabs(got - wanted) > 1e-9)
		fail_msg("%.12g instead of %.12g", got, wanted);
}

static struct boots side(const struct result *r, size_t index)
{
	const struct benchmark *b = &r->benchmarks[index];

	return (struct boots){b->boots, b->boot_count, &b->merged.hist};
}

static struct interval change(const struct result *r, size_t from, size_t to)
{
	struct boots a = side(r, from), b = side(r, to);

	return stats_change(estimator_find("p50"), &a, &b).interval;
}

UNIT_TEST(kruskal_wallis_as_scipy)
{
	uint64_t a[] = {10, 10, 10, 10, 10, 11, 11, 11, 12, 12, 40};
	uint64_t b[] = {10, 10, 11, 11, 11, 12, 12, 12, 12, 13, 13, 13, 41};
	uint64_t c[] = {11, 11, 11, 11, 12, 12, 12, 12, 14, 14};
	struct sample samples[] = {build_sample(a, 11), build_sample(b, 13), build_sample(c, 10)};
	struct result r = {0};

	for (size_t i = 0; i < 3; i++)
		result_add(&r, "x", &samples[i]);
	result_merge(&r);
	struct boots boots = side(&r, 0);

	near(stats_kruskal_wallis(&boots), 0.09525848181917969);
	boots.count = 1;
	near(stats_kruskal_wallis(&boots), 1);
	result_free(&r);
}

UNIT_TEST(trends_as_scipy)
{
	static const uint64_t rising[] = {1, 2, 3, 4, 5, 7, 6, 9, 8, 10, 12, 11, 13, 15, 14, 16};
	static const uint64_t ties[] = {5, 5, 6, 6, 6, 7, 5, 8, 9, 9, 9, 9, 10, 9, 11, 10}, same[] = {4, 4, 4, 4};
	bool up = false;

	near(stats_trend(rising, 16, &up), 4.594361744165944e-07);
	assert_true(up);
	near(stats_trend(ties, 16, NULL), 2.61106105147717e-05);
	near(stats_trend(same, 4, NULL), 1);
	near(stats_trend(same, 0, NULL), 1);
}

UNIT_TEST(deviation_and_superiority)
{
	static const struct bin values[] = {{1, 1, 2}, {2, 1, 2}, {4, 1, 1}, {6, 1, 1}, {9, 1, 1}};
	static const struct bin a[] = {{10, 1, 5}, {11, 1, 3}, {12, 1, 2}, {40, 1, 1}};
	static const struct bin b[] = {{10, 1, 2}, {11, 1, 3}, {12, 1, 4}, {13, 1, 3}, {41, 1, 1}};
	struct hist hist = {(struct bin *)values, 5, 0}, first = {(struct bin *)a, 4, 0},
		    second = {(struct bin *)b, 5, 0};

	assert_int_equal(stats_mad(&hist), 1);
	near(stats_superiority(&first, &second), 0.7097902097902098);
	near(stats_superiority(&second, &first), 1 - 0.7097902097902098);
}

/* Intervals of 99% that miss the truth: 1 of 100, a few more for the fewest boots. */
static void coverage(void **state)
{
	for (size_t boots = 3; boots <= 8; boots += 5) {
		unsigned missed = 0;

		(void)state;
		for (unsigned seed = 1; seed <= 100; seed++) {
			struct result r = {0};
			unsigned random = seed * 104729;

			for (unsigned boot = 0; boot < 2 * boots; boot++) {
				random = random * 1103515245 + 12345;
				build_noisy(&r, boot % 2 ? "a" : "b", 1000 + (random >> 16) % 100, 20, 1, random);
			}
			result_merge(&r);
			struct interval i = change(&r, 0, 1);

			missed += i.low > 0 || i.high < 0;
			result_free(&r);
		}
		assert_in_range(missed, 0, 4);
	}
}

UNIT_TEST(interval_covers_the_change)
{
	struct result r = {0};
	struct interval i;

	build_noisy(&r, "a", 1000, 20, 5, 1);
	build_noisy(&r, "b", 1100, 20, 5, 2);
	result_merge(&r);
	i = change(&r, 0, 1);
	assert_true(i.low > 9 && i.low < 10 && i.high > 9.9 && i.high < 11);
	i = change(&r, 0, 0);
	assert_true(i.low <= 0 && i.high >= 0 && i.high - i.low < 5);
	result_free(&r);
}

/* By hand: the means differ by 68.5, with a deviation of 21.88 and 4.67 degrees of freedom, where t is 4.183. */
UNIT_TEST(interval_is_welchs)
{
	static const uint64_t a[] = {10000, 10020, 10010, 10050, 9990}, b[] = {10100, 10030, 10080, 10120};
	struct result r = {0};
	struct interval i;

	for (size_t k = 0; k < 5; k++)
		build_constant(&r, "a", a[k], 64);
	for (size_t k = 0; k < 4; k++)
		build_constant(&r, "b", b[k], 64);
	result_merge(&r);
	i = change(&r, 0, 1);
	assert_true(fabs(i.low + 0.230) < 0.006 && fabs(i.high - 1.598) < 0.006);
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interval_covers_the_change),
		cmocka_unit_test(kruskal_wallis_as_scipy),
		cmocka_unit_test(trends_as_scipy),
		cmocka_unit_test(deviation_and_superiority),
		cmocka_unit_test(coverage),
		cmocka_unit_test(interval_is_welchs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
