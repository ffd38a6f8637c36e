/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The expected values are those of scipy 1.10.1: mannwhitneyu(a, b, alternative='two-sided', method='asymptotic'),
 * kruskal(a, b, c), ttest_ind(a, b, equal_var=False),
 * kendalltau(range(n), values, method='asymptotic'), median_abs_deviation(values).
 */
#include "test.h"

#include "stats/stats.h"

#include "build.h"

#include <math.h>

static double p_value(const struct bin *a, size_t a_used, const struct bin *b, size_t b_used)
{
	struct hist first = {(struct bin *)a, a_used, 0}, second = {(struct bin *)b, b_used, 0};

	return stats_mann_whitney(&first, &second);
}

static void near(double got, double wanted)
{
	if (fabs(got - wanted) > 1e-9)
		fail_msg("%.12g instead of %.12g", got, wanted);
}

UNIT_TEST(mann_whitney_as_scipy)
{
	static const struct bin a[] = {{10, 1, 5}, {11, 1, 3}, {12, 1, 2}, {40, 1, 1}};
	static const struct bin b[] = {{10, 1, 2}, {11, 1, 3}, {12, 1, 4}, {13, 1, 3}, {41, 1, 1}};
	static const struct bin c[] = {{5, 1, 1000}, {6, 1, 10}}, d[] = {{5, 1, 990}, {6, 1, 20}};

	near(p_value(a, 4, b, 5), 0.07847928563674816);
	near(p_value(b, 5, a, 4), 0.07847928563674816);
	near(p_value(c, 2, d, 2), 0.06594242956915437);
}

UNIT_TEST(mann_whitney_without_ties)
{
	struct bin a[100], b[100];

	for (uint64_t i = 0; i < 100; i++) {
		a[i] = (struct bin){100 + i, 1, 1};
		b[i] = (struct bin){110 + i, 1, 1};
	}
	near(p_value(a, 100, b, 100), 0.020336763458753827);
	near(p_value(a, 100, a, 100), 1);
}

UNIT_TEST(mann_whitney_edges)
{
	static const struct bin one[] = {{7, 1, 1}}, many[] = {{7, 1, 1000000000000}};
	static const struct bin far[] = {{9, 1, 1000000000000}};

	near(p_value(one, 0, one, 1), 1);
	near(p_value(one, 1, one, 1), 1);
	near(p_value(many, 1, many, 1), 1);
	near(p_value(many, 1, far, 1), 0);
}

static struct boots side(const struct result *r, size_t index)
{
	const struct benchmark *b = &r->benchmarks[index];

	return (struct boots){b->boots, b->boot_count, &b->merged.hist};
}

static struct interval change(const struct result *r, size_t from, size_t to)
{
	struct boots a = side(r, from), b = side(r, to);

	return stats_change(estimator_find("p50"), &a, &b);
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

UNIT_TEST(welch_as_scipy)
{
	static const double a[] = {100, 102, 101, 105, 99}, b[] = {110, 103, 108, 112}, same[] = {5, 5, 5};

	near(stats_welch(a, 5, b, 4), 0.028515968209536804);
	near(stats_welch(b, 4, a, 5), 0.028515968209536804);
	near(stats_welch(a, 1, b, 4), 1);
	near(stats_welch(same, 3, same, 3), 1);
	near(stats_welch(same, 3, (const double[]){6, 6, 6}, 3), 0);
}

/* As R's p.adjust() has them. */
UNIT_TEST(corrections)
{
	double holm[] = {0.01, 0.04, 0.03, 0.005}, one[] = {0.3}, large[] = {0.9, 0.8};
	static const double holm_wanted[] = {0.03, 0.06, 0.06, 0.02};

	stats_holm(holm, 4);
	for (size_t i = 0; i < 4; i++) {
		near(holm[i], holm_wanted[i]);
	}
	stats_holm(one, 1);
	near(one[0], 0.3);
	stats_holm(large, 2);
	near(large[0], 1);
	near(large[1], 1);
	stats_holm(NULL, 0);
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

/*
 * Boots whose medians lie far apart: windows by the hundred must not pass for hundreds of independent values. One and
 * the same distribution of boots, so p is below 0.05 in about one of twenty.
 */
UNIT_TEST(boots_are_the_unit)
{
	unsigned windows_alarm = 0, boots_alarm = 0;

	for (unsigned seed = 1; seed <= 200; seed++) {
		struct result r = {0};
		unsigned random = seed * 7919;

		for (unsigned boot = 0; boot < 10; boot++) {
			random = random * 1103515245 + 12345;
			build_noisy(&r, boot % 2 ? "a" : "b", 1000 + (random >> 16) % 400, 20, 1, random);
		}
		result_merge(&r);
		struct boots a = side(&r, 0), b = side(&r, 1);

		windows_alarm += stats_mann_whitney(a.merged, b.merged) < 0.05;
		boots_alarm += stats_mann_whitney_boots(&a, &b) < 0.05;
		result_free(&r);
	}
	assert_true(windows_alarm > 100); /* what it would be otherwise */
	assert_in_range(boots_alarm, 2, 20);
}

/* Intervals of 95% that miss the truth: 5 of 100, a few more for the fewest boots. */
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
		assert_in_range(missed, 0, 12);
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

UNIT_TEST(interval_is_repeatable)
{
	struct result r = {0};
	struct interval one, two;

	build_noisy(&r, "a", 1000, 200, 4, 3);
	build_noisy(&r, "b", 1000, 200, 3, 4);
	result_merge(&r);
	one = change(&r, 0, 1);
	two = change(&r, 0, 1);
	assert_true(one.low == two.low && one.high == two.high);
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mann_whitney_as_scipy),
		cmocka_unit_test(mann_whitney_without_ties),
		cmocka_unit_test(mann_whitney_edges),
		cmocka_unit_test(interval_covers_the_change),
		cmocka_unit_test(kruskal_wallis_as_scipy),
		cmocka_unit_test(welch_as_scipy),
		cmocka_unit_test(corrections),
		cmocka_unit_test(trends_as_scipy),
		cmocka_unit_test(deviation_and_superiority),
		cmocka_unit_test(boots_are_the_unit),
		cmocka_unit_test(coverage),
		cmocka_unit_test(interval_is_repeatable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
