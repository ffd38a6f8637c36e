/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/file.h"

#include "host/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char *read_all(FILE *file, size_t max, size_t *size)
{
	size_t room = 4096, used = 0;
	char *data = xreallocarray(NULL, room + 1, 1);

	for (;;) {
		used += fread(data + used, 1, room - used, file);
		if (used < room || used > max)
			break;
		room *= 2;
		data = xreallocarray(data, room + 1, 1);
	}
	data[used] = '\0';
	*size = used;
	return data;
}

char *file_read(const char *path, size_t max, size_t *size, struct error *error)
{
	FILE *file = fopen(path, "re");
	char *data;

	if (!file) {
		error_store(error, "cannot open %s: %s", path, strerror(errno));
		return NULL;
	}
	errno = 0;
	data = read_all(file, max, size);
	if (ferror(file)) {
		error_store(error, "cannot read %s: %s", path, strerror(errno));
	} else if (*size > max) {
		error_store(error, "%s is larger than the %zu MiB that make sense here", path, max >> 20);
	} else {
		fclose(file);
		return data;
	}
	fclose(file);
	free(data);
	return NULL;
}

bool file_replace(const char *path, const char *data, size_t size, struct error *error)
{
	char *scratch = xasprintf("%s.XXXXXX", path);
	int fd = mkostemp(scratch, O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	bool good = file && fwrite(data, 1, size, file) == size && !fflush(file) && !fchmod(fd, 0644);

	if (file && fclose(file))
		good = false;
	if (good && rename(scratch, path))
		good = false;
	if (!good) {
		error_store(error, "cannot write %s: %s", path, strerror(errno));
		if (fd >= 0)
			unlink(scratch);
	}
	free(scratch);
	return good;
}

bool file_make_folders(const char *path, struct error *error)
{
	char *copy = xstrdup(path);
	bool good = true;

	for (char *end = copy; good && *end; *end = '/') {
		end += strspn(end, "/");
		end += strcspn(end, "/");
		bool last = !*end;

		*end = '\0';
		if (mkdir(copy, 0777) && errno != EEXIST)
			good = error_set(error, "cannot create the folder %s: %s", copy, strerror(errno));
		if (last)
			break;
	}
	free(copy);
	return good;
}

int file_open_below(int folder, const char *path, int access)
{
	struct open_how how = {
		.flags = (unsigned)(access | O_CLOEXEC | O_NONBLOCK | O_NOCTTY),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, folder, path, &how, sizeof(how));
	struct stat data;

	if (fd < 0 || (!fstat(fd, &data) && S_ISREG(data.st_mode)))
		return fd;
	close(fd);
	return -1;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
	(void)stat;
	(void)type;
	(void)walk;
	return remove(path);
}

void file_remove_folder(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
