/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "measure/validity.h"
#include "stats/quality.h"

#include "build.h"

#include <stdio.h>
#include <string.h>

static char told[2000];

static void tell(void *context, const struct quality_warning *warning)
{
	(void)context;
	assert_true(warning->weight > 0);
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s: %s\n", quality_name(warning->kind),
		 warning->text);
}

static void check(struct result *r)
{
	told[0] = '\0';
	result_merge(r);
	quality_check(r, &r->benchmarks[0], metric_find(result_text(r, "metric")), tell, NULL);
	result_free(r);
}

static void start(struct result *r, const char *metric)
{
	result_init(r, "m", "ipc", metric);
	result_set_number(r, "tsc_khz", 2000000);
}

UNIT_TEST(good_measurements)
{
	struct result r;

	start(&r, "ticks");
	build_noisy(&r, "ipc/x", 1000, 30, 5, 1);
	check(&r);
	assert_string_equal(told, "");
	start(&r, "instructions");
	build_constant(&r, "ipc/x", 40, 10);
	build_constant(&r, "ipc/x", 40, 10);
	check(&r);
	assert_string_equal(told, "");
}

UNIT_TEST(counts_that_do_not_repeat)
{
	struct result r;

	start(&r, "instructions");
	build_constant(&r, "ipc/x", 40, 10);
	build_constant(&r, "ipc/x", 42, 10);
	check(&r);
	assert_non_null(strstr(told, "between 40 and 42"));
}

static void add_values(struct result *r, uint64_t most, uint64_t rest, uint64_t rest_count)
{
	uint64_t values[200];

	for (uint64_t i = 0; i < 200; i++)
		values[i] = i < rest_count ? rest + i % 5 : most + i % 5;
	struct sample s = build_sample(values, 200);

	result_add(r, "ipc/x", &s);
}

UNIT_TEST(several_modes)
{
	struct result r;

	start(&r, "ticks");
	add_values(&r, 400, 600, 60);
	add_values(&r, 400, 600, 60);
	check(&r);
	assert_non_null(strstr(told, "2 modes: "));
	assert_non_null(strstr(told, "(70%), "));
	assert_non_null(strstr(told, "(30%): a median stands for none"));
	assert_null(strstr(told, "far out"));
}

UNIT_TEST(outliers)
{
	struct result r;

	start(&r, "ticks"); /* 2000 ticks are a microsecond */
	add_values(&r, 400, 20400, 2);
	check(&r);
	assert_non_null(strstr(told, "2 of 200 windows are far out, the longest by 10 us: interrupts"));
	start(&r, "ticks");
	add_values(&r, 400, 400400, 1);
	check(&r);
	assert_non_null(strstr(told, "1 of 200 windows are far out, the longest by 200 us: firmware (SMIs)"));
}

UNIT_TEST(boots_that_differ)
{
	struct result r;

	start(&r, "ticks");
	build_noisy(&r, "ipc/x", 1000, 30, 3, 1);
	build_noisy(&r, "ipc/x", 1100, 30, 3, 2);
	check(&r);
	assert_non_null(strstr(told, "boots differ more than their windows do"));
}

UNIT_TEST(interrupts_by_firmware)
{
	uint64_t values[200];
	struct result r;

	for (uint64_t i = 0; i < 200; i++)
		values[i] = i < 199 ? 400 + i % 5 : 300400;
	struct sample s = build_sample(values, 200);

	s.smi_known = true;
	hist_add(&s.smi, 300400, 1);
	start(&r, "ticks");
	result_add(&r, "ipc/x", &s);
	check(&r);
	assert_non_null(strstr(told,
			       "1 of 200 windows were interrupted by the firmware (SMI): p99.9 is 300400 with them "
			       "and 40"));
}

UNIT_TEST(values_that_drift)
{
	struct result r;

	for (unsigned drifting = 0; drifting < 2; drifting++) {
		start(&r, "ticks");
		for (unsigned boot = 0; boot < 3; boot++) {
			build_noisy(&r, "ipc/x", 1000, 30, 1, boot);
			struct sample *s = &r.benchmarks[0].boots[boot];

			for (s->order_count = 0; s->order_count < 16; s->order_count++)
				s->order[s->order_count] =
					drifting ? 1000 + 2 * s->order_count : 1000 + s->order_count % 3;
		}
		check(&r);
		if (drifting)
			assert_non_null(strstr(told, "values grow during a boot"));
		else
			assert_string_equal(told, "");
	}
}

static uint64_t clock_permille;
static const char *frequency = "";

static bool valid(const struct result *result, bool invariant, int64_t khz, uint64_t overhead, const char *metric)
{
	static struct session s;
	struct error error = {""};
	bool good;

	s.run.tsc_invariant = invariant;
	s.run.tsc_khz = khz;
	s.calibration.overhead = overhead;
	s.calibration.clock = clock_permille;
	strcpy(s.run.frequency, frequency);
	good = validity_check(result, &s, metric, &error);
	assert_true(good == !error.text[0]);
	return good;
}

UNIT_TEST(boots_that_cannot_be_believed)
{
	struct result first = {0};

	assert_true(valid(&first, true, 2000000, 24, "ticks"));
	assert_true(valid(&first, false, 0, 24, "instructions"));
	start(&first, "ticks");
	result_set_number(&first, "timer_overhead", 24);
	assert_true(valid(&first, true, 2000000, 30, "ticks"));
	assert_false(valid(&first, true, 2000000, 40, "ticks"));
	assert_true(valid(&first, true, 2010000, 24, "ticks"));
	assert_false(valid(&first, true, 2100000, 24, "ticks"));
	result_set_number(&first, "core_clock_permille", 1000);
	clock_permille = 1010;
	assert_true(valid(&first, true, 2000000, 24, "ticks"));
	clock_permille = 1300;
	assert_false(valid(&first, true, 2000000, 24, "ticks"));
	clock_permille = 0;
	assert_true(valid(&first, true, 2000000, 24, "ticks"));
	frequency = "hwp 24";
	assert_true(valid(&first, true, 2000000, 24, "ticks"));
	frequency = "not held: a CPU did not take it";
	assert_false(valid(&first, true, 2000000, 24, "ticks"));
	assert_true(valid(&first, true, 2000000, 24, "instructions"));
	frequency = "";
	result_free(&first);
}

UNIT_TEST(counters_that_disagree)
{
	struct result r = {0};

	start(&r, "ticks");
	told[0] = '\0';
	quality_check_result(&r, tell, NULL);
	assert_string_equal(told, "");
	result_set_number(&r, "tsc_skew_bound", 300);
	quality_check_result(&r, tell, NULL);
	assert_string_equal(told, "");
	result_set_number(&r, "tsc_skew", 4000);
	quality_check_result(&r, tell, NULL);
	assert_non_null(strstr(told, "at least 4000 ticks apart"));
	result_set_number(&r, "tsc_drift", 7);
	quality_check_result(&r, tell, NULL);
	assert_non_null(strstr(told, "drifted by at least 7 ticks"));
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_measurements),      cmocka_unit_test(counts_that_do_not_repeat),
		cmocka_unit_test(several_modes),          cmocka_unit_test(outliers),
		cmocka_unit_test(boots_that_differ),      cmocka_unit_test(interrupts_by_firmware),
		cmocka_unit_test(values_that_drift),      cmocka_unit_test(boots_that_cannot_be_believed),
		cmocka_unit_test(counters_that_disagree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
