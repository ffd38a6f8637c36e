/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/target.h"

#include "host/environment.h"
#include "host/file.h"
#include "host/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ID_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

static const struct target *const targets[] = {&target_qemu,   &target_qemu_kvm, &target_bochs,
					       &target_serial, &target_tcp,      &target_file};

const struct target *target_find(const char *name, const char *accel)
{
	bool kvm = !strcmp(accel, "kvm");

	for (size_t i = 0; i < array_size(targets); i++)
		if (!strcmp(targets[i]->name, name) && kvm == (targets[i] == &target_qemu_kvm))
			return targets[i];
	return NULL;
}

bool target_id_valid(const char *id)
{
	return *id && *id != '.' && !id[strspn(id, ID_CHARACTERS)];
}

char *target_machine_id(const struct target *target, const char *cpu, unsigned cpus)
{
	char *id = cpus == 1 ? xasprintf("%s-%s", target->machine_prefix, cpu)
			     : xasprintf("%s-%s-smp%u", target->machine_prefix, cpu, cpus);

	for (char *c = id; *c; c++)
		if (!strchr(ID_CHARACTERS, *c))
			*c = '-';
	return id;
}

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

void launch_free(struct launch *launch)
{
	if (launch->folder)
		file_remove_folder(launch->folder);
	if (launch->console >= 0)
		close(launch->console);
	free(launch->folder);
	strings_free(launch->argv);
	*launch = (struct launch){.console = -1};
}
