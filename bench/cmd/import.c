/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `hbench import`: results from recorded consoles and from Google Benchmark. */
#include "cmd/verbs.h"
#include "host/error.h"
#include "host/exit_code.h"
#include "host/mem.h"
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
#include <sys/stat.h>

static struct {
	const char *format, *machine, *metric, *suite, *output, *revision, *boot, *probe;
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
	{"boot", 'b', OPTION_TEXT, "N|last", "Take only this boot of each log (all)", &o.boot, 0, 0, "last"},
	{"git-revision", 'g', OPTION_TEXT, "REV", "Revision to note in the result", &o.revision, 0, 0, NULL},
	{"output", 'o', OPTION_TEXT, "FILE", "Result file (hbench-result.json)", &o.output, 0, 0, NULL},
	OPTION_PROBE(o.probe),
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

/* What has been imported, and what it is told by that a boot is the same as one before. */
struct import {
	struct result result;
	char **keys, **names;
	unsigned boots;
};

/*
 * Times are never twice the same, so what a boot reported tells boots apart. Counts are the same in each boot, and
 * the same only if it is the same place in the same file.
 */
static char *boot_key(const struct session_log *log, const char *path, size_t boot, struct error *error)
{
	struct stat file = {0};
	char hash[65];

	if (!metric_find(o.metric)->exact)
		return session_log_hash(log, boot, hash, error) ? xstrdup(hash) : NULL;
	if (!stat(path, &file))
		return xasprintf("%ju:%ju:%zu", (uintmax_t)file.st_dev, (uintmax_t)file.st_ino, boot);
	error_store(error, "cannot look at it");
	return NULL;
}

/* False when the boot is there already. */
static bool note_boot(struct import *import, char *key, const char *name, struct error *error)
{
	for (unsigned i = 0; i < import->boots; i++)
		if (!strcmp(import->keys[i], key)) {
			free(key);
			return error_set(error, "it is the same boot as %s, and a boot counts once",
					 import->names[i]);
		}
	import->keys = xreallocarray(import->keys, import->boots + 1, sizeof(*import->keys));
	import->names = xreallocarray(import->names, import->boots + 1, sizeof(*import->names));
	import->keys[import->boots] = key;
	import->names[import->boots++] = xstrdup(name);
	return true;
}

static bool collect(struct import *import, struct session *session, char *key, const char *name, struct error *error)
{
	if (!import->result.context)
		collect_start(&import->result, session, o.machine, o.metric);
	return note_boot(import, key, name, error) && collect_add(&import->result, session, error);
}

static bool add_boot(struct import *import, const struct session_log *log, const char *path, size_t boot)
{
	char *name = log->boots > 1 ? xasprintf("%s, boot %zu of %zu", path, boot + 1, log->boots) : xstrdup(path);
	struct session session;
	struct error error;
	bool good = false;
	char *key;

	session_init(&session, o.suite, !metric_find(o.metric)->exact);
	session_log_play(log, boot, &session);
	if (session.fault != FAULT_NONE) {
		if (log->boots > 1)
			complain("%s (--boot takes one only):", name);
		collect_complain(&session, path);
	} else {
		session_note_seals(&session);
		key = boot_key(log, path, boot, &error);
		good = key && collect(import, &session, key, name, &error);
		if (!good)
			complain("%s: %s", name, error.text);
	}
	session_free(&session);
	free(name);
	return good;
}

/* The boots of a log that were asked for: from *from to before *to. */
static bool choose(const struct session_log *log, const char *path, size_t *from, size_t *to)
{
	unsigned long number = o.boot ? strtoul(o.boot, NULL, 10) : 0;

	*from = 0;
	*to = log->boots;
	if (!o.boot)
		return true;
	if (!strcmp(o.boot, "last"))
		number = log->boots;
	if (number > log->boots) {
		complain("%s has no boot %lu: it holds %zu", path, number, log->boots);
		return false;
	}
	*from = number - 1;
	*to = number;
	return true;
}

static bool add_log(struct import *import, const char *path)
{
	struct session_log log;
	struct error error;
	size_t boot, end;
	bool good;

	if (!session_log_open(&log, path, &error)) {
		complain("%s", error.text);
		return false;
	}
	for (good = choose(&log, path, &boot, &end); good && boot < end; boot++)
		good = add_boot(import, &log, path, boot);
	session_log_close(&log);
	return good;
}

static int save(struct result *result)
{
	struct suite storage = {0};
	struct error error;

	if (!verb_take_probe(o.probe, result))
		return EXIT_RUN_INVALID;
	if (!result_save(result, o.output, &error)) {
		complain("%s", error.text);
		return EXIT_RUN_INVALID;
	}
	if (!verb_keep(&o.storage, result))
		return EXIT_RUN_INVALID;
	report_result(stdout, result, verb_suite_of(result, &storage), NULL);
	suite_free(&storage);
	return EXIT_SAME_OR_BETTER;
}

static void import_free(struct import *import)
{
	for (unsigned i = 0; i < import->boots; i++) {
		free(import->keys[i]);
		free(import->names[i]);
	}
	free(import->keys);
	free(import->names);
	result_free(&import->result);
}

static int import_logs(char **logs, unsigned count)
{
	struct import import = {0};
	bool good = true;
	int code = EXIT_RUN_INVALID;

	for (unsigned i = 0; i < count && good; i++)
		good = add_log(&import, logs[i]);
	if (good) {
		collect_finish(&import.result, o.revision, import.boots);
		code = save(&import.result);
	}
	import_free(&import);
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
	if (o.boot && strcmp(o.boot, "last") &&
	    (strspn(o.boot, "0123456789") != strlen(o.boot) || !strtoul(o.boot, NULL, 10)))
		verb_usage(&verb_import, "--boot is a number from 1, or `last`");
	if ((o.boot || o.probe) && !logs)
		verb_usage(&verb_import, "--boot and --probe are for console logs");
	if (!metric_find(o.metric))
		verb_usage(&verb_import, "`%s` is not a metric; there are instructions and ticks", o.metric);
}

static int run(char **args, unsigned count)
{
	bool logs = !strcmp(o.format, "log");

	if (!logs && strcmp(o.format, "google-benchmark"))
		verb_usage(&verb_import, "`%s` is not a format; there are log and google-benchmark", o.format);
	/* Before it asks for what only logs need. */
	for (unsigned i = 0; logs && i < count; i++)
		if (complain_of_json(args[i]))
			return EXIT_RUN_INVALID;
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
	       "real machine; a log may hold several boots, and each boot counts once; or from what a program with "
	       "Google Benchmark wrote, each repetition "
	       "one boot, in however many files.",
	.examples = "  hbench import --machine nuc11 -o new.json boot1.log boot2.log boot3.log\n"
		    "  hbench import --machine nuc11 --boot last -o new.json console.log\n"
		    "  hbench import --machine qemu-icount-max --metric instructions old.log\n"
		    "  hbench import --format google-benchmark --suite micro -o micro.json benchmark.json\n"
		    "  hbench import --format google-benchmark -o micro.json monday.json tuesday.json\n",
	.options = options,
	.args_min = 1,
	.args_max = UINT32_MAX,
	.args_needed = "at least one log is needed",
	.run = run,
};
