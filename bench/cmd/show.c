/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `hbench show`: a result as a table. */
#include "cmd/verbs.h"
#include "host/error.h"
#include "host/exit_code.h"
#include "report/report.h"

#include <stdio.h>

static struct {
	const char *peers;
	bool warnings, findings;
} o;

static const struct option_spec options[] = {
	OPTION_PEERS(o.peers),
	{"warnings", 'w', OPTION_FLAG, NULL, "Print each warning instead of the worst of each kind", &o.warnings, 0,
	 0, NULL},
	{"findings", 'f', OPTION_FLAG, NULL,
	 "Print all that the probe found out about the machine, and not only what is in the way", &o.findings, 0, 0,
	 NULL},
	OPTION_END,
};

static int show(const char *file, const struct report_style *style)
{
	struct suite storage = {0};
	struct result result;
	struct error error;

	if (!result_load(&result, file, &error)) {
		complain("%s", error.text);
		return EXIT_RUN_INVALID;
	}
	report_result(stdout, &result, verb_suite_of(&result, &storage), style);
	suite_free(&storage);
	result_free(&result);
	return 0;
}

static int run(char **args, unsigned count)
{
	struct peers peers;
	struct report_style style = {.peers = &peers, .all_warnings = o.warnings, .all_findings = o.findings};
	int code = EXIT_RUN_INVALID;

	(void)count;
	if (verb_peers(&peers, o.peers))
		code = show(args[0], &style);
	peers_free(&peers);
	return code;
}

const struct verb verb_show = {
	.name = "show",
	.summary = "print a result",
	.args = "FILE",
	.doc = "Print a result as a table.",
	.examples = "  hbench show new.json\n"
		    "  hbench show results/qemu-icount-max/ipc.json\n"
		    "  hbench show --peers results/peers new.json\n"
		    "  hbench show probe.json\n",
	.options = options,
	.args_min = 1,
	.args_max = 1,
	.args_needed = "one result file is needed",
	.run = run,
};
