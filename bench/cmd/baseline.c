/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `hbench baseline`: which baselines there are, and new ones with their reason. */
#include "cmd/verbs.h"
#include "host/clock.h"
#include "host/exit_code.h"
#include "host/file.h"
#include "host/json_file.h"
#include "host/mem.h"
#include "host/table.h"
#include "report/report.h"
#include "result/baseline.h"

#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	const char *folder, *reason, *revision;
	bool allow_missing;
} o = {.folder = "results"};

static const struct option_spec options[] = {
	{"results", 'd', OPTION_TEXT, "DIR", "Folder of baselines (results)", &o.folder, 0, 0, NULL},
	{"reason", 0, OPTION_TEXT, "TEXT", "Why the baseline changes; needed when it replaces one with other numbers",
	 &o.reason, 0, 0, NULL},
	{"git-revision", 0, OPTION_TEXT, "REV", "Revision that was measured", &o.revision, 0, 0, NULL},
	{"allow-missing", 0, OPTION_FLAG, NULL, "Accept a result without some of the old baseline's benchmarks",
	 &o.allow_missing, 0, 0, NULL},
	OPTION_END,
};

static json_t *origin(const struct result *old)
{
	static const char *const keys[] = {"date", "kernel_sha256", "roottask_sha256", "git_revision"};
	json_t *object = json_object();

	for (size_t i = 0; i < array_size(keys); i++)
		if (*result_text(old, keys[i]))
			json_object_set_new(object, keys[i], json_string(result_text(old, keys[i])));
	return object;
}

static void note_provenance(struct result *result, const struct result *old)
{
	json_t *provenance = json_object();
	char date[32];

	clock_date(date);
	json_object_set_new(provenance, "recorded", json_string(date));
	json_object_set_new(provenance, "reason", json_file_string(o.reason ? o.reason : "first baseline"));
	if (old->context)
		json_object_set_new(provenance, "replaces", origin(old));
	json_object_set_new(result->context, "provenance", provenance);
	if (o.revision)
		result_set_text(result, "git_revision", o.revision);
}

/* What the old baseline demands of its successor. */
static bool check_successor(const struct comparison *c, struct error *error)
{
	if (c->tally[VERDICT_MISSING] && !o.allow_missing)
		return error_set(error,
				 "%zu benchmarks of the old baseline are missing (--allow-missing takes it anyway)",
				 c->tally[VERDICT_MISSING]);
	if (c->tally[VERDICT_SAME] != c->count && !o.reason)
		return error_set(error, "the numbers change: say why with --reason");
	return true;
}

static bool show_change(const struct result *old, const struct result *result, struct error *error)
{
	struct suite storage = {0};
	struct comparison c;
	bool good;

	if (!compare_results(&c, old, result, verb_suite_of(result, &storage), error)) {
		suite_free(&storage);
		return false;
	}
	report_comparison(stdout, &c, NULL);
	good = check_successor(&c, error);
	compare_free(&c);
	suite_free(&storage);
	return good;
}

static bool store(struct result *result, const char *path, struct error *error)
{
	struct result old = {0};
	char *folder = xstrdup(path);
	bool good;

	*strrchr(folder, '/') = '\0';
	if (result_traced(result)) {
		free(folder);
		return error_set(error,
				 "the kernel was traced meanwhile, which takes time of its own: measure it again "
				 "without --trace");
	}
	good = access(path, F_OK) || (result_load(&old, path, error) && show_change(&old, result, error));
	if (good) {
		note_provenance(result, &old);
		good = file_make_folders(folder, error) && result_save(result, path, error);
	}
	result_free(&old);
	free(folder);
	return good;
}

static bool update_one(const char *file)
{
	struct result result;
	struct error error;
	char *path = NULL;
	bool good = result_load(&result, file, &error);

	if (good) {
		path = baseline_path(o.folder, &result);
		good = path ? store(&result, path, &error)
			    : error_set(&error, "%s: machine or suite are no names for files", file);
	}
	if (good)
		printf("recorded: %s\n", path);
	else
		complain("%s", error.text);
	free(path);
	result_free(&result);
	return good;
}

static void list_row(struct table *table, const char *path)
{
	struct result result;
	struct error error;

	if (baseline_is_peer(path))
		return;
	if (!result_load(&result, path, &error)) {
		complain("%s", error.text);
		return;
	}
	json_t *provenance = json_object_get(result.context, "provenance");
	const char *reason = json_string_value(json_object_get(provenance, "reason"));

	table_cell(table, COLOUR_NONE, "%s", baseline_name(&result));
	table_cell(table, COLOUR_NONE, "%s", result_text(&result, "suite"));
	table_cell(table, COLOUR_NONE, "%zu", result.count);
	table_cell(table, COLOUR_NONE, "%s", result_text(&result, "date"));
	table_cell(table, COLOUR_NONE, "%.12s", result_text(&result, "git_revision"));
	table_cell(table, COLOUR_NONE, "%s", reason ? reason : "");
	result_free(&result);
}

static int list(void)
{
	static const char *const titles[] = {"machine", "suite", ">cases", "measured", "revision", "reason", NULL};
	struct table *table = table_create(titles);
	char *pattern = xasprintf("%s/*/*.json", o.folder);
	glob_t found = {0};

	if (!glob(pattern, 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			list_row(table, found.gl_pathv[i]);
		table_print(table, stdout, table_wants_colour(stdout));
	} else {
		printf("No baselines in %s yet.\n", o.folder);
	}
	globfree(&found);
	free(pattern);
	table_free(table);
	return 0;
}

static int update(char **files)
{
	bool good = true;

	for (; *files; files++)
		good = update_one(*files) && good;
	return good ? EXIT_SAME_OR_BETTER : EXIT_RUN_INVALID;
}

static int run(char **args, unsigned count)
{
	if (!strcmp(args[0], "list") && count == 1)
		return list();
	if (!strcmp(args[0], "update") && count > 1)
		return update(args + 1);
	verb_usage(&verb_baseline, "say `list`, or `update` with results");
}

const struct verb verb_baseline = {
	.name = "baseline",
	.summary = "record results as baselines, or list those there are",
	.args = "update RESULT...\nlist",
	.doc = "Record results as baselines in DIR/<machine>/<suite>.json, with where they come from and why, or "
	       "list "
	       "the baselines there are.",
	.examples = "  hbench baseline update --reason \"first numbers\" new.json\n"
		    "  hbench baseline update --reason \"shorter call path\" --git-revision $(git rev-parse HEAD) "
		    "new.json\n"
		    "  hbench baseline list\n",
	.options = options,
	.args_min = 1,
	.args_max = UINT32_MAX,
	.args_needed = "say `list`, or `update` with results",
	.run = run,
};
