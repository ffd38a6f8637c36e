/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `hbench bisect`: the commit that changed what a case costs. */
#include "bisect/bisect.h"
#include "bisect/command.h"
#include "bisect/revisions.h"
#include "cmd/verbs.h"
#include "host/exit_code.h"
#include "host/file.h"
#include "host/mem.h"
#include "host/resource.h"
#include "measure/run.h"
#include "measure/target.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	const char *name, *target, *fleet, *machine, *repo, *build, *kernel, *roottask, *folder;
	struct texts run_options;
	unsigned boots, boots_max;
	bool no_paths, keep_tree;
} o = {.repo = ".",
       .kernel = "build/release/hypervisor.elf32",
       .folder = "hbench-bisect",
       .boots = 1,
       .boots_max = 24};

static const struct option_spec options[] = {
	{"case", 'c', OPTION_TEXT, "CASE", "What to look at: suite/case/parameter:value; needed", &o.name, 0, 0,
	 NULL},
	{"target", 't', OPTION_TEXT, "qemu|bochs|serial|tcp",
	 "Machine to measure on, as of run (that of the suite, else qemu)", &o.target, 0, 0, TARGET_NAMES},
	{"run-option", 0, OPTION_TEXTS, "WORD",
	 "One more word for `hbench run`, such as --accel=kvm or --console=/dev/ttyUSB0", &o.run_options, 0, 0, ""},
	{"fleet", 'f', OPTION_TEXT, "FILE", "Measure on a machine of this inventory instead", &o.fleet, 0, 0, NULL},
	{"machine", 'm', OPTION_TEXT, "NAME", "With --fleet: which machine", &o.machine, 0, 0, ""},
	{"repo", 0, OPTION_TEXT, "DIR", "Working tree or repository of git (.)", &o.repo, 0, 0, NULL},
	{"build", 0, OPTION_TEXT, "COMMAND",
	 "Shell command that builds a revision in its working tree (cmake with the preset release, kernel and "
	 "roottask)",
	 &o.build, 0, 0, ""},
	{"kernel", 'k', OPTION_TEXT, "PATH",
	 "What it makes: the kernel, seen from there (build/release/hypervisor.elf32)", &o.kernel, 0, 0, NULL},
	{"roottask", 'r', OPTION_TEXT, "PATH",
	 "The same for the roottask (build/release/SUITE.elf); an absolute path is that of one roottask for all "
	 "revisions",
	 &o.roottask, 0, 0, NULL},
	{"boots", 0, OPTION_NUMBER, "N",
	 "Boots of each revision to begin with (1); with noise more follow until it is clear", &o.boots, 1, 1000,
	 NULL},
	{"boots-max", 0, OPTION_NUMBER, "N",
	 "Boots of a revision at most (24); one that is not clear then is skipped", &o.boots_max, 1, 1000, NULL},
	{"folder", 0, OPTION_TEXT, "DIR",
	 "What was built and measured, to go on with when interrupted (hbench-bisect)", &o.folder, 0, 0, NULL},
	{"keep-tree", 0, OPTION_FLAG, NULL, "Leave the working tree in that folder when the commit is found",
	 &o.keep_tree, 0, 0, NULL},
	{"no-paths", 0, OPTION_FLAG, NULL, "Do not trace what the commit changed on the path, function by function",
	 &o.no_paths, 0, 0, NULL},
	OPTION_END,
};

/* --- the question --- */

static void check_words(void)
{
	if (!o.name || !strchr(o.name, '/'))
		verb_usage(&verb_bisect,
			   "--case is needed: suite/case/parameter:value, as `hbench list --names` has them");
	if (o.fleet && (o.target || o.run_options.count))
		verb_usage(&verb_bisect, "--fleet is a target of its own");
	if (o.machine && !o.fleet)
		verb_usage(&verb_bisect,
			   "--machine is one of --fleet; real machines of run are named by --run-option");
	if (o.fleet && !o.machine)
		verb_usage(&verb_bisect, "--fleet needs --machine: one that is like those of its class");
	if (o.boots_max < o.boots)
		verb_usage(&verb_bisect, "--boots-max is below --boots");
}

static char *self(void)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	return xasprintf("%.*s", (int)(len > 0 ? len : 0), path);
}

/* Without a suite that names a target it is QEMU, which needs nothing else. */
static const char *target_of(const struct suite *suite)
{
	if (o.fleet)
		return NULL;
	return o.target ? o.target : suite && suite->target ? suite->target : "qemu";
}

