/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `hbench import`: results from recorded consoles and from Google Benchmark. */
#include "cmd/verbs.h"
#include "host/error.h"
#include "host/exit_code.h"
#include "measure/collect.h"
#include "measure/session_log.h"
#include "measure/target.h"
#include "report/report.h"
#include "result/google_benchmark.h"
#include "result/metric.h"
#include "result/name.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	const char *format, *machine, *metric, *suite, *output, *revision;
	struct verb_storage storage;
} o = {.format = "log", .metric = "ticks", .output = "hbench-result.json"};

static const struct option_spec options[] = {
	{"format", 'f', OPTION_TEXT, "log|google-benchmark",
	 "Console logs (log), or JSON files of a program with Google Benchmark", &o.format, 0, 0,
	 "log google-benchmark"},
	{"machine", 'm', OPTION_TEXT, "ID", "Machine the logs come from, such as x1-carbon-gen9; needed for logs",
	 &o.machine, 0, 0, NULL},
	{"metric", 'M', OPTION_TEXT, "ticks|instructions", "What the machine's time-stamp counter counts (ticks)",
	 &o.metric, 0, 0, "ticks instructions"},
	{"suite", 's', OPTION_TEXT, "NAME",
	 "Refuse logs of another suite; what else is imported gets this name (micro)", &o.suite, 0, 0, NULL},
	{"git-revision", 'g', OPTION_TEXT, "REV", "Revision to note in the result", &o.revision, 0, 0, NULL},
	{"output", 'o', OPTION_TEXT, "FILE", "Result file (hbench-result.json)", &o.output, 0, 0, NULL},
	OPTIONS_STORAGE(o.storage),
	OPTION_END,
};

/* What looks like JSON is no console. True after a message. */
static bool complain_of_json(const char *path)
{
	FILE *file = fopen(path, "r");
	char start[64] = "";
	size_t len = file ? fread(start, 1, sizeof(start) - 1, file) : 0;
	const char *first = start + strspn(start, " \t\r\n");

	if (file)
		fclose(file);
	if (!len || (*first != '{' && strncmp(first, "[{", 2)))
		return false;
	complain("%s is JSON and no console log: `--format google-benchmark` imports what a program with Google "
		 "Benchmark wrote; a result of hbench needs no import",
		 path);
	return true;
}

static bool add_log(struct result *result, const char *path)
{
	struct session session;
	struct error error;
	bool good = false;

	if (complain_of_json(path))
		return false;
	session_init(&session, o.suite, !metric_find(o.metric)->exact);
	if (!session_read_log(&session, path, &error)) {
		complain("%s", error.text);
	} else if (session.fault != FAULT_NONE) {
		collect_complain(&session, path);
	} else {
		if (!result->context)
			collect_start(result, &session, o.machine, o.metric);
		good = collect_add(result, &session, &error);
		if (!good)
			complain("%s: %s", path, error.text);
	}
	session_free(&session);
	return good;
}

static int save(struct result *result)
{
	struct suite storage = {0};
	struct error error;

	if (!result_save(result, o.output, &error)) {
		complain("%s", error.text);
		return EXIT_RUN_INVALID;
	}
	if (!verb_keep(&o.storage, result))
		return EXIT_RUN_INVALID;
	report_result(stdout, result, verb_suite_of(result, &storage));
	suite_free(&storage);
	return EXIT_SAME_OR_BETTER;
}

static int import_logs(char **logs, unsigned count)
{
	struct result result = {0};
	bool good = true;
	int code = EXIT_RUN_INVALID;

	for (unsigned i = 0; i < count && good; i++)
		good = add_log(&result, logs[i]);
	if (good) {
		collect_finish(&result, o.revision, count);
		code = save(&result);
	}
	result_free(&result);
	return code;
}

static int import_google(char **paths, unsigned count)
{
	struct result result;
	struct error error;
	int code;

	if (!google_import(&result, paths, count, o.suite ? o.suite : "micro", o.machine, &error)) {
		complain("%s", error.text);
		return EXIT_RUN_INVALID;
	}
	if (o.revision)
		result_set_text(&result, "git_revision", o.revision);
	code = save(&result);
	result_free(&result);
	return code;
}

static void check_options(bool logs)
{
	if (logs && !o.machine)
		verb_usage(&verb_import, "--machine is needed");
	if (o.machine && !target_id_valid(o.machine))
		verb_usage(&verb_import, "a machine's id has only letters, digits, `_`, `.` and `-`");
	if (o.suite && !name_valid(o.suite))
		verb_usage(&verb_import, "a suite's name is of a-z, 0-9 and _");
	if (!metric_find(o.metric))
		verb_usage(&verb_import, "`%s` is not a metric; there are instructions and ticks", o.metric);
}

static int run(char **args, unsigned count)
{
	bool logs = !strcmp(o.format, "log");

	if (!logs && strcmp(o.format, "google-benchmark"))
		verb_usage(&verb_import, "`%s` is not a format; there are log and google-benchmark", o.format);
	check_options(logs);
	if (logs)
		return import_logs(args, count);
	return import_google(args, count);
}

const struct verb verb_import = {
	.name = "import",
	.summary = "make a result from console logs, or from Google Benchmark's JSON",
	.args = "LOG...\n--format google-benchmark FILE...",
	.doc = "Make a result from console logs that were recorded elsewhere, for instance from the serial line of a "
	       "real machine, each log one boot; or from what a program with Google Benchmark wrote, each repetition "
	       "one boot, in however many files.",
	.examples = "  hbench import --machine nuc11 -o new.json boot1.log boot2.log boot3.log\n"
		    "  hbench import --machine qemu-icount-max --metric instructions old.log\n"
		    "  hbench import --format google-benchmark --suite micro -o micro.json benchmark.json\n"
		    "  hbench import --format google-benchmark -o micro.json monday.json tuesday.json\n",
	.options = options,
	.args_min = 1,
	.args_max = UINT32_MAX,
	.args_needed = "at least one log is needed",
	.run = run,
};
