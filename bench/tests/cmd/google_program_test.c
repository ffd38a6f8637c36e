/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Google Benchmark's files from import to the gate, as the library writes them when something is odd. */
#include "program.h"

#include "host/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPETITIONS = 10 };

/* Members of the context, and of ten entries each of `ok` (100 ns) and `other`, which has these members. */
static void google(const char *name, const char *context, const char *ok_extra, const char *other)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fprintf(out,
		"{\"context\":{\"date\":\"2026-01-01T00:00:00+00:00\",\"host_name\":\"lab1\"%s},\"benchmarks\":[",
		context);
	for (int i = 0; i < REPETITIONS; i++)
		fprintf(out,
			"%s{\"name\":\"ok\",\"run_type\":\"iteration\",\"iterations\":1000,\"real_time\":100.%d,"
			"\"time_unit\":\"ns\"%s},{\"name\":\"other\",\"run_type\":\"iteration\",%s}",
			i ? "," : "", i % 3, ok_extra, other);
	fputs("]}", out);
	fclose(out);
	write_file(name, text, size);
	free(text);
}

#define TIME(ns) "\"iterations\":1000,\"real_time\":" ns ",\"time_unit\":\"ns\""
#define NOTHING "\"iterations\":0,\"real_time\":0.0,\"time_unit\":\"ns\""

static void import(const char *name)
{
	char *words = xasprintf("import -f google-benchmark --no-db -o %s.json %s", name, name);

	expect(0, words);
	free(words);
}

static void gate(int code, const char *now)
{
	char *words = xasprintf("gate --baseline base.json %s.json --json gate.out --junit junit.out", now);

	expect(code, words);
	free(words);
}

static void make_base(const char *time)
{
	google("base", ",\"num_cpus\":2,\"library_build_type\":\"release\"", "", time);
	import("base");
}

/* An entry without a measurement has a time, 0, and is better than all others. */
UNIT_TEST(skipped_is_missing)
{
	static const char *const nothings[] = {
		NOTHING ",\"skipped\":true,\"skip_message\":\"no AVX512\"",
		NOTHING ",\"error_occurred\":true,\"error_message\":\"no AVX512\"",
		NOTHING ",\"error_occurred\":true,\"error_message\":\"\"",
		NOTHING,
	};

	make_base(TIME("100"));
	for (size_t i = 0; i < array_size(nothings); i++) {
		google("now", "", "", nothings[i]);
		import("now");
		has("skipped micro/other: it ");
		gate(5, "now");
		has("MISSING micro/other: it ");
		lacks("-100");
		if (i < 2)
			has("no AVX512");
	}
	google("now", "", ",\"skipped\":true", NOTHING);
	expect(4, "import -f google-benchmark --no-db -o x.json now");
	has("nothing was measured");
}

UNIT_TEST(counters_need_not_be_numbers)
{
	make_base(TIME("100"));
	google("now", "",
	       ",\"a\":NaN,\"b\":-NaN,\"c\":Infinity,\"d\":-Infinity,\"e\":-nan(ind),\"f\":inf,\"g\":\"NaN\"",
	       TIME("100") ",\"label\":\"\\\"NaN\"");
	import("now");
	gate(0, "now");
	google("now", "", "", TIME("NaN"));
	expect(4, "import -f google-benchmark --no-db -o x.json now");
	has("has no \"real_time\"");
	google("now", "", ",\"a\":Nothing", TIME("100"));
	expect(4, "import -f google-benchmark --no-db -o x.json now");
	has("not JSON");
}

UNIT_TEST(from_zero)
{
	make_base(TIME("0"));
	gate(0, "base");
	google("now", "", "", TIME("100"));
	import("now");
	gate(1, "now");
	has("from 0");
	make_base(TIME("100"));
	google("now", "", "", TIME("0"));
	import("now");
	gate(0, "now");
	has("-100.00%");
}