static json_t *describe(const struct question *q, const struct bisection *b)
{
	json_t *words = json_array();

	for (unsigned i = 0; i < q->run_options.count; i++)
		json_array_append_new(words, json_string(q->run_options.text[i]));
	return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s, s:s, s:s, s:o}", "good", b->good, "bad", b->bad,
			 "case", q->name, "target", q->target, "fleet", q->fleet, "machine", q->machine, "build",
			 q->build, "kernel", q->kernel, "roottask", q->roottask, "run_options", words);
}

/* What lies in a folder answers one question only. */
static bool same_question(const struct question *q, const struct bisection *b, struct error *error)
{
	char *path = xasprintf("%s/question.json", q->folder), *text;
	json_t *now = describe(q, b), *before = json_load_file(path, 0, NULL);
	bool good = true;

	if (before && !json_equal(now, before)) {
		good = error_set(error, "%s has another bisection: remove it, or name another --folder", q->folder);
	} else if (!before) {
		text = json_dumps(now, JSON_INDENT(1));
		good = text ? file_replace(path, text, strlen(text), error) : error_set(error, "out of memory");
		free(text);
	}
	json_decref(before);
	json_decref(now);
	free(path);
	return good;
}

static void tell(const char *text)
{
	puts(text);
	fflush(stdout);
}

/* --- the answer --- */

static char *find_pathcost(void)
{
	const char *named = getenv("HBENCH_PATHCOST");

	return named && *named ? xstrdup(named) : resource_path("profiling/pathcost.py", HBENCH_PATHCOST_PATH);
}

/* The kernel with symbols, if the build made one. */
static char *symbols_of(const struct question *q, const char *revision)
{
	const char *slash = strrchr(q->kernel, '/'), *name = slash ? slash + 1 : q->kernel;
	size_t len = strlen(name);
	char *file = xasprintf("%.*s", (int)(len > 6 && !strcmp(name + len - 6, ".elf32") ? len - 6 : len), name);
	char *path = trial_path(q, revision, file);

	free(file);
	return path;
}

/* Function by function: what a case costs more, and where. */
static void show_paths(const struct question *q, const struct bisection *b)
{
	char *tool = find_pathcost(), *from = symbols_of(q, b->before), *to = symbols_of(q, b->bad);
	char *build = trial_path(q, b->bad, "");
	char *const argv[] = {tool,
			      (char *)"diff",
			      from,
			      to,
			      (char *)"--build",
			      build,
			      (char *)"--suite",
			      q->suite,
			      (char *)"--emulator",
			      (char *)q->target,
			      (char *)"--case",
			      (char *)q->name + strlen(q->suite) + 1,
			      NULL};
	struct error error;
	char *text = NULL;

	if (access(from, F_OK) || access(to, F_OK))
		error_store(&error, "there are no kernels with symbols");
	else
		text = command_read(argv, NULL, &error);
	if (text)
		printf("\n%s\n", text);
	else
		complain("note: what changed on the path is not known: %.900s", error.text);
	free(text);
	free(build);
	free(to);
	free(from);
	free(tool);
}

static void show_doubtful(const struct question *q, const struct bisection *b)
{
	if (!b->doubtful_count)
		return;
	puts("or one of these, which could not be measured:");
	for (size_t i = 0; i < b->doubtful_count; i++) {
		char *who = revision_describe(q->repo, b->doubtful[i]);

		printf("  %s\n", who);
		free(who);
	}
}

static bool can_trace(const struct question *q)
{
	return q->target && (!strcmp(q->target, "qemu") || !strcmp(q->target, "bochs"));
}

static void show(const struct question *q, const struct bisection *b)
{
	char *who = revision_describe(q->repo, b->bad);
	intmax_t change = (intmax_t)(b->value_after - b->value_before);

	printf("\n%s changed in\n  %s\n", q->name, who);
	show_doubtful(q, b);
	printf("before: %ju  after: %ju  change: %+jd", (uintmax_t)b->value_before, (uintmax_t)b->value_after,
	       change);
	if (b->value_before)
		printf(" (%+.2f%%)", 100 * (double)change / (double)b->value_before);
	printf("\ncommit: %s\n", b->bad);
	fflush(stdout);
	if (!o.no_paths && b->before && can_trace(q) && !b->doubtful_count)
		show_paths(q, b);
	free(who);
}

/* --- all together --- */

static enum exit_code search(const struct question *q, struct bisection *b)
{
	struct error error = {""};
	enum exit_code code = EXIT_RUN_INVALID;
	char *tree = xasprintf("%s/tree", q->folder);

