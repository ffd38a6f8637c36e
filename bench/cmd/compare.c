/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `hbench compare`: two results side by side. */
#include "cmd/verbs.h"
#include "host/error.h"
#include "host/exit_code.h"
#include "report/report.h"
#include "stats/machine_identity.h"

#include <stddef.h>
#include <stdio.h>

static struct {
	bool markdown;
	const char *peers;
} o;

static const struct option_spec options[] = {
	{"markdown", 'm', OPTION_FLAG, NULL, "Print Markdown", &o.markdown, 0, 0, NULL},
	OPTION_PEERS(o.peers),
	OPTION_END,
};

static int compare_loaded(const struct result *a, const struct result *b, const struct report_style *style)
{
	struct suite storage = {0};
	struct comparison comparison;
	struct error error;
	int code = 0;

	if (!machine_identity_same(a, b, &error))
		complain("note: %s", error.text);
	if (!compare_results(&comparison, a, b, verb_suite_of(b, &storage), &error)) {
		complain("%s", error.text);
		code = EXIT_RUN_INVALID;
	} else if (o.markdown) {
		report_markdown(stdout, &comparison, style);
	} else {
		report_comparison(stdout, &comparison, style);
	}
	compare_free(&comparison);
	suite_free(&storage);
	return code;
}

static int compare_files(char **args, const struct report_style *style)
{
	struct result a = {0}, b = {0};
	struct error error;
	int code = EXIT_RUN_INVALID;

	if (result_load(&a, args[0], &error) && result_load(&b, args[1], &error))
		code = compare_loaded(&a, &b, style);
	else
		complain("%s", error.text);
	result_free(&a);
	result_free(&b);
	return code;
}

static int run(char **args, unsigned count)
{
	struct peers peers;
	struct report_style style = {.peers = &peers};
	int code = EXIT_RUN_INVALID;

	(void)count;
	if (verb_peers(&peers, o.peers))
		code = compare_files(args, &style);
	peers_free(&peers);
	return code;
}

const struct verb verb_compare = {
	.name = "compare",
	.summary = "print two results side by side",
	.args = "A B",
	.doc = "Print two results side by side: A is the old one, B the new one. It informs and does not judge: the "
	       "exit code is 0 whatever the difference (`hbench gate` judges).",
	.examples = "  hbench compare results/qemu-icount-max/ipc.json new.json\n"
		    "  hbench compare --markdown old.json new.json > change.md\n",
	.options = options,
	.args_min = 2,
	.args_max = 2,
	.args_needed = "two result files are needed",
	.run = run,
};
