/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "host/mem.h"
#include "stats/aa.h"
#include "stats/compare.h"
#include "stats/machine_identity.h"
#include "stats/self_test.h"

#include "build.h"

#include <math.h>
#include <string.h>

static struct difference exact(uint64_t from, uint64_t to, double threshold)
{
	const struct metric *metric = metric_find("instructions");
	struct result r = {0};
	struct difference o;

	build_constant(&r, "a", from, 10);
	build_constant(&r, "b", to, 10);
	result_merge(&r);
	o = verdict_measure(metric, metric->estimator, &r.benchmarks[0], &r.benchmarks[1]);
	verdict_decide(&o, metric, threshold);
	result_free(&r);
	return o;
}

UNIT_TEST(exact_counts)
{
	assert_int_equal(exact(100, 100, 0).verdict, VERDICT_SAME);
	assert_int_equal(exact(100, 101, 0).verdict, VERDICT_WORSE);
	assert_int_equal(exact(100, 99, 0).verdict, VERDICT_BETTER);
	assert_int_equal(exact(100, 99, 0).change, -1);
	assert_true(exact(200, 250, 0).percent == 25);
	assert_int_equal(exact(0, 0, 0).verdict, VERDICT_SAME);
	assert_int_equal(exact(0, 5, 0).verdict, VERDICT_WORSE);
	assert_true(exact(0, 5, 0).percent == 0);
	assert_int_equal(exact(INT64_MAX / 100, INT64_MAX / 100 + 1, 0).verdict, VERDICT_WORSE);
}

UNIT_TEST(exact_thresholds)
{
	assert_int_equal(exact(1000, 1010, 1).verdict, VERDICT_SAME);
	assert_int_equal(exact(1000, 1011, 1).verdict, VERDICT_WORSE);
	assert_int_equal(exact(1000, 990, 1).verdict, VERDICT_SAME);
	assert_int_equal(exact(1000, 989, 1).verdict, VERDICT_BETTER);
}

UNIT_TEST(one_side_only)
{
	const struct metric *metric = metric_find("instructions");
	struct result r = {0};

	build_constant(&r, "a", 7, 3);
	result_merge(&r);
	assert_int_equal(verdict_measure(metric, metric->estimator, &r.benchmarks[0], NULL).verdict, VERDICT_MISSING);
	assert_int_equal(verdict_measure(metric, metric->estimator, NULL, &r.benchmarks[0]).verdict, VERDICT_NEW);
	result_free(&r);
}

static void start(struct result *r, const char *metric)
{
	result_init(r, "qemu-icount-max", "ipc", metric);
}

/* With a threshold of 4%. */
static struct difference noisy_seeded(uint64_t from, uint64_t to, uint64_t noise, size_t boots, unsigned seed)
{
	struct suite suite = {.name = (char *)"ipc", .thresholds = {{"ticks", 4}}, .threshold_count = 1};
	struct result a, b;
	struct comparison c;
	struct difference o;
	struct error error;

	start(&a, "ticks");
	start(&b, "ticks");
	build_noisy(&a, "x", from, noise, boots, seed);
	build_noisy(&b, "x", to, noise, boots, seed + 1);
	result_merge(&a);
	result_merge(&b);
	assert_true(compare_results(&c, &a, &b, &suite, &error));
	o = c.pairs[0].difference;
	compare_free(&c);
	result_free(&a);
	result_free(&b);
	return o;
}

static struct difference noisy(uint64_t from, uint64_t to, uint64_t noise, size_t boots)
{
	return noisy_seeded(from, to, noise, boots, 1);
}

static unsigned alarms(uint64_t to, enum verdict verdict)
{
	unsigned count = 0;

	for (unsigned seed = 0; seed < 100; seed++)
		count += noisy_seeded(10000, to, 3000, 5, 7 * seed).verdict == verdict;
	return count;
}

/* The same thing compared with itself a hundred times, and with something 10% slower. */
UNIT_TEST(false_alarms_and_power)
{
	assert_true(alarms(10000, VERDICT_WORSE) + alarms(10000, VERDICT_BETTER) <= 1);
	assert_true(alarms(11000, VERDICT_WORSE) >= 98);
}

