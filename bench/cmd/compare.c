/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `hbench compare`: two results side by side. */
#include "cmd/threshold_options.h"
#include "cmd/verbs.h"
#include "host/error.h"
#include "host/exit_code.h"
#include "report/report.h"
#include "stats/machine_identity.h"

#include <stddef.h>
#include <stdio.h>

static struct {
	struct threshold_options thresholds;
	bool markdown;
} o;

static const struct option_spec options[] = {
	{"markdown", 'm', OPTION_FLAG, NULL, "Print Markdown", &o.markdown, 0, 0, NULL},
	OPTIONS_THRESHOLD(o.thresholds),
	OPTION_END,
};

static int print(const struct result *a, const struct result *b, const struct suite *suite)
{
	struct comparison comparison;
	struct error error;
	int code = 0;

	if (!machine_identity_same(a, b, &error))
		complain("note: %s", error.text);
	if (!compare_results(&comparison, a, b, suite, &error)) {
		complain("%s", error.text);
		code = EXIT_RUN_INVALID;
	} else if (o.markdown) {
		report_markdown(stdout, &comparison);
	} else {
		report_comparison(stdout, &comparison);
	}
	compare_free(&comparison);
	return code;
}

static int compare_loaded(const struct result *a, const struct result *b)
{
	const struct suite *suite;
	struct suite storage;
	struct error error;
	int code = EXIT_USAGE;

	if (threshold_options_suite(&o.thresholds, a, b, &storage, &suite, &error))
		code = print(a, b, suite);
	else
		complain("%s", error.text);
	suite_free(&storage);
	return code;
}

static int run(char **args, unsigned count)
{
	struct result a = {0}, b = {0};
	struct error error;
	int code = EXIT_RUN_INVALID;

	(void)count;
	if (result_load(&a, args[0], &error) && result_load(&b, args[1], &error))
		code = compare_loaded(&a, &b);
	else
		complain("%s", error.text);
	result_free(&a);
	result_free(&b);
	return code;
}

const struct verb verb_compare = {
	.name = "compare",
	.summary = "print two results side by side",
	.args = "A B",
	.doc = "Print two results side by side: A is the old one, B the new one. It informs and does not judge: the "
	       "exit code is 0 whatever the difference (`hbench gate` judges).",
	.examples = "  hbench compare results/qemu-icount-max/ipc.json new.json\n"
		    "  hbench compare --threshold 1 old.json new.json\n"
		    "  hbench compare --markdown old.json new.json > change.md\n",
	.options = options,
	.args_min = 2,
	.args_max = 2,
	.args_needed = "two result files are needed",
	.run = run,
};
