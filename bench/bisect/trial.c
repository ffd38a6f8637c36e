/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bisect/trial.h"

#include "bisect/command.h"
#include "bisect/revisions.h"
#include "host/file.h"
#include "host/mem.h"
#include "measure/run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 32 + TEXTS_MAX, REASON_MAX = 4096 };

char *trial_path(const struct question *q, const char *revision, const char *name)
{
	return xasprintf("%s/%s/%s", q->folder, revision, name);
}

static bool there(const struct question *q, const char *revision, const char *name)
{
	char *path = trial_path(q, revision, name);
	bool is = !access(path, F_OK);

	free(path);
	return is;
}

/* --- skipping --- */

static enum trial_end skip(const struct question *q, const char *revision, const char *why, struct error *error)
{
	char *path = trial_path(q, revision, "skipped.txt");
	struct error ignored;

	if (!file_replace(path, why, strlen(why), &ignored))
		complain("%s", ignored.text);
	free(path);
	error_store(error, "%s", why);
	return TRIAL_SKIPPED;
}

static enum trial_end skipped_before(const struct question *q, const char *revision, struct error *error)
{
	char *path = trial_path(q, revision, "skipped.txt"), *why;
	struct error ignored;
	size_t size;

	why = file_read(path, REASON_MAX, &size, &ignored);
	error_store(error, "%.900s", why ? why : "skipped");
	free(why);
	free(path);
	return TRIAL_SKIPPED;
}

/* --- building --- */

static bool keep(const struct question *q, const char *revision, const char *from, const char *name,
		 struct error *error)
{
	char *to = trial_path(q, revision, name);
	char *const argv[] = {(char *)"cp", (char *)"-f", (char *)from, to, NULL};
	char *text = command_read(argv, NULL, error);

	free(to);
	free(text);
	return text;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool keep_from_tree(const struct question *q, const char *revision, const char *path, struct error *error)
{
	char *from = *path == '/' ? xstrdup(path) : xasprintf("%s/tree/%s", q->folder, path);
	bool good = keep(q, revision, from, last_part(path), error);

	free(from);
	return good;
}

/* Beside hypervisor.elf32 is the same kernel with its symbols, for profiling/pathcost.py. Other builds may have none.
 */
static void keep_symbols(const struct question *q, const char *revision)
{
	static const char suffix[] = ".elf32";
	size_t len = strlen(q->kernel), cut = strlen(suffix);
	struct error ignored;
	char *path;

	if (len <= cut || strcmp(q->kernel + len - cut, suffix))
		return;
	path = xasprintf("%.*s", (int)(len - cut), q->kernel);
	keep_from_tree(q, revision, path, &ignored);
	free(path);
}

static enum trial_end build(const struct question *q, const char *revision, struct error *error)
{
	char *tree = xasprintf("%s/tree", q->folder), *log = trial_path(q, revision, "build.log");
	char *const argv[] = {(char *)"sh", (char *)"-c", (char *)q->build, NULL};
	enum trial_end end = TRIAL_STOPPED;
	int code;

	if (revision_check_out(q->repo, tree, revision, error)) {
		code = command_run(argv, tree, log, error);
		if (code > 0)
			end = skip(q, revision, "it does not build", error);
		else if (!code)
			end = keep_from_tree(q, revision, q->roottask, error) &&
					      keep_from_tree(q, revision, q->kernel, error)
				      ? TRIAL_MEASURED
				      : skip(q, revision, "the build did not make kernel and roottask", error);
	}
	if (end == TRIAL_MEASURED)
		keep_symbols(q, revision);
	free(log);
	free(tree);
	return end;
}

/* --- measuring --- */

struct words {
	char *text[WORDS_MAX];
	size_t count;
};

/* The words are the list's then. */
static void add(struct words *w, char *text)
{
	if (w->count < WORDS_MAX - 1)
		w->text[w->count++] = text;
	else
		free(text);
}

static void add_pair(struct words *w, const char *option, char *value)
{
	add(w, xstrdup(option));
	add(w, value);
}

static void free_words(struct words *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->text[i]);
}

static void run_words(struct words *w, const struct question *q, const char *revision, const char *output)
{
	add(w, xstrdup("run"));
	add_pair(w, "--target", xstrdup(q->target));
	add_pair(w, "--roottask", trial_path(q, revision, last_part(q->roottask)));
	add_pair(w, "--output", xstrdup(output));
	for (unsigned i = 0; i < q->run_options.count; i++)
		add(w, xstrdup(q->run_options.text[i]));
}

