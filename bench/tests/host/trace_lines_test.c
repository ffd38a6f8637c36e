/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "host/error.h"
#include "host/line_seal.h"
#include "host/mem.h"
#include "host/trace_file.h"
#include "host/trace_lines.h"

#include <stdlib.h>
#include <string.h>

#define BEGIN                                                                                                      \
	"{\"type\":\"begin\",\"line\":0,\"version\":1,\"tsc_khz\":1000000,\"events\":12,\"paths\":3,\"counters\":" \
	"513,\"period\":0"
#define CPU "{\"type\":\"cpu\",\"line\":1,\"cpu\":1,\"written\":10,\"records\":2"
#define RECORD_1           \
	"0900000002000000" \
	"0100000000000000" \
	"aa00000000000000" \
	"bb00000000000000"
#define RECORD_2           \
	"0a00000003000000" \
	"0200000000000000" \
	"bb00000000000000" \
	"aa00000000000000"
#define RECORDS "{\"type\":\"records\",\"line\":2,\"cpu\":1,\"data\":\"" RECORD_1 RECORD_2 "\""
#define PATH "{\"type\":\"path\",\"line\":3,\"cpu\":1,\"path\":1,\"data\":\"0500000000000000ff00000000000000\""
#define CASE "{\"type\":\"case\",\"line\":4,\"name\":\"null\",\"begin\":1,\"end\":9"
#define END "{\"type\":\"end\",\"line\":5"
#define NO_TRACE "{\"type\":\"none\",\"line\":0,\"why\":\"the kernel has none\""

/* A line with the right checksum. */
static bool take(struct trace_lines *lines, const char *text, struct error *error)
{
	char *line = xasprintf("noise " TRACE_PREFIX "%s" LINE_SEAL_FORMAT, text, line_seal_crc(text, strlen(text)));
	bool mine, good = trace_lines_take(lines, line, strlen(line), &mine, error);

	assert_true(mine);
	free(line);
	return good;
}

UNIT_TEST(the_checksum_is_the_usual_one)
{
	assert_int_equal(line_seal_crc("123456789", 9), 0xcbf43926);
}

UNIT_TEST(a_whole_trace_is_taken)
{
	static const char *const texts[] = {BEGIN, CPU, RECORDS, PATH, CASE, END};
	struct trace_lines lines = {0};
	struct trace *trace;
	struct error error;

	for (size_t i = 0; i < array_size(texts); i++)
		assert_true(take(&lines, texts[i], &error));
	trace = trace_lines_finish(&lines, &error);
	assert_non_null(trace);
	assert_int_equal(trace->cpus[1].count, 2);
	assert_int_equal(trace->cpus[1].lost, 8);
	assert_int_equal(trace->cpus[1].records[0].b, 0xbb);
	assert_int_equal(trace->cpus[1].paths[HC_REPLY].count, 5);
	assert_int_equal(trace->cpus[1].paths[HC_REPLY].sum, 255);
	assert_int_equal(trace_counters(trace), 2);
	assert_int_equal(trace_counter(trace, 0), TRACE_COUNTER_CYCLES);
	assert_int_equal(trace_counter(trace, 1), TRACE_COUNTER_INSTRUCTIONS);
	assert_int_equal(json_array_size(json_object_get(trace->meta, "cases")), 1);
	trace_free(trace);
	free(trace);
	trace_lines_free(&lines);
}

UNIT_TEST(other_lines_are_not_taken)
{
	struct trace_lines lines = {0};
	struct error error;
	bool mine = true;

	assert_true(trace_lines_take(&lines, "HBENCH {}", 9, &mine, &error));
	assert_false(mine);
}

/* The good lines up to one, then another one in its place. */
static void refuse(const char *const *good, size_t count, const char *bad, const char *why)
{
	struct trace_lines lines = {0};
	struct error error;

	for (size_t i = 0; i < count; i++)
		assert_true(take(&lines, good[i], &error));
	if (take(&lines, bad, &error))
		fail_msg("accepted: %s", bad);
	if (!strstr(error.text, why))
		fail_msg("\"%s\" instead of \"%s\" for %s", error.text, why, bad);
	trace_lines_free(&lines);
}

