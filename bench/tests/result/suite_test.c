/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "host/file.h"
#include "host/mem.h"
#include "result/suite.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool load_for(const char *machine, const char *text, struct suite *suite)
{
	char path[] = "/tmp/hbench-test-XXXXXX";
	struct error error = {""};
	bool good;

	close(mkstemp(path));
	assert_true(file_replace(path, text, strlen(text), &error));
	good = suite_load_file(suite, path, machine, &error);
	unlink(path);
	if (!good)
		assert_true(error.text[0]);
	return good;
}

static bool load(const char *text, struct suite *suite)
{
	return load_for(NULL, text, suite);
}

#define REST "\"suite\":\"s\",\"title\":\"t\",\"threshold\":{\"ticks\":3},\"cases\":["
#define HEAD "{" REST

UNIT_TEST(expands_parameters)
{
	struct suite s;

	assert_true(
		load(HEAD "{\"case\":\"a\",\"meaning\":\"m\",\"params\":{\"y\":[1,2],\"x\":[\"p\",\"q\"]}}]}", &s));
	assert_int_equal(s.count, 4);
	assert_string_equal(s.cases[0].name, "s/a/x:p/y:1");
	assert_string_equal(s.cases[3].name, "s/a/x:q/y:2");
	assert_non_null(suite_find(&s, "s/a/x:q/y:1"));
	assert_null(suite_find(&s, "s/a"));
	suite_free(&s);
}

UNIT_TEST(goals)
{
	struct suite s;
	char text[32];

	assert_true(load(HEAD "{\"case\":\"a\",\"meaning\":\"m\",\"goal\":7},"
			      "{\"case\":\"b\",\"meaning\":\"m\",\"params\":{\"w\":[0,8]},\"goal\":{\"base\":190,"
			      "\"per\":{\"w\":2.4}}},"
			      "{\"case\":\"c\",\"meaning\":\"m\",\"params\":{\"w\":[1,\"x\",3]},\"goal\":{\"at\":{"
			      "\"w\":{\"1\":5,\"x\":6}}}},"
			      "{\"case\":\"d\",\"meaning\":\"m\"}]}",
			 &s));
	assert_true(s.cases[0].has_goal && s.cases[0].goal == 7);
	assert_true(s.cases[1].has_goal && s.cases[1].goal == 190);
	assert_true(s.cases[2].has_goal && s.cases[2].goal > 209.1 && s.cases[2].goal < 209.3);
	assert_true(s.cases[3].goal == 5 && s.cases[4].goal == 6);
	assert_false(s.cases[5].has_goal);
	assert_false(s.cases[6].has_goal);
	suite_goal_text(209.2, text);
	assert_string_equal(text, "209.2");
	suite_goal_text(1e6, text);
	assert_string_equal(text, "1000000");
	suite_free(&s);
}

UNIT_TEST(goals_of_machines)
{
	static const char text[] =
		HEAD "{\"case\":\"a\",\"meaning\":\"m\",\"goal\":7,\"limit\":\"goal\",\"goal_on\":{\"m1\":5}},"
		     "{\"case\":\"b\",\"meaning\":\"m\",\"params\":{\"w\":[1,2]},\"goal\":9,\"goal_on\":{"
		     "\"m1\":{\"at\":{\"w\":{\"2\":8}}},\"m2\":null}}]}";
	struct suite s;
	double limit = 0;

	assert_true(load_for("m1", text, &s));
	assert_true(s.cases[0].goal == 5 && suite_limit(&s, "s/a", "instructions", &limit) && limit == 5);
	assert_true(!s.cases[1].has_goal && s.cases[2].goal == 8);
	suite_free(&s);
	assert_true(load_for("m2", text, &s));
	assert_true(s.cases[0].goal == 7 && !s.cases[1].has_goal && !s.cases[2].has_goal);
	suite_free(&s);
	assert_true(load_for("m3", text, &s));
	assert_true(s.cases[0].goal == 7 && s.cases[1].goal == 9 && s.cases[2].goal == 9);
	suite_free(&s);
	assert_false(load(HEAD "{\"case\":\"a\",\"meaning\":\"m\",\"goal_on\":5}]}", &s));
}

UNIT_TEST(thresholds)
{
	struct suite s;

	assert_true(load(HEAD "{\"case\":\"a\",\"meaning\":\"m\",\"threshold\":{\"instructions\":1.5}}]}", &s));
	assert_true(suite_threshold(&s, "s/a", "instructions", 9) == 1.5);
	assert_true(suite_threshold(&s, "s/a", "ticks", 9) == 3);
	assert_true(suite_threshold(&s, "s/b", "instructions", 9) == 9);
	assert_true(suite_threshold(NULL, "s/a", "ticks", 9) == 9);
	suite_free(&s);
}

