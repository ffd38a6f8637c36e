/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verbs.h"

#include "report.h"

#include <argp.h>

struct options {
	const char *files[2];
	size_t count;
	bool markdown;
};

static const struct argp_option known[] = {
	{"markdown", 'm', NULL, 0, "Print Markdown", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'm':
		o->markdown = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->count == array_size(o->files))
			argp_error(state, "only two files can be compared");
		o->files[o->count++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (o->count != array_size(o->files))
			argp_error(state, "two result files are needed");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = known,
	.parser = parse,
	.args_doc = "A B",
	.doc = "Print two results side by side: A is the old one, B the new one. It informs and does not judge: the "
	       "exit "
	       "code is 0 whatever the difference (`hbench gate` judges)."
	       "\vExamples:\n"
	       "  hbench compare results/qemu-icount-max/ipc.json new.json\n"
	       "  hbench compare --markdown old.json new.json > change.md\n",
};

static int compare_loaded(const struct options *o, const struct result *a, const struct result *b)
{
	struct suite storage = {0};
	struct comparison comparison;
	struct error error;
	int code = 0;

	if (!compare_same_machine(a, b, &error))
		complain("note: %s", error.text);
	if (!compare_results(&comparison, a, b, verb_suite_of(b, &storage), &error)) {
		complain("%s", error.text);
		code = EXIT_RUN_INVALID;
	} else if (o->markdown) {
		report_markdown(stdout, &comparison);
	} else {
		report_comparison(stdout, &comparison);
	}
	compare_free(&comparison);
	suite_free(&storage);
	return code;
}

int cmd_compare(int argc, char **argv)
{
	struct options o = {0};
	struct result a = {0}, b = {0};
	struct error error;
	int code = EXIT_RUN_INVALID;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (result_load(&a, o.files[0], &error) && result_load(&b, o.files[1], &error))
		code = compare_loaded(&o, &a, &b);
	else
		complain("%s", error.text);
	result_free(&a);
	result_free(&b);
	return code;
}
