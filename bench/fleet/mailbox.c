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

/* "<folder>/52-54-00-77-00-01", and one of the tails. */
static const struct inventory_machine *find(const struct inventory *inventory, const char *path, const char *folder,
					    const char *const tails[], size_t tail_count)
{
	size_t len = strlen(folder);

	if (strncmp(path, folder, len) || path[len] != '/')
		return NULL;
	path += len + 1;
	for (unsigned i = 0; i < inventory->machines_count; i++) {
		const struct inventory_machine *m = &inventory->machines[i];
		char *mac = m->mac ? inventory_mac_name(m) : xstrdup("?");
		bool same = !strncasecmp(path, mac, strlen(mac)), found = false;

		for (size_t k = 0; same && k < tail_count; k++)
			found = found || !strcmp(path + strlen(mac), tails[k]);
		free(mac);
		if (found)
			return m;
	}
	return NULL;
}

void mailbox_note_fetch(int folder, const struct inventory *inventory, const char *path)
{
	static const char *const tails[] = {".ipxe", "/job.efi"};
	const struct inventory_machine *m = find(inventory, path, SCRIPT_NODES, tails, array_size(tails));
	char *mac, *name;
	int fd;

	if (!m)
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
	static const char *const none[] = {""};
	const struct inventory_machine *m = find(inventory, path, SCRIPT_LOGS, none, 1);

	return m && m->console.type == CONSOLE_RAM ? m : NULL;
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
