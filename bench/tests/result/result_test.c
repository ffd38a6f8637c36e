/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "host/file.h"
#include "result/result.h"

#include "build.h"

#include <string.h>
#include <unistd.h>

static struct result example(void)
{
	struct result r;

	result_init(&r, "qemu-icount-max", "ipc", "instructions");
	build_constant(&r, "ipc/call/words:0", 190, 10);
	build_noisy(&r, "ipc/call/words:8", 209, 300, 3, 1);
	build_constant(&r, "ipc/null", INT64_MAX / 10, 1);
	result_add_skip(&r, "ipc/kp", "no \"memory\"");
	result_set_text(&r, "kernel_boot_line", "Hedron Hypervisor <&>");
	result_merge(&r);
	return r;
}

static void same_sample(const struct sample *a, const struct sample *b)
{
	assert_memory_equal(a, b, offsetof(struct sample, hist));
	assert_int_equal(a->hist.used, b->hist.used);
	assert_int_equal(a->hist.coarser, b->hist.coarser);
	assert_memory_equal(a->hist.bins, b->hist.bins, a->hist.used * sizeof(*a->hist.bins));
}

UNIT_TEST(round_trip)
{
	char path[] = "/tmp/hbench-test-XXXXXX";
	struct result r = example(), read;
	struct error error = {""};

	close(mkstemp(path));
	assert_true(result_save(&r, path, &error));
	if (!result_load(&read, path, &error))
		fail_msg("%s", error.text);
	unlink(path);
	assert_int_equal(read.count, r.count);
	assert_true(json_equal(read.context, r.context));
	assert_string_equal(result_skip_reason(&read, "ipc/kp"), "no \"memory\"");
	for (size_t i = 0; i < r.count; i++) {
		assert_string_equal(read.benchmarks[i].name, r.benchmarks[i].name);
		assert_int_equal(read.benchmarks[i].boot_count, r.benchmarks[i].boot_count);
		same_sample(&read.benchmarks[i].merged, &r.benchmarks[i].merged);
		for (size_t k = 0; k < r.benchmarks[i].boot_count; k++)
			same_sample(&read.benchmarks[i].boots[k], &r.benchmarks[i].boots[k]);
	}
	result_free(&r);
	result_free(&read);
}

/* A boot that timed 64 operations for a value, and one that timed 128: together they are of 128. */
UNIT_TEST(boots_of_several_operations)
{
	struct result r, read;
	struct error error = {""};
	json_t *root;

	result_init(&r, "nuc11", "ipc", "ticks");
	build_constant(&r, "ipc/null", 795, 10);
	build_constant(&r, "ipc/null", 1600, 30);
	for (size_t i = 0; i < 2; i++)
		r.benchmarks[0].boots[i].batch = r.benchmarks[0].boots[i].per = i ? 128 : 64;
	result_merge(&r);
	root = result_to_json(&r);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(json_object_get(root, "benchmarks"), 0),
							    "real_time")),
			 12);
	assert_true(result_from_json(&read, root, &error));
	json_decref(root);
	assert_int_equal(read.benchmarks[0].boots[0].per, 64);
	assert_int_equal(read.benchmarks[0].merged.per, 128);
	assert_int_equal(read.benchmarks[0].merged.min, 1590);
	assert_int_equal(read.benchmarks[0].merged.max, 1600);
	assert_int_equal(hist_total(&read.benchmarks[0].merged.hist), 40);
	assert_int_equal(sample_whole_ticks(&read.benchmarks[0].merged, 1590), 12);
	assert_int_equal(sample_whole_ticks(&read.benchmarks[0].merged, 1600), 13);
	result_free(&r);
	result_free(&read);
	/* Without a multiple in common that is worth it, and with numbers that no multiple leaves room for. */
	result_init(&r, "nuc11", "ipc", "ticks");
	for (uint64_t per = 65521; per > 65500; per -= 2) {
		build_constant(&r, "ipc/odd", INT64_MAX / 100, 3);
		r.benchmarks[0].boots[r.benchmarks[0].boot_count - 1].batch = per;
		r.benchmarks[0].boots[r.benchmarks[0].boot_count - 1].per = per;
	}
	result_merge(&r);
	assert_int_equal(hist_total(&r.benchmarks[0].merged.hist), 33);
	result_free(&r);
}

UNIT_TEST(google_benchmark_members)
{
	struct result r = example();
	json_t *root = result_to_json(&r), *first, *second, *third;

	first = json_array_get(json_object_get(root, "benchmarks"), 0);
	second = json_array_get(json_object_get(root, "benchmarks"), 1);
	third = json_array_get(json_object_get(root, "benchmarks"), 2);
	assert_string_equal(json_string_value(json_object_get(first, "run_type")), "iteration");
	assert_string_equal(json_string_value(json_object_get(first, "metric")), "instructions");
	assert_int_equal(json_integer_value(json_object_get(first, "real_time")), 190);
	assert_int_equal(json_integer_value(json_object_get(first, "family_index")), 0);
	assert_int_equal(json_integer_value(json_object_get(second, "family_index")), 0);
	assert_int_equal(json_integer_value(json_object_get(second, "per_family_instance_index")), 1);
	assert_int_equal(json_integer_value(json_object_get(third, "family_index")), 1);
	json_decref(root);
	result_free(&r);
}