/* Who is told to boot more is told how much, or what helps where boots do not. */
UNIT_TEST(advice)
{
	static const struct spread clear = {1, 1, 10, 10, 0, 1, 0.01}, coarse = {1, 1, 10, 10, 3, 1, 0.01},
				   wild = {90, 90, 10, 10, 0, 1, 0.01};
	struct difference o = noisy_seeded(10000, 10000, 9000, 5, 1);

	assert_int_equal(o.verdict, VERDICT_UNSURE);
	assert_in_range(o.boots, 10, 40);
	assert_non_null(strstr(o.why, "boots a side would settle it"));
	assert_true(o.smallest > 4);
	assert_in_range(power_boots(&clear, 2, 0), 10, 30);
	assert_true(power_boots(&clear, 1, 0) > 3 * power_boots(&clear, 2, 0));
	/* What is as large as the threshold needs no more: it is significant. */
	assert_int_equal(power_boots(&clear, 2, 2), power_boots(&clear, 2, 0));
	assert_int_equal(power_boots(&clear, 0, 0), POWER_BOOTS_MOST + 1);
	assert_int_equal(power_boots(&coarse, 2, 0), POWER_BOOTS_MOST + 1);
	assert_int_equal(power_boots(&wild, 2, 0), POWER_BOOTS_MOST + 1);
	assert_true(power_smallest_change(&clear, 2) > 2 && power_smallest_change(&clear, 2) < 3);
	assert_true(power_smallest_change(&coarse, 2) > 5);
}

/* From 12.00 to 12.99 ticks are 8.25%, not one tick of twelve; and 12.03 is the same. */
UNIT_TEST(fractions_of_a_tick)
{
	static const struct {
		uint64_t to;
		double percent;
		enum verdict verdict;
	} rows[] = {{12990, 8.25, VERDICT_WORSE}, {12030, 0.25, VERDICT_SAME}, {11400, -5, VERDICT_BETTER}};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct result a, b;
		struct comparison c;
		struct error error;

		start(&a, "ticks");
		start(&b, "ticks");
		for (unsigned boot = 0; boot < 5; boot++) {
			build_constant(&a, "ipc/x", 11998 + boot, 100);
			build_constant(&b, "ipc/x", rows[i].to - 2 + boot, 100);
			a.benchmarks[0].boots[boot].batch = a.benchmarks[0].boots[boot].per = 1000;
			b.benchmarks[0].boots[boot].batch = b.benchmarks[0].boots[boot].per = 1000;
		}
		result_merge(&a);
		result_merge(&b);
		assert_true(compare_results(&c, &a, &b, NULL, &error));
		assert_true(fabs(c.pairs[0].difference.percent - rows[i].percent) < 1e-6);
		assert_int_equal(c.pairs[0].difference.verdict, rows[i].verdict);
		assert_true(c.pairs[0].difference.spread.step < 0.1);
		compare_free(&c);
		result_free(&a);
		result_free(&b);
	}
}

/* An old baseline has 12 or 13 in each window: their numbers say where between them the median is. */
UNIT_TEST(fractions_of_old_results)
{
	uint64_t values[100];
	struct sample s;

	for (size_t i = 0; i < array_size(values); i++)
		values[i] = i < 60 ? 12 : i < 99 ? 13 : 5000;
	s = build_sample(values, array_size(values));
	assert_true(fabs(estimator_value(estimator_find("p50"), &s) - 12.40) < 0.01);
	assert_int_equal(estimator_count(estimator_find("p50"), &s), 12);
	assert_true(estimator_doubt(estimator_find("p50"), &s) == 0);
	sample_free(&s);
	for (size_t i = 0; i < array_size(values); i++)
		values[i] = i < 99 ? 12 : 5000;
	s = build_sample(values, array_size(values));
	assert_true(estimator_value(estimator_find("p50"), &s) == 12);
	assert_true(estimator_doubt(estimator_find("p50"), &s) > 0.35);
	sample_free(&s);
}

