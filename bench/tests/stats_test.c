/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The expected p values are those of scipy 1.10.1, mannwhitneyu(a, b, alternative='two-sided', method='asymptotic').
 */
#include "test.h"

#include "stats.h"

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

static void mann_whitney_as_scipy(void **state)
{
	static const struct bin a[] = {{10, 1, 5}, {11, 1, 3}, {12, 1, 2}, {40, 1, 1}};
	static const struct bin b[] = {{10, 1, 2}, {11, 1, 3}, {12, 1, 4}, {13, 1, 3}, {41, 1, 1}};
	static const struct bin c[] = {{5, 1, 1000}, {6, 1, 10}}, d[] = {{5, 1, 990}, {6, 1, 20}};

	(void)state;
	near(p_value(a, 4, b, 5), 0.07847928563674816);
	near(p_value(b, 5, a, 4), 0.07847928563674816);
	near(p_value(c, 2, d, 2), 0.06594242956915437);
}

static void mann_whitney_without_ties(void **state)
{
	struct bin a[100], b[100];

	(void)state;
	for (uint64_t i = 0; i < 100; i++) {
		a[i] = (struct bin){100 + i, 1, 1};
		b[i] = (struct bin){110 + i, 1, 1};
	}
	near(p_value(a, 100, b, 100), 0.020336763458753827);
	near(p_value(a, 100, a, 100), 1);
}

static void mann_whitney_edges(void **state)
{
	static const struct bin one[] = {{7, 1, 1}}, many[] = {{7, 1, 1000000000000}};
	static const struct bin far[] = {{9, 1, 1000000000000}};

	(void)state;
	near(p_value(one, 0, one, 1), 1);
	near(p_value(one, 1, one, 1), 1);
	near(p_value(many, 1, many, 1), 1);
	near(p_value(many, 1, far, 1), 0);
}

static void interval_covers_the_change(void **state)
{
	struct result r = {0};
	struct interval i;

	(void)state;
	build_noisy(&r, "a", 1000, 20, 5, 1);
	build_noisy(&r, "b", 1100, 20, 5, 2);
	i = stats_change(r.benchmarks[0].boots, 5, r.benchmarks[1].boots, 5);
	assert_true(i.low > 9 && i.low < 10 && i.high > 9.9 && i.high < 11);
	i = stats_change(r.benchmarks[0].boots, 5, r.benchmarks[0].boots, 5);
	assert_true(i.low <= 0 && i.high >= 0 && i.high - i.low < 5);
	result_free(&r);
}

static void interval_is_repeatable(void **state)
{
	struct result r = {0};
	struct interval one, two;

	(void)state;
	build_noisy(&r, "a", 1000, 200, 4, 3);
	build_noisy(&r, "b", 1000, 200, 3, 4);
	one = stats_change(r.benchmarks[0].boots, 4, r.benchmarks[1].boots, 3);
	two = stats_change(r.benchmarks[0].boots, 4, r.benchmarks[1].boots, 3);
	assert_true(one.low == two.low && one.high == two.high);
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mann_whitney_as_scipy),  cmocka_unit_test(mann_whitney_without_ties),
		cmocka_unit_test(mann_whitney_edges),     cmocka_unit_test(interval_covers_the_change),
		cmocka_unit_test(interval_is_repeatable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
