/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verbs.h"

#include "collect.h"
#include "lines.h"
#include "report.h"
#include "verdict.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

enum { LOG_MAX = 1 << 30 };

struct options {
	const char *machine, *metric, *suite, *output, *revision;
	char **logs;
	unsigned count;
};

static const struct argp_option known[] = {
	{"machine", 'm', "ID", 0, "Machine the logs come from, such as x1-carbon-gen9; needed", 0},
	{"metric", 'M', "ticks|instructions", 0, "What the machine's time-stamp counter counts (ticks)", 0},
	{"suite", 's', "NAME", 0, "Refuse logs of another suite", 0},
	{"git-revision", 'g', "REV", 0, "Revision to note in the result", 0},
	{"output", 'o', "FILE", 0, "Result file (hbench-result.json)", 0},
	{0},
};

static bool fit_for_folder(const char *id)
{
	return *id && *id != '.' &&
	       !id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")];
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'm':
		o->machine = arg;
		if (!fit_for_folder(arg))
			argp_error(state, "a machine's id has only letters, digits, `_`, `.` and `-`");
		return 0;
	case 'M':
		o->metric = arg;
		if (!metric_find(arg))
			argp_error(state, "`%s` is not a metric; there are instructions and ticks", arg);
		return 0;
	case 's':
		o->suite = arg;
		return 0;
	case 'g':
		o->revision = arg;
		return 0;
	case 'o':
		o->output = arg;
		return 0;
	case ARGP_KEY_ARGS:
		o->logs = state->argv + state->next;
		o->count = (unsigned)(state->argc - state->next);
		return 0;
	case ARGP_KEY_END:
		if (!o->count || !o->machine)
			argp_error(state, "--machine and at least one log are needed");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = known,
	.parser = parse,
	.args_doc = "LOG...",
	.doc = "Make a result from console logs that were recorded elsewhere, for instance from the serial line of a "
	       "real "
	       "machine. Each log is one boot."
	       "\vExamples:\n"
	       "  hbench import --machine nuc11 -o new.json boot1.log boot2.log boot3.log\n"
	       "  hbench import --machine qemu-icount-max --metric instructions old.log\n",
};

static void on_line(void *context, const char *line, size_t len, bool cut)
{
	session_line(context, line, len, cut);
}

static bool read_log(const char *path, struct session *session, struct error *error)
{
	struct lines *lines = xcalloc(1, sizeof(*lines));
	size_t size;
	char *data = file_read(path, LOG_MAX, &size, error);

	if (data) {
		lines_feed(lines, data, size, on_line, session);
		lines_finish(lines, on_line, session);
		session_finish(session);
	}
	free(lines);
	free(data);
	return data;
}

static bool add_log(struct result *result, const struct options *o, const char *path)
{
	struct session session;
	struct error error;
	bool good = false;

	session_init(&session, o->suite);
	if (!read_log(path, &session, &error)) {
		complain("%s", error.text);
	} else if (session.fault != FAULT_NONE) {
		collect_complain(&session, path);
	} else {
		if (!result->context)
			collect_start(result, &session, o->machine, o->metric);
		good = collect_add(result, &session, &error);
		if (!good)
			complain("%s: %s", path, error.text);
	}
	session_free(&session);
	return good;
}

int cmd_import(int argc, char **argv)
{
	struct options o = {.metric = "ticks", .output = "hbench-result.json"};
	struct result result = {0};
	struct suite storage = {0};
	struct error error;
	bool good = true;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	for (unsigned i = 0; i < o.count && good; i++)
		good = add_log(&result, &o, o.logs[i]);
	if (good) {
		collect_finish(&result, o.revision, o.count);
		good = result_save(&result, o.output, &error);
		if (good)
			report_result(stdout, &result, verb_suite_of(&result, &storage));
		else
			complain("%s", error.text);
	}
	suite_free(&storage);
	result_free(&result);
	return good ? EXIT_SAME_OR_BETTER : EXIT_RUN_INVALID;
}
