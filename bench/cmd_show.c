/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verbs.h"

#include "report.h"

#include <argp.h>

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const char **file = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (*file)
			argp_error(state, "only one file can be given");
		*file = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a result file is needed");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.parser = parse,
	.args_doc = "FILE",
	.doc = "Print a result as a table."
	       "\vExamples:\n"
	       "  hbench show new.json\n"
	       "  hbench show results/qemu-icount-max/ipc.json\n",
};

int cmd_show(int argc, char **argv)
{
	const char *file = NULL;
	struct suite storage = {0};
	struct result result;
	struct error error;

	argp_parse(&argp, argc, argv, 0, NULL, &file);
	if (!result_load(&result, file, &error)) {
		complain("%s", error.text);
		return EXIT_RUN_INVALID;
	}
	report_result(stdout, &result, verb_suite_of(&result, &storage));
	suite_free(&storage);
	result_free(&result);
	return 0;
}
