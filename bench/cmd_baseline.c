/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verbs.h"

#include "baseline.h"
#include "report.h"
#include "table.h"

#include <argp.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_ALLOW_MISSING = 256, KEY_REVISION, KEY_REASON };

struct options {
	const char *action, *folder, *reason, *revision;
	char **files;
	size_t count;
	bool allow_missing;
};

static const struct argp_option known[] = {
	{"results", 'd', "DIR", 0, "Folder of baselines (results)", 0},
	{"reason", KEY_REASON, "TEXT", 0, "Why the baseline changes; needed when it replaces one with other numbers",
	 0},
	{"git-revision", KEY_REVISION, "REV", 0, "Revision that was measured", 0},
	{"allow-missing", KEY_ALLOW_MISSING, NULL, 0, "Accept a result without some of the old baseline's benchmarks",
	 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'd':
		o->folder = arg;
		return 0;
	case KEY_REASON:
		o->reason = arg;
		return 0;
	case KEY_REVISION:
		o->revision = arg;
		return 0;
	case KEY_ALLOW_MISSING:
		o->allow_missing = true;
		return 0;
	case ARGP_KEY_ARGS:
		o->action = state->argv[state->next];
		o->files = state->argv + state->next + 1;
		o->count = (size_t)(state->argc - state->next - 1);
		return 0;
	case ARGP_KEY_END:
		if (!o->action || (strcmp(o->action, "update") && strcmp(o->action, "list")))
			argp_error(state, "say `update` or `list`");
		if (!strcmp(o->action, "update") == !o->count)
			argp_error(state, o->count ? "`list` takes no files" : "`update` needs a result");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = known,
	.parser = parse,
	.args_doc = "update RESULT...\nlist",
	.doc = "Record results as baselines in DIR/<machine>/<suite>.json, with where they come from and why, or "
	       "list the "
	       "baselines there are."
	       "\vExamples:\n"
	       "  hbench baseline update --reason \"first numbers\" new.json\n"
	       "  hbench baseline update --reason \"shorter call path\" --git-revision $(git rev-parse HEAD) "
	       "new.json\n"
	       "  hbench baseline list\n",
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

static void note_provenance(struct result *result, const struct options *o, const struct result *old)
{
	json_t *provenance = json_object();
	char date[32];

	date_now(date);
	json_object_set_new(provenance, "recorded", json_string(date));
	json_object_set_new(provenance, "reason", result_string(o->reason ? o->reason : "first baseline"));
	if (old->context)
		json_object_set_new(provenance, "replaces", origin(old));
	json_object_set_new(result->context, "provenance", provenance);
	if (o->revision)
		result_set_text(result, "git_revision", o->revision);
}

/* What the old baseline demands of its successor. */
static bool check_successor(const struct options *o, const struct comparison *c, struct error *error)
{
	if (c->tally[VERDICT_MISSING] && !o->allow_missing)
		return error_set(error,
				 "%zu benchmarks of the old baseline are missing (--allow-missing takes it anyway)",
				 c->tally[VERDICT_MISSING]);
	if (c->tally[VERDICT_SAME] != c->count && !o->reason)
		return error_set(error, "the numbers change: say why with --reason");
	return true;
}

static bool show_change(const struct options *o, const struct result *old, const struct result *result,
			struct error *error)
{
	struct suite storage = {0};
	struct comparison c;
	bool good;

	if (!compare_results(&c, old, result, verb_suite_of(result, &storage), error)) {
		suite_free(&storage);
		return false;
	}
	report_comparison(stdout, &c);
	good = check_successor(o, &c, error);
	compare_free(&c);
	suite_free(&storage);
	return good;
}

static bool store(const struct options *o, struct result *result, const char *path, struct error *error)
{
	struct result old = {0};
	char *folder = xstrdup(path);
	bool good;

	*strrchr(folder, '/') = '\0';
	good = access(path, F_OK) || (result_load(&old, path, error) && show_change(o, &old, result, error));
	if (good) {
		note_provenance(result, o, &old);
		good = make_folders(folder, error) && result_save(result, path, error);
	}
	result_free(&old);
	free(folder);
	return good;
}

static bool update_one(const struct options *o, const char *file)
{
	struct result result;
	struct error error;
	char *path = NULL;
	bool good = result_load(&result, file, &error);

	if (good) {
		path = baseline_path(o->folder, &result);
		good = path ? store(o, &result, path, &error)
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

	if (!result_load(&result, path, &error)) {
		complain("%s", error.text);
		return;
	}
	json_t *provenance = json_object_get(result.context, "provenance");
	const char *reason = json_string_value(json_object_get(provenance, "reason"));

	table_cell(table, COLOUR_NONE, "%s", result_text(&result, "machine"));
	table_cell(table, COLOUR_NONE, "%s", result_text(&result, "suite"));
	table_cell(table, COLOUR_NONE, "%zu", result.count);
	table_cell(table, COLOUR_NONE, "%s", result_text(&result, "date"));
	table_cell(table, COLOUR_NONE, "%.12s", result_text(&result, "git_revision"));
	table_cell(table, COLOUR_NONE, "%s", reason ? reason : "");
	result_free(&result);
}

static int list(const struct options *o)
{
	static const char *const titles[] = {"machine", "suite", ">cases", "measured", "revision", "reason", NULL};
	struct table *table = table_create(titles);
	char *pattern = xasprintf("%s/*/*.json", o->folder);
	glob_t found = {0};

	if (!glob(pattern, 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			list_row(table, found.gl_pathv[i]);
		table_print(table, stdout, want_colour(stdout));
	} else {
		printf("No baselines in %s yet.\n", o->folder);
	}
	globfree(&found);
	free(pattern);
	table_free(table);
	return 0;
}

int cmd_baseline(int argc, char **argv)
{
	struct options o = {.folder = "results"};
	bool good = true;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (!strcmp(o.action, "list"))
		return list(&o);
	for (size_t i = 0; i < o.count; i++)
		good = update_one(&o, o.files[i]) && good;
	return good ? EXIT_SAME_OR_BETTER : EXIT_RUN_INVALID;
}