UNIT_TEST(wrong_lines_are_refused)
{
	static const char *const good[] = {BEGIN, CPU, RECORDS, PATH, CASE};

	refuse(good, 0, CPU, "missing");
	refuse(good, 0, "{\"type\":\"cpu\",\"line\":0", "out of order");
	refuse(good, 0, "{\"type\":\"begin\",\"line\":0,\"version\":2", "version");
	refuse(good, 0, "{\"line\":0", "type");
	refuse(good, 0, "[0", "JSON");
	refuse(good, 1, "{\"type\":\"begin\",\"line\":1", "out of order");
	refuse(good, 1, "{\"type\":\"wish\",\"line\":1", "unknown type");
	refuse(good, 1, "{\"type\":\"records\",\"line\":1,\"cpu\":1,\"data\":\"\"", "before its head");
	refuse(good, 1, "{\"type\":\"cpu\",\"line\":1,\"cpu\":128,\"written\":1,\"records\":1", "\"cpu\"");
	refuse(good, 1, "{\"type\":\"cpu\",\"line\":1,\"cpu\":1,\"written\":1,\"records\":2", "more records");
	refuse(good, 2, "{\"type\":\"records\",\"line\":2,\"cpu\":1,\"data\":\"0g\"", "hexadecimal");
	refuse(good, 2, "{\"type\":\"records\",\"line\":2,\"cpu\":1,\"data\":\"0\"", "hexadecimal");
	refuse(good, 2, "{\"type\":\"records\",\"line\":2,\"cpu\":1,\"data\":\"00\"", "parts");
	refuse(good, 2, "{\"type\":\"records\",\"line\":2,\"cpu\":1,\"data\":\"" RECORD_1 RECORD_2 RECORD_1 "\"",
	       "or more than");
	refuse(good, 2, "{\"type\":\"records\",\"line\":2,\"cpu\":1,\"data\":\"\"", "no records");
	refuse(good, 2, "{\"type\":\"end\",\"line\":2", "0 of 2");
	refuse(good, 3, "{\"type\":\"path\",\"line\":3,\"cpu\":1,\"path\":28,\"data\":\"\"", "\"path\"");
	refuse(good, 4, "{\"type\":\"path\",\"line\":4,\"cpu\":1,\"path\":1,\"data\":\"01\"", "twice");
	refuse(good, 5, "{\"type\":\"case\",\"line\":5,\"name\":\"null\",\"begin\":1", "\"end\"");
	refuse(good, 5, "{\"type\":\"end\",\"line\":4", "missing");
}

UNIT_TEST(damage_is_seen)
{
	static const char line[] = TRACE_PREFIX NO_TRACE ",\"crc\":\"00000000\"}";
	struct trace_lines lines = {0};
	struct error error;
	bool mine;

	assert_false(trace_lines_take(&lines, line, strlen(line), &mine, &error));
	assert_non_null(strstr(error.text, "checksum"));
	assert_false(trace_lines_take(&lines, TRACE_PREFIX "{}", strlen(TRACE_PREFIX) + 2, &mine, &error));
	assert_non_null(strstr(error.text, "cut off"));
	trace_lines_free(&lines);
}

UNIT_TEST(what_is_missing_is_told)
{
	struct trace_lines lines = {0};
	struct error error;

	assert_null(trace_lines_finish(&lines, &error));
	assert_non_null(strstr(error.text, "no trace came"));
	assert_true(take(&lines, BEGIN, &error));
	assert_null(trace_lines_finish(&lines, &error));
	assert_non_null(strstr(error.text, "cut off"));
	trace_lines_free(&lines);
	assert_true(take(&lines, NO_TRACE, &error));
	assert_null(trace_lines_finish(&lines, &error));
	assert_non_null(strstr(error.text, "the kernel has none"));
	assert_false(take(&lines, "{\"type\":\"begin\",\"line\":1", &error));
	trace_lines_free(&lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_checksum_is_the_usual_one),
		cmocka_unit_test(a_whole_trace_is_taken),
		cmocka_unit_test(other_lines_are_not_taken),
		cmocka_unit_test(wrong_lines_are_refused),
		cmocka_unit_test(damage_is_seen),
		cmocka_unit_test(what_is_missing_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
