/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bisect/revisions.h"

#include "bisect/command.h"
#include "host/mem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GIT(...) ((char *const[]){(char *)"git", __VA_ARGS__, NULL})

char *revision_find(const char *repo, const char *name, struct error *error)
{
	char *commit = xasprintf("%s^{commit}", name);
	char *hash = command_read(GIT((char *)"rev-parse", (char *)"--verify", (char *)"--end-of-options", commit),
				  repo, error);

	free(commit);
	return hash;
}

char *revision_parent(const char *repo, const char *revision, struct error *error)
{
	char *parent = xasprintf("%s^1", revision);
	char *hash = revision_find(repo, parent, error);

	free(parent);
	return hash;
}

bool revision_before(const char *repo, const char *old, const char *new, struct error *error)
{
	int code = command_run(GIT((char *)"merge-base", (char *)"--is-ancestor", (char *)old, (char *)new), repo,
			       "/dev/null", error);

	if (code == 1 || (!code && !strcmp(old, new)))
		return error_set(error, "the good revision is not before the bad one");
	return !code || (code > 1 && error_set(error, "git merge-base failed"));
}

/* "HASH (dist=3)" in each line; those with the largest distance halve best. */
static char **split(char *text)
{
	char **list = NULL, *save = NULL;
	size_t count = 0;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		list = xreallocarray(list, count + 2, sizeof(*list));
		list[count++] = xasprintf("%.*s", (int)strcspn(line, " "), line);
		list[count] = NULL;
	}
	return list;
}

char **revision_candidates(const char *repo, const char *bad, char *const *goods, size_t count, struct error *error)
{
	char **argv = xcalloc(count + 6, sizeof(*argv)), **list = NULL, *text;
	size_t used = 0;

	argv[used++] = (char *)"git";
	argv[used++] = (char *)"rev-list";
	argv[used++] = (char *)"--bisect-all";
	argv[used++] = (char *)bad;
	argv[used++] = (char *)"--not";
	for (size_t i = 0; i < count; i++)
		argv[used++] = goods[i];
	text = command_read(argv, repo, error);
	if (text)
		list = split(text);
	if (text && !list)
		error_store(error, "git knows nothing between these revisions");
	free(text);
	free(argv);
	return list;
}

char *revision_describe(const char *repo, const char *revision)
{
	struct error error;
	char *text = command_read(
		GIT((char *)"show", (char *)"-s", (char *)"--format=%h %as %an: %s", (char *)revision), repo, &error);

	return text ? text : xstrdup(revision);
}

bool revision_check_out(const char *repo, const char *tree, const char *revision, struct error *error)
{
	char *text;

	if (access(tree, F_OK)) {
		struct error ignored;

		free(command_read(GIT((char *)"worktree", (char *)"prune"), repo, &ignored));
		text = command_read(GIT((char *)"worktree", (char *)"add", (char *)"--force", (char *)"--detach",
					(char *)tree, (char *)revision),
				    repo, error);
	} else {
		text = command_read(GIT((char *)"checkout", (char *)"--force", (char *)"--detach", (char *)revision),
				    tree, error);
	}
	free(text);
	return text;
}

void revision_remove_tree(const char *repo, const char *tree)
{
	struct error ignored;

	free(command_read(GIT((char *)"worktree", (char *)"remove", (char *)"--force", (char *)tree), repo,
			  &ignored));
}
