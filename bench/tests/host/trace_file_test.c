/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "host/error.h"
#include "host/mem.h"
#include "host/trace_file.h"

#include <stdlib.h>
#include <string.h>

struct file {
	char *data;
	size_t size;
};

static void add_records(struct trace_cpu *cpu, uint32_t first, size_t count)
{
	cpu->known = true;
	cpu->records = xcalloc(count, sizeof(*cpu->records));
	cpu->count = count;
	for (size_t i = 0; i < count; i++)
		cpu->records[i] = (struct trace_record){first + (uint32_t)i, TRACE_CALL, 0, 1000 + i, 1, 2};
}

static struct file make(void)
{
	struct trace trace;
	struct error error;
	struct file file;

	trace_init(&trace, 2000000);
	add_records(&trace.cpus[0], 1, 3);
	add_records(&trace.cpus[7], UINT32_MAX, 2); /* numbers wrap around */
	trace.cpus[7].lost = 1000;
	trace.cpus[7].paths = xcalloc(TRACE_PATHS, sizeof(struct trace_path));
	trace.cpus[7].paths[TRACE_PATH_NMI].count = 5;
	assert_true(trace_write(&trace, &file.data, &file.size, &error));
	trace_free(&trace);
	return file;
}

UNIT_TEST(is_read_again)
{
	struct file file = make();
	struct trace trace;
	struct error error;

	assert_true(trace_parse(&trace, file.data, file.size, &error));
	assert_int_equal(trace_khz(&trace), 2000000);
	assert_int_equal(trace.cpus[0].count, 3);
	assert_int_equal(trace.cpus[0].records[2].tsc, 1002);
	assert_null(trace.cpus[0].paths);
	assert_int_equal(trace.cpus[7].lost, 1000);
	assert_int_equal(trace.cpus[7].records[1].seq, 0);
	assert_int_equal(trace.cpus[7].paths[TRACE_PATH_NMI].count, 5);
	assert_false(trace.cpus[1].known);
	trace_free(&trace);
	free(file.data);
}

UNIT_TEST(every_cut_is_seen)
{
	struct file file = make();
	struct trace trace;
	struct error error;

	for (size_t size = 0; size < file.size; size += size < 600 ? 1 : 97) {
		error.text[0] = '\0';
		assert_false(trace_parse(&trace, file.data, size, &error));
		assert_true(error.text[0]);
	}
	free(file.data);
}

static void refuse(const struct file *file, size_t at, char byte, const char *why)
{
	char *copy = xcalloc(file->size, 1);
	struct trace trace;
	struct error error;

	memcpy(copy, file->data, file->size);
	copy[at] = byte;
	assert_false(trace_parse(&trace, copy, file->size, &error));
	if (!strstr(error.text, why))
		fail_msg("\"%s\" instead of \"%s\"", error.text, why);
	free(copy);
}

/* Where the head of the first chunk of a kind is. */
static size_t find(const struct file *file, const char *type)
{
	const char *at = memmem(file->data, file->size, type, 4);

	assert_non_null(at);
	return (size_t)(at - file->data);
}

UNIT_TEST(wrong_parts_are_refused)
{
	const size_t head = 16, lost = 8;
	struct file file = make();

	refuse(&file, 0, 'X', "no trace");
	refuse(&file, head + 3, '?', "format");
	refuse(&file, find(&file, "LOST"), 'M', "unknown kind");
	refuse(&file, find(&file, "LOST") + 5, 1, "no CPU");
	refuse(&file, find(&file, "LOST") + lost, 7, "no number");
	refuse(&file, find(&file, "LOST") + 15, 1, "cut off");
	refuse(&file, find(&file, "RECS") + 4, 1, "missing");
	refuse(&file, find(&file, "RECS") + head + 4, 99, "not known");
	refuse(&file, find(&file, "RECS") + head, 2, "has the number");
	refuse(&file, find(&file, "PATH") + lost, 8, "are not");
	refuse(&file, file.size - 8, 1, "cut off");
	free(file.data);
}

UNIT_TEST(meta_is_checked)
{
	static const char *const bad[] = {
		"{\"tsc_khz\": 0}",
		"{\"tsc_khz\": \"1\"}",
		"{\"tsc_khz\": 4294967296}",
		"{\"counters\": [\"cycles\", \"wishes\"]}",
		"{\"counters\": \"cycles\"}",
		"{\"counters\": [\"cycles\", \"cycles\", \"cycles\", \"cycles\", \"cycles\"]}",
		"{\"cases\": 1}",
		"{\"cases\": [{\"name\": \"a\", \"begin\": 2, \"end\": 1}]}",
		"{\"cases\": [{\"begin\": 1, \"end\": 2}]}",
		"{\"format\": \"htrace-2\"}",
	};
	struct error error;

	for (size_t i = 0; i < array_size(bad); i++) {
		json_t *change = json_loads(bad[i], 0, NULL);
		struct trace trace;

		trace_init(&trace, 1000);
		assert_true(trace_check(&trace, &error));
		json_object_update(trace.meta, change);
		if (trace_check(&trace, &error))
			fail_msg("accepted: %s", bad[i]);
		json_decref(change);
		trace_free(&trace);
	}
}

UNIT_TEST(files_are_saved_and_loaded)
{
	char folder[] = "/tmp/hbench-trace.XXXXXX", *path;
	struct trace trace;
	struct error error;

	assert_non_null(mkdtemp(folder));
	path = xasprintf("%s/a.htrace", folder);
	assert_false(trace_load(&trace, path, &error));
	trace_init(&trace, 1000);
	add_records(&trace.cpus[2], 1, 1);
	assert_true(trace_save(&trace, path, &error));
	trace_free(&trace);
	assert_true(trace_load(&trace, path, &error));
	assert_true(trace.cpus[2].known);
	trace_free(&trace);
	assert_int_equal(remove(path), 0);
	assert_int_equal(remove(folder), 0);
	free(path);
}

UNIT_TEST(names_are_found)
{
	for (int i = 0; i < TRACE_EVENTS; i++)
		assert_int_equal(trace_event_find(trace_event_name((unsigned)i)), i);
	for (int i = 0; i < TRACE_COUNTER_KINDS; i++)
		assert_int_equal(trace_counter_find(trace_counter_name((unsigned)i)), i);
	for (int i = 0; i < TRACE_PATHS; i++)
		if (*trace_path_name((unsigned)i))
			assert_int_equal(trace_path_find(trace_path_name((unsigned)i)), i);
	assert_string_equal(trace_path_name(HC_SM_CTRL), "sm_ctrl");
	assert_string_equal(trace_path_name(13), "");
	assert_string_equal(trace_event_name(TRACE_EVENTS), "");
	assert_int_equal(trace_event_find("nothing"), -1);
}

/* The layout that the tools rely on: each bin begins where the one before ends. */
UNIT_TEST(bins_have_no_gaps)
{
	for (unsigned i = 0; i < TRACE_BINS; i++)
		assert_int_equal(trace_bin(trace_bin_low(i)), i);
	for (unsigned i = 1; i < TRACE_BINS; i++)
		assert_int_equal(trace_bin(trace_bin_low(i) - 1), i - 1);
	assert_int_equal(trace_bin(UINT64_MAX), TRACE_BINS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_read_again),
		cmocka_unit_test(every_cut_is_seen),
		cmocka_unit_test(wrong_parts_are_refused),
		cmocka_unit_test(meta_is_checked),
		cmocka_unit_test(files_are_saved_and_loaded),
		cmocka_unit_test(names_are_found),
		cmocka_unit_test(bins_have_no_gaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