static void fleet_words(struct words *w, const struct question *q, const char *revision, const char *output)
{
	add(w, xstrdup("fleet"));
	add(w, xstrdup("run"));
	add_pair(w, "--inventory", xstrdup(q->fleet));
	add_pair(w, "--machine", xstrdup(q->machine));
	add_pair(w, "--roottasks", trial_path(q, revision, "."));
	add_pair(w, "--confirm", xstrdup("0"));
	add_pair(w, "--output", xstrdup(output));
}

static void measure_words(struct words *w, const struct question *q, const char *revision, unsigned boots,
			  const char *output)
{
	*w = (struct words){0};
	add(w, xstrdup(q->program));
	if (q->fleet)
		fleet_words(w, q, revision, output);
	else
		run_words(w, q, revision, output);
	add_pair(w, "--kernel", trial_path(q, revision, last_part(q->kernel)));
	add_pair(w, "--suite", xstrdup(q->suite));
	add_pair(w, "--root-append", xasprintf("case=%s", q->name + strlen(q->suite) + 1));
	add_pair(w, "--boots", xasprintf("%u", boots));
	add_pair(w, "--git-revision", xstrdup(revision));
	add(w, xstrdup("--no-db"));
	add(w, xstrdup("--quiet"));
}

/* What a fleet has measured lies deep in the folder of its run. */
static bool take_fleet_result(const struct question *q, const char *run, const char *path)
{
	char *found = xasprintf("%s/%s/%s/result.json", run, q->machine, q->suite);
	bool good = !rename(found, path);

	free(found);
	return good;
}

static enum trial_end measure(const struct question *q, const char *revision, unsigned boots, const char *path,
			      struct error *error)
{
	char *log = trial_path(q, revision, "measure.log"), *run = trial_path(q, revision, "run");
	struct words words;
	bool good;
	int code;

	file_remove_folder(run);
	measure_words(&words, q, revision, boots, q->fleet ? run : path);
	code = command_run(words.text, NULL, log, error);
	free_words(&words);
	/* A fleet without baselines has no verdict, which does not matter here. */
	good = q->fleet ? take_fleet_result(q, run, path) : !code;
	free(run);
	free(log);
	if (code < 0)
		return TRIAL_STOPPED;
	return good ? TRIAL_MEASURED : skip(q, revision, "it cannot be measured", error);
}

static enum trial_end load(const struct question *q, const char *revision, const char *path, struct result *result,
			   struct error *error)
{
	if (!result_load(result, path, error))
		return TRIAL_STOPPED;
	if (result_find(result, q->name))
		return TRIAL_MEASURED;
	result_free(result);
	return skip(q, revision, "it does not have the case", error);
}

static bool enough(const char *path, unsigned boots)
{
	struct result result;
	struct error ignored;
	bool is = !access(path, F_OK) && result_load(&result, path, &ignored);

	if (!is)
		return false;
	is = json_integer_value(json_object_get(result.context, "boots")) >= (json_int_t)boots;
	result_free(&result);
	return is;
}

static enum trial_end try(const struct question *q, const char *revision, unsigned boots, const char *path,
			  struct result *result, struct error *error)
{
	char *folder = trial_path(q, revision, "");
	bool good = file_make_folders(folder, error);
	enum trial_end end = TRIAL_MEASURED;

	free(folder);
	if (!good)
		return TRIAL_STOPPED;
	if (!there(q, revision, last_part(q->kernel)))
		end = build(q, revision, error);
	if (end == TRIAL_MEASURED && !enough(path, boots))
		end = measure(q, revision, boots, path, error);
	return end == TRIAL_MEASURED ? load(q, revision, path, result, error) : end;
}

enum trial_end trial_run(const struct question *q, const char *revision, unsigned boots, struct result *result,
			 struct error *error)
{
	char *path = trial_path(q, revision, "result.json");
	enum trial_end end = TRIAL_SKIPPED;

	*result = (struct result){0};
	if (there(q, revision, "skipped.txt"))
		end = skipped_before(q, revision, error);
	else
		end = try(q, revision, boots, path, result, error);
	free(path);
	return end;
}