/* All windows say 12, whatever there is between 12 and 13: boots cannot tell, and must not be called for. */
UNIT_TEST(steps_are_not_settled_by_boots)
{
	struct result a;
	struct comparison c;
	struct error error;

	start(&a, "ticks");
	for (unsigned boot = 0; boot < 10; boot++)
		build_constant(&a, "ipc/x", 12, 100);
	result_merge(&a);
	assert_true(compare_results(&c, &a, &a, NULL, &error));
	assert_int_equal(c.pairs[0].difference.verdict, VERDICT_UNSURE);
	assert_int_equal(c.pairs[0].difference.boots, 0);
	assert_non_null(strstr(c.pairs[0].difference.why, "more operations in a window do"));
	compare_free(&c);
	result_free(&a);
}

UNIT_TEST(noisy_counts)
{
	assert_int_equal(noisy(10000, 10000, 30, 5).verdict, VERDICT_SAME);
	assert_int_equal(noisy(10000, 11000, 30, 5).verdict, VERDICT_WORSE);
	assert_int_equal(noisy(11000, 10000, 30, 5).verdict, VERDICT_BETTER);
	/* A change within the threshold is none, however certain it is. */
	assert_int_equal(noisy(10000, 10030, 10, 5).verdict, VERDICT_SAME);
}

UNIT_TEST(noise_asks_for_more)
{
	struct difference o = noisy(10000, 11000, 30, 2);

	assert_int_equal(o.verdict, VERDICT_UNSURE);
	assert_non_null(strstr(o.why, "2 boots"));
	/* A change as large as the threshold (medians of about 11500 and 11960) is found, also where it looks
	 * smaller. */
	assert_in_range(alarms(10460, VERDICT_WORSE), 90, 100);
	assert_in_range(alarms(10460, VERDICT_SAME), 0, 2);
}

static enum exit_code code_of(const struct result *a, const struct result *b, const struct suite *suite)
{
	struct comparison c;
	struct error error;
	enum exit_code code;

	assert_true(compare_results(&c, a, b, suite, &error));
	code = compare_exit_code(&c);
	compare_free(&c);
	return code;
}

UNIT_TEST(exit_codes)
{
	struct result a, b, better, less, worse_and_less;

	start(&a, "instructions");
	build_constant(&a, "ipc/x", 10, 4);
	build_constant(&a, "ipc/y", 20, 4);
	result_merge(&a);
	b = result_copy(&a);
	assert_int_equal(code_of(&a, &b, NULL), EXIT_SAME_OR_BETTER);
	start(&better, "instructions");
	build_constant(&better, "ipc/x", 9, 4);
	build_constant(&better, "ipc/y", 20, 4);
	build_constant(&better, "ipc/z", 90, 4);
	result_merge(&better);
	assert_int_equal(code_of(&a, &better, NULL), EXIT_SAME_OR_BETTER);
	assert_int_equal(code_of(&better, &a, NULL), EXIT_REGRESSED); /* and z missing */
	start(&less, "instructions");
	build_constant(&less, "ipc/x", 10, 4);
	result_merge(&less);
	assert_int_equal(code_of(&a, &less, NULL), EXIT_BENCHMARK_MISSING);
	start(&worse_and_less, "instructions");
	build_constant(&worse_and_less, "ipc/x", 11, 4);
	result_merge(&worse_and_less);
	assert_int_equal(code_of(&a, &worse_and_less, NULL), EXIT_REGRESSED);
	result_free(&a);
	result_free(&b);
	result_free(&better);
	result_free(&less);
	result_free(&worse_and_less);
}

UNIT_TEST(not_comparable)
{
	struct result a, b, other;
	struct comparison c;
	struct error error;

	start(&a, "instructions");
	start(&b, "ticks");
	assert_false(compare_results(&c, &a, &b, NULL, &error));
	compare_free(&c);
	result_init(&other, "bochs-tigerlake", "ipc", "instructions");
	assert_false(machine_identity_same(&a, &other, &error));
	assert_non_null(strstr(error.text, "bochs-tigerlake"));
	assert_true(machine_identity_same(&a, &b, &error));
	result_set_text(&other, "suite", "vm");
	assert_false(compare_results(&c, &a, &other, NULL, &error));
	compare_free(&c);
	result_free(&a);
	result_free(&b);
	result_free(&other);
}