UNIT_TEST(merged_boots)
{
	struct result r = example();
	const struct benchmark *b = result_find(&r, "ipc/call/words:8");

	assert_int_equal(b->merged.n, 600);
	for (size_t i = 0; i < 3; i++) {
		assert_true(b->merged.min <= b->boots[i].min);
		assert_true(b->merged.max >= b->boots[i].max);
	}
	/* one definition of a median, whatever the histogram of all windows says */
	assert_int_equal(b->merged.p50, (b->boots[0].p50 + b->boots[1].p50 + b->boots[2].p50 + 1) / 3);
	assert_int_equal(b->merged.p99, (b->boots[0].p99 + b->boots[1].p99 + b->boots[2].p99 + 1) / 3);
	assert_int_equal(hist_total(&b->merged.hist), 600);
	result_free(&r);
}

/* Changes one member somewhere in the file, given as path of keys, and expects a refusal. */
static void refuse(const char *what, json_t *(*where)(json_t *root), const char *key, json_t *value)
{
	struct result r = example(), read;
	json_t *whole = result_to_json(&r), *root = json_deep_copy(whole);
	struct error error = {""};

	if (value)
		json_object_set_new(where(root), key, value);
	else
		json_object_del(where(root), key);
	if (result_from_json(&read, root, &error))
		fail_msg("accepted: %s", what);
	assert_true(error.text[0]);
	json_decref(root);
	json_decref(whole);
	result_free(&r);
}

static json_t *at_root(json_t *root)
{
	return root;
}

static json_t *at_context(json_t *root)
{
	return json_object_get(root, "context");
}

static json_t *at_first(json_t *root)
{
	return json_array_get(json_object_get(root, "benchmarks"), 0);
}

static json_t *at_boot(json_t *root)
{
	return json_array_get(json_object_get(at_first(root), "boots"), 0);
}

UNIT_TEST(damaged_files)
{
	refuse("no context", at_root, "context", NULL);
	refuse("no benchmarks", at_root, "benchmarks", NULL);
	refuse("other schema", at_context, "schema", json_string("hbench-9"));
	refuse("no machine", at_context, "machine", NULL);
	refuse("empty suite", at_context, "suite", json_string(""));
	refuse("other metric", at_context, "metric", json_string("ticks"));
	refuse("no name", at_first, "name", NULL);
	refuse("twice", at_first, "name", json_string("ipc/null"));
	refuse("no boots", at_first, "boots", json_array());
	refuse("boots no array", at_first, "boots", json_integer(3));
	refuse("edited minimum", at_first, "min", json_integer(1));
	refuse("edited time", at_first, "real_time", json_real(1.5));
	refuse("negative", at_boot, "n", json_integer(-1));
	refuse("wrong n", at_boot, "n", json_integer(11));
	refuse("no hist", at_boot, "hist", NULL);
	refuse("bad hist", at_boot, "hist", json_pack("[[i,i]]", 1, 2));
	refuse("hist of text", at_boot, "hist", json_pack("[s]", "x"));
	refuse("escape sequence", at_context, "kernel_boot_line", json_string("\033[2J"));
	refuse("escape sequence in a name", at_first, "name", json_string("ipc/\x07"));
	refuse("escape sequence in a key", at_context, "\033", json_integer(1));
	refuse("edited boot", at_boot, "min", json_integer(180));
}

UNIT_TEST(texts_are_made_harmless)
{
	struct result r;

	result_init(&r, "m", "s", "instructions");
	result_set_text(&r, "a", "x\n\033[2Jy");
	assert_string_equal(result_text(&r, "a"), "x??[2Jy");
	result_set_text(&r, "a", "\xc3\xa4\t");
	assert_string_equal(result_text(&r, "a"), "\xc3\xa4?");
	result_set_text(&r, "a",
			"\xff"
			"a");
	assert_string_equal(result_text(&r, "a"), "?a");
	result_free(&r);
}

/* Files of the schema before are read, those of one to come are not. */
UNIT_TEST(schemas)
{
	static const struct {
		const char *schema;
		bool read;
	} rows[] = {{"hbench-1", true}, {"hbench-2", true}, {"hbench-3", false}, {"hbench", false}};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct result r = example(), read;
		struct error error = {""};
		json_t *root;

		result_set_text(&r, "schema", rows[i].schema);
		root = result_to_json(&r);
		assert_int_equal(result_from_json(&read, root, &error), rows[i].read);
		assert_int_equal(!*error.text, rows[i].read);
		if (rows[i].read)
			result_free(&read);
		json_decref(root);
		result_free(&r);
	}
}

UNIT_TEST(not_json)
{
	static const char *const texts[] = {"", "{", "[]", "7", "{\"context\":[]}", "\xff\xfe"};
	char path[] = "/tmp/hbench-test-XXXXXX";
	struct result read;
	struct error error;

	close(mkstemp(path));
	for (size_t i = 0; i < array_size(texts); i++) {
		assert_true(file_replace(path, texts[i], strlen(texts[i]), &error));
		error.text[0] = '\0';
		assert_false(result_load(&read, path, &error));
		assert_non_null(strstr(error.text, path));
	}
	unlink(path);
	assert_false(result_load(&read, path, &error));
	assert_false(result_load(&read, "/tmp", &error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(boots_of_several_operations),
		cmocka_unit_test(google_benchmark_members),
		cmocka_unit_test(merged_boots),
		cmocka_unit_test(damaged_files),
		cmocka_unit_test(texts_are_made_harmless),
		cmocka_unit_test(schemas),
		cmocka_unit_test(not_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
