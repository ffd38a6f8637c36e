/* SPDX-License-Identifier: GPL-2.0-or-later */
/* data/google.json was written by a program with Google Benchmark 1.7.1, 5 repetitions. */
#include "test.h"

#include "host/file.h"
#include "result/google_benchmark.h"

#include "build.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

static bool import_one(struct result *r, const char *path, const char *suite, const char *machine,
		       struct error *error)
{
	char *paths[] = {(char *)path};

	return google_import(r, paths, 1, suite, machine, error);
}

UNIT_TEST(imports_repetitions)
{
	const struct benchmark *b;
	struct result r;
	struct error error;

	if (!import_one(&r, TEST_DATA "/google.json", "micro", NULL, &error))
		fail_msg("%s", error.text);
	assert_string_equal(result_text(&r, "machine"), "example");
	assert_string_equal(result_text(&r, "metric"), "picoseconds");
	assert_int_equal(r.count, 2);
	b = result_find(&r, "micro/BM_push/64");
	assert_int_equal(b->boot_count, 5);
	assert_in_range(b->merged.min, 1000, 10000000);
	assert_string_equal(result_skip_reason(&r, "micro/BM_error"), "it reported an error: not here");
	result_free(&r);
}

static const json_t *find(const json_t *root, const char *name, size_t skip)
{
	const json_t *object, *found = NULL;
	size_t i;

	json_array_foreach(json_object_get(root, "benchmarks"), i, object)
	{
		if (!strcmp(json_string_value(json_object_get(object, "name")), name) && !skip--)
			found = object;
	}
	assert_non_null(found);
	return found;
}

static double time_of(const json_t *root, const char *name, size_t skip)
{
	return json_number_value(json_object_get(find(root, name, skip), "real_time"));
}

UNIT_TEST(exports_nanoseconds)
{
	struct result r;
	json_t *root;

	result_init(&r, "m", "ipc", "ticks");
	result_set_number(&r, "tsc_khz", 2000000);
	build_constant(&r, "ipc/x", 100, 64);
	build_constant(&r, "ipc/x", 104, 64);
	build_constant(&r, "ipc/x", 120, 64);
	result_merge(&r);
	root = google_export(&r);
	assert_true(time_of(root, "ipc/x", 0) == 50);
	assert_true(time_of(root, "ipc/x", 2) == 60);
	assert_true(time_of(root, "ipc/x_mean", 0) == 54);
	assert_true(time_of(root, "ipc/x_median", 0) == 52);
	assert_true(fabs(time_of(root, "ipc/x_stddev", 0) - 5.291502622129181) < 1e-12);
	assert_string_equal(json_string_value(json_object_get(find(root, "ipc/x_cv", 0), "aggregate_unit")),
			    "percentage");
	json_decref(root);
	result_free(&r);
}

UNIT_TEST(counts_stay)
{
	struct result r;
	json_t *root;

	result_init(&r, "m", "ipc", "instructions");
	build_constant(&r, "ipc/x", 39, 64);
	result_merge(&r);
	root = google_export(&r);
	assert_true(time_of(root, "ipc/x", 0) == 39);
	assert_int_equal(json_array_size(json_object_get(root, "benchmarks")), 1);
	json_decref(root);
	result_free(&r);
}

UNIT_TEST(there_and_back)
{
	char path[] = "/tmp/hbench-google-XXXXXX";
	struct result r, again;
	struct error error;
	json_t *root;

	close(mkstemp(path));
	assert_true(import_one(&r, TEST_DATA "/google.json", "micro", "m", &error));
	root = google_export(&r);
	assert_int_equal(json_dump_file(root, path, 0), 0);
	json_decref(root);
	assert_true(import_one(&again, path, "x", NULL, &error));
	assert_int_equal(again.count, r.count);
	for (size_t i = 0; i < r.count; i++) {
		assert_int_equal(again.benchmarks[i].boot_count, r.benchmarks[i].boot_count);
		assert_int_equal(again.benchmarks[i].merged.sum, r.benchmarks[i].merged.sum);
	}
	unlink(path);
	result_free(&r);
	result_free(&again);
}

/* Versions before 1.5 have no run_type. A benchmark may be called as aggregates are. */
UNIT_TEST(old_aggregates)
{
#define OLD(name) "{\"name\":\"" name "\",\"iterations\":5,\"real_time\":7,\"time_unit\":\"ns\"}"
	static const char old[] =
		"{\"context\":{},\"benchmarks\":[" OLD("a") "," OLD("a") "," OLD("a_mean") "," OLD("a_median") "," OLD("a_stddev") "," OLD(
			"a_cv") "," OLD("b_mean") "," OLD("b_mean") "," OLD("c_mean") "," OLD("c_median") "," OLD("c_"
														  "st"
														  "dd"
														  "e"
														  "v") ",{\"name\":\"a_BigO\",\"cpu_coefficient\":1,\"big_o\":\"N\"},"
														       "{\"name\":\"a_RMS\",\"rms\":2}]}";
#undef OLD
	char path[] = "/tmp/hbench-google-XXXXXX";
	struct result r;
	struct error error;

	close(mkstemp(path));
	assert_true(file_replace(path, old, sizeof(old) - 1, &error));
	if (!import_one(&r, path, "micro", NULL, &error))
		fail_msg("%s", error.text);
	unlink(path);
	assert_int_equal(r.count, 2);
	assert_int_equal(result_find(&r, "micro/a")->boot_count, 2);
	assert_int_equal(result_find(&r, "micro/b_mean")->boot_count, 2);
	result_free(&r);
}

UNIT_TEST(bad_files)
{
	static const char *const texts[] = {
		"{}",
		"{\"context\":{},\"benchmarks\":[]}",
		"{\"context\":{},\"benchmarks\":[{}]}",
		"{\"context\":{},\"benchmarks\":[{\"name\":\"a\",\"run_type\":\"aggregate\"}]}",
		"{\"context\":{},\"benchmarks\":[{\"name\":\"a\",\"real_time\":1}]}",
		"{\"context\":{},\"benchmarks\":[{\"name\":\"a\",\"real_time\":1,\"time_unit\":\"years\"}]}",
		"{\"context\":{},\"benchmarks\":[{\"name\":\"a\",\"real_time\":-1,\"time_unit\":\"ns\"}]}",
		"{\"context\":{},\"benchmarks\":[{\"name\":\"a\",\"real_time\":1e99,\"time_unit\":\"s\"}]}",
		"[1]",
	};
	char path[] = "/tmp/hbench-google-XXXXXX";

	close(mkstemp(path));
	for (size_t i = 0; i < array_size(texts); i++) {
		struct result r;
		struct error error = {""};

		assert_true(file_replace(path, texts[i], strlen(texts[i]), &error));
		if (import_one(&r, path, "s", NULL, &error))
			fail_msg("%s", texts[i]);
		assert_true(strlen(error.text) > strlen(path));
		result_free(&r);
	}
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(imports_repetitions), cmocka_unit_test(exports_nanoseconds),
		cmocka_unit_test(counts_stay),         cmocka_unit_test(there_and_back),
		cmocka_unit_test(old_aggregates),      cmocka_unit_test(bad_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