/* Two hundred cases that did not change: with p < 0.01 each, two would be false alarms. */
UNIT_TEST(many_comparisons)
{
	struct result a, b;
	struct comparison c;
	struct error error;

	start(&a, "ticks");
	start(&b, "ticks");
	for (unsigned i = 0; i < 200; i++) {
		char *name = xasprintf("ipc/c%u", i);

		build_noisy(&a, name, 10000, 3000, 5, 31 * i + 1);
		build_noisy(&b, name, 10000 + (i == 7 ? 2000 : 0), 3000, 5, 31 * i + 17);
		free(name);
	}
	result_merge(&a);
	result_merge(&b);
	assert_true(compare_results(&c, &a, &b, NULL, &error));
	assert_int_equal(c.tests, 200);
	assert_int_equal(c.tally[VERDICT_WORSE], 1);
	assert_int_equal(c.pairs[7].difference.verdict, VERDICT_WORSE);
	assert_int_equal(c.tally[VERDICT_BETTER], 0);
	assert_true(c.pairs[7].difference.p < 0.01 && c.pairs[7].difference.superiority > 0.7);
	compare_free(&c);
	result_free(&a);
	result_free(&b);
}

/* The usual cost stays and the tail grows: only who asks for the tail is told. */
UNIT_TEST(estimators_of_a_suite)
{
	struct suite_case of_case = {
		.name = (char *)"ipc/x", .thresholds = {{"ticks.p99", 20}}, .threshold_count = 1};
	struct suite suite = {.cases = &of_case, .count = 1};
	struct result a, b;
	struct comparison c;
	struct error error;
	uint64_t values[200];

	start(&a, "ticks");
	start(&b, "ticks");
	for (uint64_t boot = 0; boot < 5; boot++)
		for (int side = 0; side < 2; side++) {
			for (uint64_t i = 0; i < 200; i++)
				values[i] = i < 190 ? 1000 + (i + boot) % 7 : 3000 + boot + (side ? 2000 : 0);
			struct sample s = build_sample(values, 200);

			result_add(side ? &b : &a, "ipc/x", &s);
		}
	result_merge(&a);
	result_merge(&b);
	assert_true(compare_results(&c, &a, &b, NULL, &error));
	assert_int_equal(c.count, 1);
	assert_int_equal(c.pairs[0].difference.verdict, VERDICT_SAME);
	compare_free(&c);
	assert_true(compare_results(&c, &a, &b, &suite, &error));
	assert_int_equal(c.count, 2);
	assert_int_equal(c.pairs[0].difference.verdict, VERDICT_SAME);
	assert_int_equal(c.pairs[1].difference.verdict, VERDICT_WORSE);
	assert_string_equal(c.pairs[1].label, "ipc/x [p99]");
	assert_true(c.pairs[0].shift.mass > 0.04 && c.pairs[0].shift.from < 3100 && c.pairs[0].shift.to > 4900);
	compare_free(&c);
	if (!self_test(&a, &suite, &error))
		fail_msg("%s", error.text);
	result_free(&a);
	result_free(&b);
}

/* Cycles of the core are a metric of their own; who says nothing of them means what holds for ticks. */
UNIT_TEST(cycles)
{
	static const struct threshold thresholds[] = {{"ticks", 9}, {"cycles", 1}};
	static const double of_cycles[] = {2, 9, 1};
	struct suite suite = {0};
	struct result a, b;
	struct comparison c;
	struct error error;

	start(&a, "ticks");
	start(&b, "ticks");
	for (unsigned i = 0; i < 2; i++) {
		build_noisy(i ? &b : &a, "ipc/x", i ? 10500 : 10000, 40, 10, 1);
		build_noisy(i ? &b : &a, "ipc/x/counter:cycles", i ? 10500 : 10000, 40, 10, 2);
		build_noisy(i ? &b : &a, "ipc/x/counter:misses", i ? 10500 : 10000, 40, 10, 3);
		result_merge(i ? &b : &a);
	}
	for (suite.threshold_count = 0; suite.threshold_count <= 2; suite.threshold_count++) {
		memcpy(suite.thresholds, thresholds, suite.threshold_count * sizeof(*thresholds));
		assert_true(compare_results(&c, &a, &b, &suite, &error));
		assert_int_equal(c.count, 3);
		assert_true(c.pairs[0].threshold == (suite.threshold_count ? 9 : 2));
		assert_true(c.pairs[1].threshold == of_cycles[suite.threshold_count]);
		assert_true(c.pairs[2].threshold == (suite.threshold_count ? 9 : 2));
		assert_int_equal(c.pairs[1].difference.verdict,
				 suite.threshold_count == 1 ? VERDICT_SAME : VERDICT_WORSE);
		compare_free(&c);
	}
	assert_string_equal(metric_of_case(metric_find("ticks"), "ipc/x/counter:cycles/words:8")->name, "cycles");
	assert_string_equal(metric_of_case(metric_find("ticks"), "ipc/x/counter:cyclesque")->name, "ticks");
	assert_string_equal(metric_of_case(metric_find("instructions"), "ipc/x/counter:cycles")->name,
			    "instructions");
	result_free(&a);
	result_free(&b);
}

