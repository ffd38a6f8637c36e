/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `hbench compare`: results side by side. */
#include "cmd/threshold_options.h"
#include "cmd/verbs.h"
#include "host/error.h"
#include "host/exit_code.h"
#include "report/report.h"
#include "report/report_several.h"
#include "stats/machine_identity.h"

#include <stddef.h>
#include <stdio.h>

static struct {
	struct threshold_options thresholds;
	bool markdown, changed_only;
	const char *peers;
} o;

static const struct option_spec options[] = {
	{"markdown", 'm', OPTION_FLAG, NULL, "Print Markdown", &o.markdown, 0, 0, NULL},
	OPTIONS_THRESHOLD(o.thresholds),
	{"changed-only", 0, OPTION_FLAG, NULL, "Show only what is not the same; the rest is counted", &o.changed_only,
	 0, 0, NULL},
	OPTION_PEERS(o.peers),
	OPTION_END,
};

/* A result, its suite and what A is against it. */
struct side {
	struct result result;
	struct suite storage;
	struct comparison comparison;
};

/* Of what went wrong: thresholds are words of the command line. */
static int code_of_error = EXIT_RUN_INVALID;

static bool compare_side(const struct result *a, struct side *side, struct error *error)
{
	const struct suite *suite;
	struct error note;

	if (!machine_identity_same(a, &side->result, &note))
		complain("note: %s", note.text);
	if (!threshold_options_suite(&o.thresholds, a, &side->result, &side->storage, &suite, error)) {
		code_of_error = EXIT_USAGE;
		return false;
	}
	return compare_results(&side->comparison, a, &side->result, suite, error);
}

static void print(const struct side *sides, size_t count, const struct report_style *style)
{
	struct comparison list[REPORT_SEVERAL_MAX];

	for (size_t i = 0; i < count; i++)
		list[i] = sides[i].comparison;
	if (count > 1)
		report_several(stdout, list, count, o.markdown, style);
	else if (o.markdown)
		report_markdown(stdout, list, style);
	else
		report_comparison(stdout, list, style);
}

static int compare_files(char **args, size_t count, const struct report_style *style)
{
	struct side sides[REPORT_SEVERAL_MAX] = {0};
	struct result a = {0};
	struct error error;
	bool good;

	code_of_error = EXIT_RUN_INVALID;
	good = result_load(&a, args[0], &error);

	for (size_t i = 0; i < count && good; i++)
		good = result_load(&sides[i].result, args[1 + i], &error) && compare_side(&a, &sides[i], &error);
	if (good)
		print(sides, count, style);
	else
		complain("%s", error.text);
	for (size_t i = 0; i < count; i++) {
		compare_free(&sides[i].comparison);
		suite_free(&sides[i].storage);
		result_free(&sides[i].result);
	}
	result_free(&a);
	return good ? 0 : code_of_error;
}

static int run(char **args, unsigned count)
{
	struct peers peers;
	struct report_style style = {.peers = &peers, .changed_only = o.changed_only};
	int code = EXIT_RUN_INVALID;

	if (o.peers && count > 2)
		verb_usage(&verb_compare, "--peers stand beside two results, not beside more");
	if (verb_peers(&peers, o.peers))
		code = compare_files(args, count - 1, &style);
	peers_free(&peers);
	return code;
}

const struct verb verb_compare = {
	.name = "compare",
	.summary = "print results side by side",
	.args = "A B...",
	.doc = "Print results side by side: A is the old one, with which B and up to six more are compared. It "
	       "informs and does not judge: the "
	       "exit code is 0 whatever the difference (`hbench gate` judges).",
	.examples = "  hbench compare results/qemu-icount-max/ipc.json new.json\n"
		    "  hbench compare --threshold 1 old.json new.json\n"
		    "  hbench compare --changed-only old.json try-1.json try-2.json\n"
		    "  hbench compare --markdown old.json new.json > change.md\n",
	.options = options,
	.args_min = 2,
	.args_max = 1 + REPORT_SEVERAL_MAX,
	.args_needed = "two result files are needed, or up to eight",
	.run = run,
};
