/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/lock.h"

#include "host/clock.h"
#include "host/environment.h"
#include "host/file.h"
#include "host/json_file.h"
#include "host/mem.h"
#include "host/text.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_FILE_MAX = 1 << 16 };

static char *lock_path(const char *folder, const char *machine)
{
	return xasprintf("%s/%s.lock", folder, machine);
}

static char *guard_path(const char *folder)
{
	return xasprintf("%s/guard", folder);
}

/* Field 22 of its line in /proc, counted after the name, which may contain anything; 0 when there is no such process.
 */
static unsigned long long start_of(long pid)
{
	char *path = xasprintf("/proc/%ld/stat", pid), *data, *at;
	unsigned long long started = 0;
	struct error ignored;
	size_t size;

	data = file_read(path, 1 << 16, &size, &ignored);
	at = data ? strrchr(data, ')') : NULL;
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (at)
		started = strtoull(at, NULL, 10);
	free(data);
	free(path);
	return started;
}

/* Of this start of the host; "" when it cannot be told. */
static void own_boot(char out[40])
{
	struct error ignored;
	size_t size;
	char *data = file_read("/proc/sys/kernel/random/boot_id", 256, &size, &ignored);

	snprintf(out, 40, "%.*s", data ? (int)strcspn(data, "\n") : 0, data ? data : "");
	free(data);
}

static unsigned long long own_space(void)
{
	struct stat data;

	return stat("/proc/self/ns/pid", &data) ? 0 : data.st_ino;
}

static void own_info(struct lock_info *info, const char *purpose)
{
	const struct passwd *user = getpwuid(getuid());

	*info = (struct lock_info){.pid = getpid(), .started = start_of(getpid()), .space = own_space()};
	snprintf(info->owner, sizeof(info->owner), "%s", user ? user->pw_name : "unknown");
	environment_host(info->host);
	own_boot(info->boot);
	snprintf(info->purpose, sizeof(info->purpose), "%s", purpose);
	text_mask(info->purpose);
	clock_date(info->since);
}

/*
 * The present by the clock that dates the files of the folder, which is that of a file server. A file that is there
 * anyway gets its date: who may look at locks and nothing else has to trust the own clock.
 */
static long long folder_now(const char *folder)
{
	char *path = guard_path(folder);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat data;
	bool known = fd >= 0 && !futimens(fd, NULL) && !fstat(fd, &data);

	if (fd >= 0)
		close(fd);
	free(path);
	return known ? (long long)data.st_mtime : (long long)time(NULL);
}

/* A file that cannot be read as a lock counts as one of an unknown owner, which is over. */
static bool read_lock(const char *folder, const char *path, struct lock_info *info)
{
	struct error ignored;
	struct stat data;
	json_t *root;

	*info = (struct lock_info){0};
	if (stat(path, &data))
		return false;
	info->age = folder_now(folder) - (long long)data.st_mtime;
	root = json_file_load(path, LOCK_FILE_MAX, &ignored);
	json_file_text(root, "owner", info->owner, sizeof(info->owner));
	json_file_text(root, "host", info->host, sizeof(info->host));
	json_file_text(root, "boot", info->boot, sizeof(info->boot));
	json_file_text(root, "purpose", info->purpose, sizeof(info->purpose));
	json_file_text(root, "since", info->since, sizeof(info->since));
	info->pid = (long)json_integer_value(json_object_get(root, "pid"));
	info->started = (unsigned long long)json_integer_value(json_object_get(root, "started"));
	info->space = (unsigned long long)json_integer_value(json_object_get(root, "space"));
	json_decref(root);
	return true;
}

/* `expires` is for hbench as it was, which goes by the clocks of the hosts. */
static bool write_lock(const char *path, const struct lock_info *info, struct error *error)
{
	json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "owner", info->owner, "host",
				 info->host, "boot", info->boot, "purpose", info->purpose, "since", info->since,
				 "pid", (json_int_t)info->pid, "started", (json_int_t)info->started, "space",
				 (json_int_t)info->space, "expires", (json_int_t)time(NULL) + LOCK_SECONDS);
	char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
	bool good = text ? file_replace(path, text, strlen(text), error)
			 : error_set(error, "the lock's purpose is no text: %.200s", info->purpose);

	free(text);
	json_decref(root);
	return good;
}

