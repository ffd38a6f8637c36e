/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several results beside each other, and other systems beside ours. */
#include "program.h"

#include "host/mem.h"

#include <stdlib.h>

static int make_results(void **state)
{
	int status = set_up(state);

	make_result("base.json", "m", "instructions", 40, 205);
	make_result("same.json", "m", "instructions", 40, 205);
	make_result("better.json", "m", "instructions", 40, 204);
	make_result("worse.json", "m", "instructions", 41, 204);
	make_result("less.json", "m", "instructions", 40, 0);
	make_result("ticks.json", "m", "ticks", 40, 205);
	write_file("broken.json", "{", 1);
	return status;
}

UNIT_TEST(compare_several)
{
	expect(0, "compare base.json worse.json better.json same.json");
	has("case                        A  threshold    B     B %  B seen  B is      C     C %  C seen  C is      D "
	    " D %  "
	    "D seen  D is\n"
	    "null                       40         0%   41  +2.50%   2.50%  WORSE    40           2.50%  same     40 "
	    "      "
	    " 2.50%  same\n");
	has("A to B: 1 worse, 1 better of 2; geometric mean of the changes +1.00%");
	has("A to D: 0 worse, 0 better of 2; geometric mean of the changes +0.00%");
	expect(0, "compare --changed-only base.json better.json same.json");
	lacks("\nnull ");
	has("call_reply_cross/words:0  205         0%  204  -0.49%   0.49%  better  205");
	expect(0, "compare --markdown base.json worse.json less.json");
	has("| call\\_reply\\_cross/words:0 | 205 | 0% | 204 | -0.49% | 0.49% | better | - |  |  | MISSING |");
	expect(4, "compare base.json worse.json broken.json");
	expect(4, "compare base.json worse.json ticks.json");
	expect(0, "compare less.json base.json worse.json"); /* what A has not is a row, too */
	has("call_reply_cross/words:0   -         0%  205               new   204                  new\n");
}

/* One line for each result, one for all, whatever became of them. */
UNIT_TEST(gate_in_a_hurry)
{
	char *path = in_folder("hurry.md"), *xml = in_folder("hurry.xml");

	expect(0, "gate --baseline base.json --changed-only same.json");
	lacks("\nnull ");
	lacks("suite ");
	has("2 cases: 2 same.");
	has("threshold: 0%; a change of 2.50% would have been seen in every case.");
	expect(4, "gate --baseline base.json --changed-only same.json worse.json nothing.json --markdown hurry.md "
		  "--junit "
		  "hurry.xml");
	has("null                       40   41");
	has("suite         machine  cases  changed    mean  threshold   seen  worst         verdict\n"
	    "ipc           m            2        0  +0.00%         0%  2.50%                passed\n"
	    "ipc           m            2        2  +1.00%         0%  2.50%  null +2.50%   REGRESSED\n"
	    "nothing.json               0        0  +0.00%         0%         not compared  INVALID\n");
	has("2 suites, 4 cases: 2 same, 1 better, 1 WORSE; geometric mean of the changes +0.50%.");
	read_output(path);
	has("### All suites\n\n| suite |");
	read_output(xml);
	has("<testsuite name=\"nothing.json\" tests=\"1\" failures=\"0\" errors=\"1\"");
	free(path);
	free(xml);
}

/* What shields.io makes a badge of. */
UNIT_TEST(badge)
{
	static const struct {
		int code;
		const char *files, *message, *colour;
	} rows[] = {
		{0, "same.json", "2 cases, none slower", "brightgreen"},
		{0, "same.json better.json", "4 cases, 1 better", "brightgreen"},
		{1, "same.json worse.json", "1 of 4 cases slower", "red"},
		{5, "less.json", "1 cases missing", "red"},
		{3, "--allow-different-machine ticks.json", "not enough data", "yellow"},
		{4, "nothing.json", "no verdict", "lightgrey"},
	};
	char *path = in_folder("badge.json");

	for (size_t i = 0; i < array_size(rows); i++) {
		char *words = xasprintf("gate --baseline %s --badge badge.json %s",
					rows[i].code == 3 ? "ticks.json" : "base.json", rows[i].files);
		char *message = xasprintf("\"message\": \"%s\"", rows[i].message);
		char *colour = xasprintf("\"color\": \"%s\"", rows[i].colour);

		expect(rows[i].code, words);
		read_output(path);
		has("\"schemaVersion\": 1");
		has("\"label\": \"performance\"");
		has(message);
		has(colour);
		free(words);
		free(message);
		free(colour);
	}
	free(path);
	expect(4, "gate --baseline base.json --badge /nonexistent/x.json same.json");
}

/* Other systems beside ours: those that are ahead are marked, and what they do not do is said. */
UNIT_TEST(peers)
{
	static const char peer[] = "{\"schema\":\"hbench-peer-1\",\"peer\":\"L4\",\"title\":\"L4 one\",\"version\":"
				   "\"1.0\",\"date\":\"2024-01-01\",\"machine\":\"n\",\"beside\":[\"m\"],\"metric\":"
				   "\"instructions\",\"how\":\"by hand\",\"differs\":\"it does <less>\",\"cases\":"
				   "{\"ipc/null\":39,\"ipc/call_reply_cross/words:0\":300}}";
	char *path = in_folder("peers.html");

	write_file("peer.json", peer, sizeof(peer) - 1);
	expect(0, "show --peers peer.json base.json");
	has("L4 one");
	has("  !39\n");
	has("  300\n");
	has("ahead in 1 of 2 cases. It differs: it does <less>.");
	has("Measured on n, where paths may differ");
	expect(0, "show base.json");
	lacks("L4");
	expect(0, "show --peers peer.json ticks.json");
	lacks("L4");
	expect(0, "compare --peers peer.json base.json worse.json");
	has("  !39\n");
	expect(0, "compare --markdown --peers peer.json base.json worse.json");
	has("| !39 |");
	has("- L4 1.0: ahead in 1 of 2 cases");
	expect(0, "report --no-db --peers peer.json -o peers.html worse.json");
	read_output(path);
	has("<td class=\"number bad\">39</td>");
	has("<td class=\"number dim\">300</td>");
	has("it does &lt;less&gt;");
	expect(0, "report --no-db --baseline base.json --peers peer.json -o peers.html worse.json");
	read_output(path);
	has("<td class=\"number bad\">39</td>");
	expect(4, "show --peers base.json base.json");
	has("hbench-peer-1");
	expect(4, "compare --peers nothing.json base.json worse.json");
	expect(4, "report --no-db --peers nothing.json base.json");
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compare_several),
		cmocka_unit_test(gate_in_a_hurry),
		cmocka_unit_test(badge),
		cmocka_unit_test(peers),
	};

	return cmocka_run_group_tests(tests, make_results, tear_down);
}
