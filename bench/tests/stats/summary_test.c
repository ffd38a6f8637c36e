/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A comparison in a line: its mean, which is geometric, and its worst case. */
#include "test.h"

#include "stats/summary.h"

#include "build.h"

#include <math.h>
#include <string.h>

static void compare(const uint64_t a[3], const uint64_t b[3], struct summary *summary, struct summary_total *total)
{
	static const char *const names[] = {"ipc/one", "ipc/two", "ipc/three"};
	struct result from, to;
	struct comparison c;
	struct error error;

	result_init(&from, "m", "ipc", "instructions");
	result_init(&to, "m", "ipc", "instructions");
	for (size_t i = 0; i < 3; i++) {
		if (a[i] != UINT64_MAX)
			build_constant(&from, names[i], a[i], 4);
		if (b[i] != UINT64_MAX)
			build_constant(&to, names[i], b[i], 4);
	}
	result_merge(&from);
	result_merge(&to);
	assert_true(compare_results(&c, &from, &to, NULL, &error));
	*summary = summary_of(&c);
	if (summary->worst)
		assert_string_equal(summary->worst->name, "ipc/two");
	summary_add(total, &c);
	compare_free(&c);
	result_free(&from);
	result_free(&to);
}

static void near(double value, double wanted)
{
	if (fabs(value - wanted) > 1e-9)
		fail_msg("%g instead of %g", value, wanted);
}

UNIT_TEST(mean)
{
	struct summary_total total = {0};
	struct summary s;

	compare((uint64_t[]){100, 100, 100}, (uint64_t[]){100, 200, 50}, &s, &total);
	near(s.mean, 0); /* twice and half */
	assert_int_equal(total.terms, 3);
	assert_non_null(s.worst);
	compare((uint64_t[]){100, 100, 100}, (uint64_t[]){100, 800, 100}, &s, &total);
	near(s.mean, 100);
	near(summary_mean(&total), 100 * (pow(2, 0.5) - 1));
	assert_int_equal(total.suites, 2);
	assert_int_equal(total.cases, 6);
	assert_int_equal(total.tally[VERDICT_WORSE], 2);
}

/* Nothing to divide by, missing and new cases have no ratio. */
UNIT_TEST(without_ratios)
{
	struct summary_total total = {0};
	struct summary s;

	compare((uint64_t[]){0, UINT64_MAX, 100}, (uint64_t[]){0, 10, UINT64_MAX}, &s, &total);
	assert_int_equal(total.terms, 0);
	near(s.mean, 0);
	assert_null(s.worst);
	near(summary_mean(&total), 0);
}

/* With noise values have fractions: from 12.0 to 12.4 ticks are 3.3%, though both are twelve whole ones. */
UNIT_TEST(fractions)
{
	struct result from, to;
	struct comparison c;
	struct error error;

	result_init(&from, "m", "ipc", "ticks");
	result_init(&to, "m", "ipc", "ticks");
	for (unsigned boot = 0; boot < 5; boot++) {
		build_constant(&from, "ipc/one", 11998 + boot, 100);
		build_constant(&to, "ipc/one", 12398 + boot, 100);
		from.benchmarks[0].boots[boot].batch = from.benchmarks[0].boots[boot].per = 1000;
		to.benchmarks[0].boots[boot].batch = to.benchmarks[0].boots[boot].per = 1000;
	}
	result_merge(&from);
	result_merge(&to);
	assert_true(compare_results(&c, &from, &to, NULL, &error));
	near(summary_of(&c).mean, 100 * (12.4 / 12.0 - 1));
	near(summary_of(&c).threshold, 2);
	near(summary_of(&c).seen, c.pairs[0].difference.smallest);
	compare_free(&c);
	result_free(&from);
	result_free(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mean),
		cmocka_unit_test(without_ratios),
		cmocka_unit_test(fractions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