UNIT_TEST(machines)
{
	struct suite s;

	assert_true(load(HEAD "{\"case\":\"a\",\"meaning\":\"m\"}]}", &s));
	assert_int_equal(s.cpus, 1);
	suite_free(&s);
	assert_true(load("{\"machine\":{\"cpus\":8}," REST "{\"case\":\"a\",\"meaning\":\"m\"}]}", &s));
	assert_int_equal(s.cpus, 8);
	assert_null(s.target);
	suite_free(&s);
	assert_true(load("{\"machine\":{\"target\":\"bochs\"}," REST "{\"case\":\"a\",\"meaning\":\"m\"}]}", &s));
	assert_int_equal(s.cpus, 1);
	assert_string_equal(s.target, "bochs");
	suite_free(&s);
}

UNIT_TEST(bad_files)
{
	static const char *const texts[] = {
		"",
		"{}",
		"{\"suite\":\"s\",\"title\":\"t\",\"cases\":[]}",
		"{\"suite\":\"../s\",\"title\":\"t\",\"cases\":[{\"case\":\"a\",\"meaning\":\"m\"}]}",
		"{\"machine\":4," REST "{\"case\":\"a\",\"meaning\":\"m\"}]}",
		"{\"machine\":{}," REST "{\"case\":\"a\",\"meaning\":\"m\"}]}",
		"{\"machine\":{\"target\":1}," REST "{\"case\":\"a\",\"meaning\":\"m\"}]}",
		"{\"machine\":{\"cpus\":0}," REST "{\"case\":\"a\",\"meaning\":\"m\"}]}",
		"{\"machine\":{\"cpus\":129}," REST "{\"case\":\"a\",\"meaning\":\"m\"}]}",
		HEAD "{\"case\":\"a\"}]}",
		HEAD "{\"meaning\":\"m\"}]}",
		HEAD "{\"case\":\"a/b\",\"meaning\":\"m\"}]}",
		HEAD "{\"case\":\"a\",\"meaning\":\"m\",\"params\":{\"x\":[]}}]}",
		HEAD "{\"case\":\"a\",\"meaning\":\"m\",\"params\":{\"x\":3}}]}",
		HEAD "{\"case\":\"a\",\"meaning\":\"m\",\"params\":{\"x\":[1.5]}}]}",
		HEAD "{\"case\":\"a\",\"meaning\":\"m\",\"threshold\":{\"ticks\":-1}}]}",
		HEAD "{\"case\":\"a\",\"meaning\":\"m\",\"threshold\":{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1}}]}",
	};
	struct suite s;

	for (size_t i = 0; i < array_size(texts); i++)
		if (load(texts[i], &s))
			fail_msg("accepted: %s", texts[i]);
}

/* The suites of this repository are good, and each case says what it means. */
UNIT_TEST(our_suites)
{
	struct error error = {""};
	char **names;

	setenv("HBENCH_SUITES", TEST_SUITES, 1);
	names = suite_names(&error);
	assert_non_null(names);
	assert_non_null(names[0]);
	for (char **name = names; *name; name++) {
		struct suite s;

		if (!suite_load(&s, *name, &error))
			fail_msg("%s", error.text);
		assert_string_equal(s.name, *name);
		for (size_t i = 0; i < s.count; i++) {
			assert_true(strlen(s.cases[i].meaning) > 8);
			assert_ptr_equal(suite_find(&s, s.cases[i].name), &s.cases[i]); /* no name twice */
		}
		suite_free(&s);
	}
	strings_free(names);
}

UNIT_TEST(no_way_out_of_the_folder)
{
	struct error error;
	struct suite s;

	setenv("HBENCH_SUITES", TEST_SUITES, 1);
	assert_false(suite_load(&s, "../suites/ipc", &error));
	assert_false(suite_load(&s, "", &error));
	assert_false(suite_load(&s, "nothing", &error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expands_parameters), cmocka_unit_test(goals),
		cmocka_unit_test(goals_of_machines),  cmocka_unit_test(thresholds),
		cmocka_unit_test(bad_files),          cmocka_unit_test(machines),
		cmocka_unit_test(our_suites),         cmocka_unit_test(no_way_out_of_the_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
