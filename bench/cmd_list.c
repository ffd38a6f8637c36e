/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verbs.h"

#include "table.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

struct options {
	const char *suite;
	bool names;
};

static const struct argp_option known[] = {
	{"names", 'n', NULL, 0, "Print only the full names, one per line", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'n':
		o->names = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->suite)
			argp_error(state, "only one suite can be given");
		o->suite = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = known,
	.parser = parse,
	.args_doc = "[SUITE]",
	.doc = "Show suites and their cases: what each measures, and the project's goal for it in executed "
	       "instructions."
	       "\vExamples:\n"
	       "  hbench list\n"
	       "  hbench list ipc --names | grep delegate\n",
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
	table_print(table, stdout, want_colour(stdout));
	table_free(table);
	puts("\ngoal: executed instructions per operation, minimum, user side included.");
}

static int list_one(const char *name, bool only_names)
{
	struct suite suite;
	struct error error;

	if (!suite_load(&suite, name, &error)) {
		complain("%s", error.text);
		return EXIT_USAGE;
	}
	if (only_names)
		print_names(&suite);
	else
		print_suite(&suite);
	suite_free(&suite);
	return 0;
}

int cmd_list(int argc, char **argv)
{
	struct options o = {0};
	struct error error;
	char **names;
	int code = 0;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (o.suite)
		return list_one(o.suite, o.names);
	names = suite_names(&error);
	if (!names) {
		complain("%s", error.text);
		return EXIT_USAGE;
	}
	for (char **name = names; *name && !code; name++)
		code = list_one(*name, o.names);
	strings_free(names);
	return code;
}