UNIT_TEST(some_repetitions_failed)
{
	static const char one_failed[] =
		"{\"context\":{},\"benchmarks\":["
		"{\"name\":\"ok\"," TIME("100") "},{\"name\":\"ok\"," TIME(
			"100.4") "},"
				 "{\"name\":\"ok\"," TIME("100") "},{\"name\":\"other\"," TIME(
					 "100") "},"
						"{\"name\":\"other\"," TIME("100") "},{\"name\":\"other\"," TIME(
							"100") "},"
							       "{\"name\":\"other\",\"error_occurred\":true,\"error_"
							       "message\":\"lost it\"," NOTHING "}]}";

	make_base(TIME("100"));
	write_file("now", one_failed, sizeof(one_failed) - 1);
	expect(0, "import -f google-benchmark -m lab1 --no-db -o now.json now");
	has("incomplete micro/other: 1 of 4 repetitions: it reported an error: lost it");
	gate(0, "now");
	has("incomplete micro/other: B: 1 of 4 repetitions: it reported an error: lost it");
	expect(0, "gate --baseline now.json base.json");
	has("incomplete micro/other: A: 1 of 4 repetitions");
	expect(0, "compare --markdown base.json now.json");
	has("- incomplete micro/other: B: 1 of 4");
	lacks("``"); /* no console named a kernel */
	gate(0, "now");
	for (int i = 0; i < 2; i++) {
		char *path = in_folder(i ? "gate.out" : "junit.out");

		read_output(path);
		has("1 of 4 repetitions");
		free(path);
	}
}

UNIT_TEST(other_machines_and_builds)
{
	make_base(TIME("100"));
	google("now", ",\"num_cpus\":2,\"library_build_type\":\"debug\"", "", TIME("100"));
	import("now");
	gate(0, "now");
	has("build of the benchmark library: A \"release\", B \"debug\"");
	google("now", ",\"num_cpus\":8", "", TIME("100"));
	import("now");
	gate(4, "now");
	has("CPUs: \"2\" and \"8\"");
	has("Times of different machines");
	lacks("Instruction counts");
}

/* A name is free text. What is imported can be read by all other verbs, and two names stay two. */
UNIT_TEST(names_with_control_characters)
{
	google("base", ",\"num_cpus\":2", "", TIME("100"));
	google("now", ",\"x\":1", ",\"run_name\":\"a\\tb\\u001b[31m\\u007f\"", "\"run_name\":\"a\\nb\"," TIME("100"));
	import("now");
	has("a\\x09b\\x1b[31m\\x7f");
	has("a\\x0ab");
	expect(0, "show now.json");
	has("a\\x09b\\x1b[31m\\x7f");
	expect(0, "gate --baseline now.json now.json");
	google("now", "", ",\"run_name\":\"a\\tb\"", NOTHING ",\"run_name\":\"s\\t\",\"skipped\":true");
	import("now");
	expect(0, "show now.json");
	expect(0, "export now.json");
}

UNIT_TEST(host_names_are_folders)
{
	static const char odd[] =
		"{\"context\":{\"host_name\":\"../a b\\u001b\"},\"benchmarks\":[{\"name\":\"x\"," TIME("1") "}]}";

	write_file("now", odd, sizeof(odd) - 1);
	import("now");
	expect(0, "baseline update --results kept --reason r now.json");
	assert_true(exists("kept/-.-a-b-/micro.json"));
}

UNIT_TEST(several_files)
{
	make_base(TIME("100"));
	google("now", ",\"num_cpus\":2", "", TIME("101"));
	expect(0, "import -f google-benchmark --no-db -o both.json base now");
	has("20 boots");
	expect(4, "import -f google-benchmark --no-db -o x.json base now base");
	has("the same repetitions are in a file before this one");
	google("now", ",\"num_cpus\":4", "", TIME("101"));
	expect(4, "import -f google-benchmark --no-db -o x.json base now");
	has("now: the files are not of the same thing: their \"num_cpus\" differ");
	assert_false(exists("x.json"));
}

UNIT_TEST(formats_are_hinted_at)
{
	make_base(TIME("100"));
	expect(4, "import -m lab1 base");
	has("--format google-benchmark");
	lacks("did not boot");
	expect(4, "import base");
	has("--format google-benchmark");
	lacks("--machine is needed");
	expect(4, "import -f google-benchmark base.json");
	has("result of hbench already");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(skipped_is_missing),
		cmocka_unit_test(counters_need_not_be_numbers),
		cmocka_unit_test(from_zero),
		cmocka_unit_test(some_repetitions_failed),
		cmocka_unit_test(other_machines_and_builds),
		cmocka_unit_test(names_with_control_characters),
		cmocka_unit_test(host_names_are_folders),
		cmocka_unit_test(several_files),
		cmocka_unit_test(formats_are_hinted_at),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
