/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a case must not be above whatever the baseline is, and cases that only inform. */
#include "program.h"

#include "host/mem.h"

#include <stdlib.h>
#include <string.h>

#define SUITE(cases) "{\"suite\":\"ipc\",\"title\":\"t\",\"cases\":[" cases "]}"
#define NULL_CASE(more) "{\"case\":\"null\",\"meaning\":\"m\"" more "}"
#define CROSS_CASE(more) "{\"case\":\"call_reply_cross\",\"params\":{\"words\":[0]},\"meaning\":\"m\"" more "}"

static int make_results(void **state)
{
	int status = set_up(state);

	make_result("base.json", "m", "instructions", 40, 205);
	make_result("same.json", "m", "instructions", 40, 205);
	make_result("worse.json", "m", "instructions", 41, 204);
	make_result("less.json", "m", "instructions", 40, 0);
	return status;
}

static void write_suite(const char *text)
{
	write_file("x.suite", text, strlen(text));
}

UNIT_TEST(limits)
{
	char *xml = in_folder("limit.xml"), *json = in_folder("limit.json");

	write_suite(SUITE(NULL_CASE(",\"limit\":39")));
	expect(1, "gate --baseline base.json --thresholds x.suite same.json --junit limit.xml --json limit.json");
	has("same, OVER 39");
	has("2 cases: 2 same; 1 OVER its limit.");
	has("FAILED: a limit is exceeded");
	read_output(xml);
	has("failures=\"1\" errors=\"0\" skipped=\"0\"");
	has("<failure message=\"40 is above the limit of 39\"/>");
	read_output(json);
	has("\"limit\": 39.0");
	has("\"over_limit\": true");
	expect(1, "gate --baseline base.json --thresholds x.suite same.json --changed-only");
	has("\nnull ");
	lacks("\ncall_reply_cross");
	write_suite(SUITE(NULL_CASE(",\"limit\":{\"instructions\":40}")));
	expect(0, "gate --baseline base.json --thresholds x.suite same.json --json limit.json");
	read_output(json);
	has("\"over_limit\": false");
	write_suite(SUITE(CROSS_CASE(",\"limit\":{\"base\":200,\"per\":{\"words\":2}}")));
	expect(1, "gate --baseline base.json --thresholds x.suite same.json");
	has("OVER 200");
	write_suite(SUITE(CROSS_CASE(",\"limit\":{\"at\":{\"words\":{\"8\":1}}}")));
	expect(0, "gate --baseline base.json --thresholds x.suite same.json");
	free(xml);
	free(json);
}

/* A limit of another estimator has a row of its own. */
UNIT_TEST(limits_of_estimators)
{
	write_suite(SUITE(NULL_CASE(",\"limit\":{\"instructions.max\":39}")));
	expect(1, "gate --baseline base.json --thresholds x.suite same.json");
	has("null [max]");
	has("same, OVER 39");
	has("3 cases: 3 same; 1 OVER its limit.");
}

UNIT_TEST(goals_as_limits)
{
	write_suite(SUITE(NULL_CASE(",\"goal\":40,\"limit\":\"goal\"")));
	expect(0, "gate --baseline base.json --thresholds x.suite base.json");
	expect(1, "gate --baseline worse.json --thresholds x.suite worse.json");
	has("same, OVER 40");
	expect(0, "gate --baseline worse.json worse.json");
	expect(1, "gate --baseline worse.json --goals worse.json");
	has("same, OVER 40");
	expect(0, "gate --baseline base.json --goals base.json");
	setenv("HBENCH_SUITES", "/nonexistent", 1);
	expect(2, "gate --baseline base.json --goals base.json");
	has("the suite is not known here");
	setenv("HBENCH_SUITES", TEST_SUITES, 1);
}

UNIT_TEST(cases_that_inform)
{
	char *xml = in_folder("inform.xml");

	write_suite(SUITE(NULL_CASE(",\"gated\":false,\"limit\":1")));
	expect(0, "gate --baseline base.json --thresholds x.suite worse.json --junit inform.xml");
	has("(WORSE, OVER 1)");
	has("; 1 in parentheses inform only.");
	has("PASSED");
	read_output(xml);
	has("failures=\"0\" errors=\"0\" skipped=\"1\"");
	write_suite(SUITE(NULL_CASE(",\"gated\":false")));
	expect(0, "gate --baseline base.json --thresholds x.suite worse.json");
	has("(WORSE)");
	write_suite(SUITE(CROSS_CASE(",\"gated\":false")));
	expect(0, "gate --baseline base.json --thresholds x.suite less.json");
	has("(MISSING)");
	free(xml);
}

/* What informs cannot fail, so something else has to. */
UNIT_TEST(self_test)
{
	write_suite(SUITE(CROSS_CASE(",\"gated\":false") "," NULL_CASE(",\"limit\":1")));
	expect(0, "gate --baseline base.json --self-test --thresholds x.suite");
	write_suite(SUITE(CROSS_CASE(",\"gated\":false") "," NULL_CASE(",\"gated\":false")));
	expect(4, "gate --baseline base.json --self-test --thresholds x.suite");
	has("all cases of the baseline only inform");
}

UNIT_TEST(wrong_words)
{
	static const char *const rows[][2] = {
		{SUITE(NULL_CASE(",\"limit\":\"goal\"")), "\"limit\" is the goal, and there is none"},
		{SUITE(NULL_CASE(",\"limit\":\"x\"")), "\"limit\" is a number"},
		{SUITE(NULL_CASE(",\"limit\":{}")), "\"limit\" is a number"},
		{SUITE(NULL_CASE(",\"limit\":{\"yards\":1}")), "there is no \"yards\""},
		{SUITE(NULL_CASE(",\"limit\":{\"ticks.p98\":1}")), "there is no \"ticks.p98\""},
		{SUITE(NULL_CASE(",\"limit\":{\"ticks\":-1}")), "must be a number, 0 or more"},
		{SUITE(NULL_CASE(",\"gated\":0")), "\"gated\" must be true or false"},
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		write_suite(rows[i][0]);
		expect(2, "gate --baseline base.json --thresholds x.suite same.json");
		has(rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits),          cmocka_unit_test(limits_of_estimators),
		cmocka_unit_test(goals_as_limits), cmocka_unit_test(cases_that_inform),
		cmocka_unit_test(self_test),       cmocka_unit_test(wrong_words),
	};

	return cmocka_run_group_tests(tests, make_results, tear_down);
}
