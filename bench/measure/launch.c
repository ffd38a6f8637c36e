/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/launch.h"

#include "host/environment.h"
#include "host/file.h"
#include "host/mem.h"
#include "measure/child.h"
#include "measure/target_console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool link_into(const struct launch *launch, const char *name, const char *target, struct error *error)
{
	char *absolute, *path;
	bool good;

	if (!target)
		return true;
	absolute = realpath(target, NULL);
	path = launch_path(launch, name);
	good = absolute && !symlink(absolute, path);

	if (!good)
		error_store(error, "cannot use %s: %s", target, strerror(errno));
	free(absolute);
	free(path);
	return good;
}

bool launch_create(struct launch *launch, const struct machine_config *config, struct error *error)
{
	*launch = (struct launch){.good_status = -1, .failed_status = -1, .console = -1};
	launch->folder = xasprintf("%s/hbench-XXXXXX", environment("TMPDIR", "/tmp"));
	if (!mkdtemp(launch->folder)) {
		error_store(error, "cannot create the folder %s: %s", launch->folder, strerror(errno));
		free(launch->folder);
		launch->folder = NULL;
		return false;
	}
	return link_into(launch, "kernel", config->kernel, error) &&
	       link_into(launch, "roottask", config->roottask, error);
}

char *launch_path(const struct launch *launch, const char *name)
{
	return xasprintf("%s/%s", launch->folder, name);
}

bool launch_write(const struct launch *launch, const char *name, const char *text, struct error *error)
{
	char *path = launch_path(launch, name);
	bool good = file_replace(path, text, strlen(text), error);

	free(path);
	return good;
}

char *launch_find_line(const struct launch *launch, const char *name, const char *word)
{
	char *path = launch_path(launch, name), *line = NULL, *found = NULL;
	FILE *file = fopen(path, "re");
	size_t room = 0;

	while (file && !found && getline(&line, &room, file) > 0)
		if (strstr(line, word))
			found = xasprintf("%.*s", (int)strcspn(line, "\r\n"), line);
	if (file)
		fclose(file);
	free(line);
	free(path);
	return found;
}

bool launch_run(const struct launch *launch, char *const argv[], const char *output, double seconds,
		struct error *error)
{
	char *path = launch_path(launch, output);
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	bool good = fd >= 0 ? child_run(argv, launch->folder, fd, fd, seconds, error)
			    : error_set(error, "cannot create %s: %s", path, strerror(errno));

	if (fd >= 0)
		close(fd);
	free(path);
	return good;
}

void launch_free(struct launch *launch)
{
	if (launch->folder)
		file_remove_folder(launch->folder);
	if (launch->console >= 0)
		target_console_close(launch->console);
	free(launch->folder);
	strings_free(launch->argv);
	*launch = (struct launch){.console = -1};
}
