/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/mailbox.h"

#include "fleet/script.h"
#include "host/file.h"
#include "host/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FETCHED ".fetched"

/* --- the run --- */

/* Empty, new, and for the servers to write. */
static bool make_file(const char *path, struct error *error)
{
	int fd;
	bool good;

	if (unlink(path) && errno != ENOENT)
		return error_set(error, "cannot remove %s: %s", path, strerror(errno));
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	good = fd >= 0 && !fchmod(fd, 0666);
	if (!good)
		error_store(error, "cannot make %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return good;
}

bool mailbox_open(struct mailbox *m, const struct inventory *inventory, const struct inventory_machine *machine,
		  struct error *error)
{
	char *folder = xasprintf("%s/" SCRIPT_LOGS, inventory->lab.folders.boot), *mac = inventory_mac_name(machine);
	bool good = file_make_folders(folder, error);

	m->log = xasprintf("%s/%s", folder, mac);
	m->fetched = xasprintf("%s" FETCHED, m->log);
	good = good && make_file(m->fetched, error) && make_file(m->log, error);
	free(mac);
	free(folder);
	return good;
}

bool mailbox_has_fetched(const struct mailbox *m)
{
	struct stat data;

	return !stat(m->fetched, &data) && data.st_size;
}

int mailbox_take(const struct mailbox *m)
{
	int fd = open(m->log, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat data;

	if (fd < 0)
		return -1;
	if (!flock(fd, LOCK_SH | LOCK_NB) && !fstat(fd, &data) && data.st_size)
		return fd;
	close(fd);
	return -1;
}

void mailbox_close(struct mailbox *m)
{
	char *paths[] = {m->log, m->fetched};

	for (size_t i = 0; i < array_size(paths); i++) {
		if (paths[i] && unlink(paths[i]) && errno != ENOENT)
			complain("cannot remove %s: %s", paths[i], strerror(errno));
		free(paths[i]);
	}
	*m = (struct mailbox){0};
}

/* --- the servers --- */

void mailbox_note_fetch(int folder, const struct inventory *inventory, const char *path)
{
	const char *rest;
	const struct inventory_machine *m = inventory_find_path(inventory, path, SCRIPT_NODES, &rest);
	char *mac, *name;
	int fd;

	if (!m || (strcmp(rest, ".ipxe") && strcmp(rest, "/job.efi")))
		return;
	mac = inventory_mac_name(m);
	name = xasprintf(SCRIPT_LOGS "/%s" FETCHED, mac);
	fd = file_open_below(folder, name, O_WRONLY);
	if (fd >= 0) {
		if (pwrite(fd, "1", 1, 0) != 1)
			complain("%s: cannot tell that it has fetched: %s", m->name, strerror(errno));
		close(fd);
	}
	free(name);
	free(mac);
}

const struct inventory_machine *mailbox_machine(const struct inventory *inventory, const char *path)
{
	const char *rest;
	const struct inventory_machine *m = inventory_find_path(inventory, path, SCRIPT_LOGS, &rest);

	return m && !*rest && m->console.type == CONSOLE_RAM ? m : NULL;
}

int mailbox_accept(int folder, const struct inventory_machine *machine)
{
	char *mac = inventory_mac_name(machine), *name = xasprintf(SCRIPT_LOGS "/%s", mac);
	int fd = file_open_below(folder, name, O_WRONLY);
	struct stat data;

	free(name);
	free(mac);
	/* One log only: another one would be of somebody else. */
	if (fd < 0 || (!flock(fd, LOCK_EX | LOCK_NB) && !fstat(fd, &data) && !data.st_size))
		return fd;
	close(fd);
	return -1;
}
