/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "result/baseline.h"

#include "host/error.h"
#include "host/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Names come from a file: they must not lead out of the folder, nor to what others need. */
static bool plain(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/') && strcmp(name, "peers");
}

bool baseline_is_peer(const char *path)
{
	static const char folder[] = "/peers";
	const char *slash = strrchr(path, '/');

	return slash && slash - path >= (ptrdiff_t)strlen(folder) &&
	       !strncmp(slash - strlen(folder), folder, strlen(folder));
}

const char *baseline_name(const struct result *result)
{
	const char *of_class = result_text(result, "baseline");

	return *of_class ? of_class : result_text(result, "machine");
}

char *baseline_path(const char *folder, const struct result *result)
{
	const char *name = baseline_name(result), *suite = result_text(result, "suite");

	if (!plain(name) || !plain(suite))
		return NULL;
	return xasprintf("%s/%s/%s.json", folder, name, suite);
}

static bool is_folder(const char *path)
{
	struct stat stat_data;

	return !stat(path, &stat_data) && S_ISDIR(stat_data.st_mode);
}

bool baseline_load(struct result *baseline, const char *where, const struct result *result, struct error *error)
{
	char *path;
	bool good;

	*baseline = (struct result){0};
	if (!is_folder(where))
		return result_load(baseline, where, error);
	path = result ? baseline_path(where, result) : NULL;
	if (!path)
		return error_set(error, "%s is a folder: give a baseline's file, or a result to find it by", where);
	if (access(path, F_OK))
		good = error_set(error,
				 "there is no baseline %s yet: `hbench baseline update --results %s RESULT` "
				 "makes one",
				 path, where);
	else
		good = result_load(baseline, path, error);
	free(path);
	return good;
}