	switch (bisect_run(b, &error)) {
	case BISECT_FOUND:
		show(q, b);
		code = EXIT_SAME_OR_BETTER;
		break;
	case BISECT_NO_CHANGE:
		complain("%s costs the same in both revisions: there is nothing to find", q->name);
		break;
	case BISECT_STOPPED:
		if (run_interrupted())
			code = EXIT_INTERRUPTED;
		complain("%s%s", run_interrupted() ? "interrupted; the same command goes on" : error.text, "");
	}
	if (code == EXIT_SAME_OR_BETTER && !o.keep_tree)
		revision_remove_tree(q->repo, tree);
	free(tree);
	return code;
}

static bool find_ends(struct bisection *b, char **args, struct error *error)
{
	b->good = revision_find(o.repo, args[0], error);
	b->bad = b->good ? revision_find(o.repo, args[1], error) : NULL;
	return b->bad && revision_before(o.repo, b->good, b->bad, error);
}

static char *make_folder(struct error *error)
{
	char *path = file_make_folders(o.folder, error) ? realpath(o.folder, NULL) : NULL;

	if (!path && !error->text[0])
		error_store(error, "%s: %s", o.folder, strerror(errno));
	return path;
}

static enum exit_code begin(struct question *q, struct bisection *b, char **args)
{
	struct error error = {""};
	char *folder;
	enum exit_code code = EXIT_USAGE;

	if (!find_ends(b, args, &error)) {
		complain("%s", error.text);
		return code;
	}
	q->folder = folder = make_folder(&error);
	if (folder && same_question(q, b, &error))
		code = search(q, b);
	else
		complain("%s", error.text);
	free(folder);
	return code;
}

static int run(char **args, unsigned count)
{
	struct question q = {.name = o.name,
			     .kernel = o.kernel,
			     .run_options = o.run_options,
			     .fleet = o.fleet,
			     .machine = o.machine,
			     .repo = o.repo};
	struct bisection b = {.question = &q, .boots = o.boots, .boots_max = o.boots_max, .tell = tell};
	struct suite suite;
	struct error ignored;
	char *build, *roottask, *hbench = self();
	enum exit_code code;

	(void)count;
	check_words();
	run_catch_signals();
	q.suite = xasprintf("%.*s", (int)strcspn(o.name, "/"), o.name);
	b.suite = suite_load(&suite, q.suite, &ignored) ? &suite : NULL;
	q.target = target_of(b.suite);
	q.program = hbench;
	build = o.build ? xstrdup(o.build)
			: xasprintf("cmake --preset release && cmake --build --preset release --target hypervisor %s",
				    q.suite);
	roottask = o.roottask ? xstrdup(o.roottask) : xasprintf("build/release/%s.elf", q.suite);
	q.build = build;
	q.roottask = roottask;
	code = begin(&q, &b, args);
	bisect_free(&b);
	suite_free(&suite);
	free(roottask);
	free(build);
	free(q.suite);
	free(hbench);
	return (int)code;
}

const struct verb verb_bisect = {
	.name = "bisect",
	.summary = "find the commit that changed what a case costs",
	.args = "GOOD BAD",
	.doc = "Find the commit between two revisions with which a case began to cost something else, worse or "
	       "better, by "
	       "building and measuring those that halve the rest. A revision that does not build is skipped.",
	.more = "Each revision is built in a working tree of its own, below --folder; what is there already is not "
		"built or "
		"measured again, so the same command goes on after an interruption, or answers at once. Exact counts "
		"need "
		"one boot of each; where time is measured, both sides of a comparison boot again, twice as often "
		"each time, "
		"until its verdict is clear. For emulators the paths before and after are traced at the end "
		"(profiling/pathcost.py; HBENCH_PATHCOST names another).\n\n"
		"Exit codes: 0 found, 2 usage, 4 there is no change, or one of the two revisions cannot be measured, "
		"130 "
		"interrupted.",
	.examples = "  hbench bisect v13.2.0 HEAD --case ipc/call_reply_cross/words:0\n"
		    "  hbench bisect 1a2b3c4 main --case vmexit/hlt/state:minimal --target bochs\n"
		    "  hbench bisect 1a2b3c4 main --case ipc/null --fleet lab.yaml --machine nuc11 --boots 5\n",
	.options = options,
	.args_min = 2,
	.args_max = 2,
	.args_needed = "a good and a bad revision are needed",
	.run = run,
};