/* Written by a process of this host, which lives in our namespace: its number means something here. */
static bool is_here(const struct lock_info *info)
{
	char host[ENVIRONMENT_HOST_SIZE], boot[sizeof(info->boot)];

	environment_host(host);
	own_boot(boot);
	return !strcmp(host, info->host) && (!*info->boot || !strcmp(boot, info->boot)) && info->space == own_space();
}

static enum lock_state state_of(const struct lock_info *info)
{
	bool here = is_here(info);

	if (here && info->pid == getpid() && info->started == start_of(getpid()))
		return LOCK_MINE;
	if (!*info->host || info->age >= LOCK_SECONDS || (here && start_of(info->pid) != info->started))
		return LOCK_STALE;
	return LOCK_HELD;
}

enum lock_state lock_look(const char *folder, const char *machine, struct lock_info *info)
{
	char *path = lock_path(folder, machine);
	bool there = read_lock(folder, path, info);

	free(path);
	return there ? state_of(info) : LOCK_FREE;
}

static bool wait_for_turn(int fd)
{
	int failed;

	do
		failed = flock(fd, LOCK_EX);
	while (failed && errno == EINTR);
	return !failed;
}

/* Looking and writing are one step for all who hold this file's lock, whoever made it; -1 on error. */
static int guard(const char *folder, struct error *error)
{
	char *path = guard_path(folder);
	int fd = -1;

	if (file_make_folders(folder, error)) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
		if (fd < 0 || !wait_for_turn(fd)) {
			error_store(error, "cannot lock %s: %s", path, strerror(errno));
			if (fd >= 0)
				close(fd);
			fd = -1;
		} else if (fchmod(fd, 0666) && errno != EPERM) {
			complain("%s: other users may not lock it: %s", path, strerror(errno));
		}
	}
	free(path);
	return fd;
}

bool lock_take(const char *folder, const char *machine, const char *purpose, struct error *error)
{
	int fd = guard(folder, error);
	char *path = lock_path(folder, machine), who[512];
	struct lock_info info;
	bool good = fd >= 0;

	if (good && lock_look(folder, machine, &info) == LOCK_HELD) {
		lock_describe(&info, who, sizeof(who));
		good = error_set(error, "%s belongs to %s", machine, who);
	}
	if (good) {
		own_info(&info, purpose);
		good = write_lock(path, &info, error);
	}
	if (fd >= 0)
		close(fd);
	free(path);
	return good;
}

/* What cannot be looked at is not known to be lost. */
bool lock_renew(const char *folder, const char *machine)
{
	struct error error;
	int fd = guard(folder, &error);
	char *path = lock_path(folder, machine);
	struct lock_info info;
	bool mine = fd < 0 || lock_look(folder, machine, &info) == LOCK_MINE, good = fd >= 0;

	if (good && mine)
		good = write_lock(path, &info, &error);
	if (mine && !good)
		complain("%s: the lock cannot be renewed: %s", machine, error.text);
	if (fd >= 0)
		close(fd);
	free(path);
	return mine;
}

void lock_release(const char *folder, const char *machine)
{
	struct error error;

	if (!lock_break(folder, machine, false, &error))
		complain("%s", error.text);
}

bool lock_break(const char *folder, const char *machine, bool force, struct error *error)
{
	int fd = guard(folder, error);
	char *path = lock_path(folder, machine), who[512];
	struct lock_info info;
	bool good = fd >= 0;

	if (good && lock_look(folder, machine, &info) == LOCK_HELD && !force) {
		lock_describe(&info, who, sizeof(who));
		good = error_set(error, "%s belongs to %s, who is still at it; --force takes it away", machine, who);
	}
	if (good && unlink(path) && errno != ENOENT)
		good = error_set(error, "cannot remove %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	free(path);
	return good;
}

void lock_describe(const struct lock_info *info, char *out, size_t size)
{
	snprintf(out, size, "%s on %s, process %ld, since %s, for %s", info->owner, info->host, info->pid,
		 info->since, info->purpose);
}