UNIT_TEST(drift)
{
	struct result a, b;
	struct comparison c;
	struct error error;

	start(&a, "instructions");
	start(&b, "instructions");
	build_constant(&a, "ipc/x", 10, 4);
	build_constant(&b, "ipc/x", 11, 4);
	result_merge(&a);
	result_merge(&b);
	assert_true(compare_results(&c, &a, &b, NULL, &error));
	assert_false(compare_drifted(&c)); /* nothing is known of the programs */
	compare_free(&c);
	result_set_text(&a, "kernel_sha256", "1");
	result_set_text(&b, "kernel_sha256", "1");
	result_set_text(&a, "roottask_sha256", "2");
	result_set_text(&b, "roottask_sha256", "2");
	assert_true(compare_results(&c, &a, &b, NULL, &error));
	assert_true(compare_drifted(&c));
	compare_free(&c);
	result_set_text(&b, "roottask_sha256", "3");
	assert_true(compare_results(&c, &a, &b, NULL, &error));
	assert_false(compare_drifted(&c));
	compare_free(&c);
	result_set_text(&b, "roottask_sha256", "2");
	result_set_text(&b, "kernel_append", "nopcid");
	assert_true(compare_results(&c, &a, &b, NULL, &error));
	assert_false(compare_drifted(&c));
	compare_free(&c);
	result_free(&a);
	result_free(&b);
}

#define SHOWN "0123456789abcdef"
#define ID SHOWN "0123456789abcdef01234567"
#define OTHER "1123456789abcdef0123456789abcdef01234567"

/*
 * Imported consoles tell no hash of a file. The kernel's line tells its build; what the roottask says of it, with a
 * checksum, counts more.
 */
UNIT_TEST(drift_of_imported_results)
{
	static const struct {
		const char *line, *sha, *cmdline;
		bool drifted;
		const char *id_a, *id_b; /* of the sealed lines */
	} rows[] = {
		{"Hedron Hypervisor 13.2.0 (release, gcc 12.2.0, build a1ea) [MB1]", NULL, "suite=ipc", true, NULL,
		 NULL},
		{"Hedron Hypervisor 13.2.0 (release, gcc 12.2.0, build a1ea) [MB2]", NULL, "suite=ipc", true, NULL,
		 NULL},
		{"Hedron Hypervisor 13.2.0 (release, gcc 12.2.0, build a1ea) [MB1]", "12", "suite=ipc", true, NULL,
		 NULL},
		{"Hedron Hypervisor 13.2.0 (release, gcc 12.2.0, build a1eb) [MB1]", NULL, "suite=ipc", false, NULL,
		 NULL},
		{"Hedron Hypervisor 13.2.0 (release, gcc 12.2.0, build a1ea) [MB1]", NULL, "suite=ipc x", false, NULL,
		 NULL},
		{"Hedron Hypervisor 13.2.0 (release, gcc 12.2.0) [MB1]", NULL, "suite=ipc", false, NULL, NULL},
		{"Hedron Hypervisor 13.2.0 (release, gcc 12.2.0, build a1eb) [MB1]", NULL, "suite=ipc", true, ID, ID},
		{"Hedron Hypervisor 13.2.0 (release, gcc 12.2.0, build a1ea) [MB1]", NULL, "suite=ipc", false, ID,
		 OTHER},
		{"Hedron Hypervisor 13.2.0 (release, gcc 12.2.0, build " SHOWN ") [MB1]", NULL, "suite=ipc", true, ID,
		 NULL}, /* one of the roottasks is an older one */
		{"Hedron Hypervisor 13.2.0 (release, gcc 12.2.0, build a1ea) [MB1]", NULL, "suite=ipc", false, ID,
		 NULL},
	};
	struct comparison c;
	struct error error;

	for (size_t i = 0; i < array_size(rows); i++) {
		struct result a, b;

		start(&a, "instructions");
		start(&b, "instructions");
		build_constant(&a, "ipc/x", 10, 4);
		build_constant(&b, "ipc/x", 11, 4);
		result_merge(&a);
		result_merge(&b);
		result_set_text(&a, "kernel_boot_line", rows[0].line);
		result_set_text(&a, "roottask_cmdline", rows[0].cmdline);
		result_set_text(&b, "kernel_boot_line", rows[i].line);
		result_set_text(&b, "roottask_cmdline", rows[i].cmdline);
		if (rows[i].id_a)
			result_set_text(&a, "kernel_build_id", rows[i].id_a);
		if (rows[i].id_b)
			result_set_text(&b, "kernel_build_id", rows[i].id_b);
		if (rows[i].sha)
			result_set_text(&b, "kernel_sha256", rows[i].sha);
		assert_true(compare_results(&c, &a, &b, NULL, &error));
		if (compare_drifted(&c) != rows[i].drifted)
			fail_msg("row %zu", i);
		compare_free(&c);
		result_free(&a);
		result_free(&b);
	}
}

