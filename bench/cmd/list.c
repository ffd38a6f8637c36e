/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `hbench list`: suites and their cases. */
#include "cmd/verbs.h"
#include "host/error.h"
#include "host/exit_code.h"
#include "host/mem.h"
#include "host/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	bool names, suites;
} o;

static const struct option_spec options[] = {
	{"names", 'n', OPTION_FLAG, NULL, "Print only the full names, one per line", &o.names, 0, 0, NULL},
	{"suites", 0, OPTION_FLAG, NULL, "Print only the names of the suites", &o.suites, 0, 0, NULL},
	OPTION_END,
};

static void print_names(const struct suite *suite)
{
	for (size_t i = 0; i < suite->count; i++)
		puts(suite->cases[i].name);
}

static void print_suite(const struct suite *suite)
{
	static const char *const titles[] = {"case", ">goal", "meaning", NULL};
	struct table *table = table_create(titles);
	const char *before = "";

	printf("%s: %s\n\n", suite->name, suite->title);
	for (size_t i = 0; i < suite->count; i++) {
		const struct suite_case *c = &suite->cases[i];
		char goal[32];

		table_cell(table, COLOUR_NONE, "%s", c->name + strlen(suite->name) + 1);
		suite_goal_text(c->goal, goal);
		table_cell(table, COLOUR_NONE, "%s", c->has_goal ? goal : "");
		table_cell(table, COLOUR_DIM, "%s", strcmp(before, c->meaning) ? c->meaning : "");
		before = c->meaning;
	}
	table_print(table, stdout, table_wants_colour(stdout));
	table_free(table);
	puts("\ngoal: executed instructions per operation, minimum, user side included.");
}

static int list_one(const char *name)
{
	struct suite suite;
	struct error error;

	if (!suite_load(&suite, name, &error)) {
		complain("%s", error.text);
		return EXIT_USAGE;
	}
	if (o.names)
		print_names(&suite);
	else
		print_suite(&suite);
	suite_free(&suite);
	return 0;
}

static int run(char **args, unsigned count)
{
	struct error error;
	char **names;
	int code = 0;

	if (count)
		return list_one(args[0]);
	names = suite_names(&error);
	if (!names) {
		complain("%s", error.text);
		return EXIT_USAGE;
	}
	for (char **name = names; *name && !code; name++) {
		if (o.suites)
			puts(*name);
		else
			code = list_one(*name);
	}
	strings_free(names);
	return code;
}

const struct verb verb_list = {
	.name = "list",
	.summary = "show suites and cases, with what they mean and their goals",
	.args = "[SUITE]",
	.args_words = "$(hbench list --suites 2>/dev/null)",
	.doc = "Show suites and their cases: what each measures, and the project's goal for it in executed "
	       "instructions.",
	.examples = "  hbench list\n"
		    "  hbench list ipc --names | grep delegate\n",
	.options = options,
	.args_max = 1,
	.args_needed = "only one suite can be given",
	.run = run,
};
