/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `hbench show`: a result as a table. */
#include "cmd/verbs.h"
#include "host/error.h"
#include "host/exit_code.h"
#include "report/report.h"

#include <stdio.h>

static int run(char **args, unsigned count)
{
	struct suite storage = {0};
	struct result result;
	struct error error;

	(void)count;
	if (!result_load(&result, args[0], &error)) {
		complain("%s", error.text);
		return EXIT_RUN_INVALID;
	}
	report_result(stdout, &result, verb_suite_of(&result, &storage));
	suite_free(&storage);
	result_free(&result);
	return 0;
}

const struct verb verb_show = {
	.name = "show",
	.summary = "print a result",
	.args = "FILE",
	.doc = "Print a result as a table.",
	.examples = "  hbench show new.json\n"
		    "  hbench show results/qemu-icount-max/ipc.json\n",
	.args_min = 1,
	.args_max = 1,
	.args_needed = "one result file is needed",
	.run = run,
};