UNIT_TEST(same_against_same)
{
	struct result r;
	struct aa aa;

	start(&r, "ticks");
	build_noisy(&r, "ipc/x", 1000, 30, 10, 1);
	build_noisy(&r, "ipc/y", 500, 200, 10, 2);
	result_merge(&r);
	assert_true(aa_measure(&aa, &r, NULL));
	assert_int_equal(aa.comparisons, 20);
	assert_in_range(aa.alarms, 0, 1);
	result_free(&r);
	start(&r, "ticks");
	build_noisy(&r, "ipc/x", 1000, 30, 9, 1);
	result_merge(&r);
	assert_false(aa_measure(&aa, &r, NULL));
	result_free(&r);
}

UNIT_TEST(machines)
{
	struct result a, b;
	struct error error;

	start(&a, "ticks");
	start(&b, "ticks");
	result_set_number(&a, "tsc_khz", 2000000);
	result_set_number(&b, "tsc_khz", 2000999);
	assert_true(machine_identity_same(&a, &b, &error));
	result_set_number(&b, "tsc_khz", 2100000);
	assert_false(machine_identity_same(&a, &b, &error));
	assert_non_null(strstr(error.text, "TSC, kHz: \"2000000\" and \"2100000\""));
	result_set_number(&b, "tsc_khz", 2000000);
	result_set_text(&b, "microcode", "0x1a");
	assert_true(machine_identity_same(&a, &b, &error)); /* one side does not know */
	result_set_text(&a, "microcode", "0x1b");
	assert_false(machine_identity_same(&a, &b, &error));
	result_set_text(&a, "metric", "instructions"); /* where microcode does not matter */
	result_set_text(&b, "metric", "instructions");
	assert_true(machine_identity_same(&a, &b, &error));
	result_set_number(&a, "num_cpus", 1);
	result_set_number(&b, "num_cpus", 4);
	assert_false(machine_identity_same(&a, &b, &error));
	result_free(&a);
	result_free(&b);
}

static void find(struct result *r, const char *name, enum finding_weight weight, const char *state)
{
	struct finding f = {.weight = weight};

	strcpy(f.name, name);
	strcpy(f.state, state);
	finding_keep(r, &f);
}

static void note_difference(void *text, const struct finding *a, const struct finding *b)
{
	size_t used = strlen(text);

	snprintf((char *)text + used, 200 - used, "%s:%s:%s ", a->name, a->state, b->state);
}

UNIT_TEST(findings_of_machines)
{
	char text[200] = "";
	struct result a, b;

	start(&a, "ticks");
	start(&b, "ticks");
	find(&a, "turbo", FINDING_FACT, "off");
	find(&a, "smt", FINDING_FACT, "off");
	find(&a, "screen", FINDING_FACT, "none");
	assert_int_equal(machine_identity_findings(&a, &b, note_difference, text), 0); /* one side does not know */
	find(&b, "turbo", FINDING_DOUBT, "on");
	find(&b, "smt", FINDING_DOUBT, "off");
	find(&b, "screen", FINDING_FACT, "none");
	assert_int_equal(machine_identity_findings(&a, &b, note_difference, text), 2);
	assert_string_equal(text, "turbo:off:on smt:off:off ");
	result_free(&a);
	result_free(&b);
}

/* What was found out holds for the machine in the state in which it was, whatever ran on it. */
UNIT_TEST(findings_are_taken_over)
{
	struct result probe, r;
	struct finding f;
	struct error error;

	start(&probe, "ticks");
	start(&r, "ticks");
	find(&probe, "turbo", FINDING_FACT, "off");
	result_set_text(&probe, "microcode", "0x1a");
	result_set_text(&r, "microcode", "0x1a");
	result_set_text(&probe, "frequency", "as it is");
	result_set_text(&r, "frequency", "hwp 24");
	assert_true(machine_identity_take_findings(&r, &probe, &error));
	assert_true(finding_of(&r, "turbo", &f));
	result_set_text(&r, "microcode", "0x1b");
	assert_false(machine_identity_take_findings(&r, &probe, &error));
	assert_non_null(strstr(error.text, "microcode: \"0x1a\" and \"0x1b\""));
	result_free(&probe);
	result_free(&r);
}

UNIT_TEST(self_test_of_counts)
{
	struct result r;
	struct error error = {""};
	uint64_t values[100];

	start(&r, "instructions");
	build_constant(&r, "ipc/x", 10, 4);
	build_constant(&r, "ipc/one", 10, 1);
	build_constant(&r, "ipc/big", 1000003, 64);
	for (uint64_t i = 0; i < 100; i++)
		values[i] = 60 + i * i;
	struct sample s = build_sample(values, 100);

	result_add(&r, "ipc/spread", &s);
	result_merge(&r);
	if (!self_test(&r, NULL, &error))
		fail_msg("%s", error.text);
	result_free(&r);
}

UNIT_TEST(self_test_of_noise)
{
	struct result r;
	struct error error = {""};

	start(&r, "ticks");
	build_noisy(&r, "ipc/x", 1000, 30, 5, 1);
	build_noisy(&r, "ipc/y", 500, 5, 5, 2);
	result_merge(&r);
	if (!self_test(&r, NULL, &error))
		fail_msg("%s", error.text);
	result_free(&r);
}

/* What cannot find a planted fault must not pass. */
UNIT_TEST(self_test_finds_a_blind_gate)
{
	struct result r;
	struct error error = {""};

	start(&r, "ticks");
	build_noisy(&r, "ipc/x", 1000, 30, 1, 1); /* one boot: the gate cannot decide */
	result_merge(&r);
	assert_false(self_test(&r, NULL, &error));
	result_free(&r);
	start(&r, "instructions");
	assert_false(self_test(&r, NULL, &error));
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_counts),
		cmocka_unit_test(exact_thresholds),
		cmocka_unit_test(one_side_only),
		cmocka_unit_test(noisy_counts),
		cmocka_unit_test(noise_asks_for_more),
		cmocka_unit_test(false_alarms_and_power),
		cmocka_unit_test(advice),
		cmocka_unit_test(fractions_of_a_tick),
		cmocka_unit_test(fractions_of_old_results),
		cmocka_unit_test(steps_are_not_settled_by_boots),
		cmocka_unit_test(exit_codes),
		cmocka_unit_test(not_comparable),
		cmocka_unit_test(many_comparisons),
		cmocka_unit_test(estimators_of_a_suite),
		cmocka_unit_test(cycles),
		cmocka_unit_test(drift),
		cmocka_unit_test(drift_of_imported_results),
		cmocka_unit_test(same_against_same),
		cmocka_unit_test(machines),
		cmocka_unit_test(findings_of_machines),
		cmocka_unit_test(findings_are_taken_over),
		cmocka_unit_test(self_test_of_counts),
		cmocka_unit_test(self_test_of_noise),
		cmocka_unit_test(self_test_finds_a_blind_gate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
