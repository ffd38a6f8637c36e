/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bisect/command.h"

#include "host/file.h"
#include "host/mem.h"
#include "measure/child.h"
#include "measure/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_MAX = 16 << 20, LOOK_MS = 100 };

static bool wait_for(struct child *child)
{
	while (!child_ended(child)) {
		struct pollfd fd = {child->exit_fd, POLLIN, 0};

		if (run_interrupted()) {
			child_end(child);
			return false;
		}
		poll(&fd, 1, LOOK_MS);
	}
	return true;
}

static int run_into(char *const argv[], const char *folder, int out, int err, struct error *error)
{
	struct child child;

	if (!child_start(&child, argv, folder, out, err, error))
		return -1;
	if (!wait_for(&child)) {
		error_store(error, "interrupted");
		return -1;
	}
	if (!WIFEXITED(child.status)) {
		error_store(error, "%s was killed by signal %d", argv[0], WTERMSIG(child.status));
		return -1;
	}
	return WEXITSTATUS(child.status);
}

int command_run(char *const argv[], const char *folder, const char *log, struct error *error)
{
	int fd = open(log, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0666), code;

	if (fd < 0) {
		error_store(error, "cannot write %s: %s", log, strerror(errno));
		return -1;
	}
	code = run_into(argv, folder, fd, fd, error);
	close(fd);
	return code;
}

static void trim(char *text)
{
	size_t len = strlen(text);

	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
}

static char *read_back(int fd, struct error *error)
{
	char *path = xasprintf("/proc/self/fd/%d", fd), *text;
	size_t size;

	text = file_read(path, OUTPUT_MAX, &size, error);
	free(path);
	if (text)
		trim(text);
	return text;
}

char *command_read(char *const argv[], const char *folder, struct error *error)
{
	int out = memfd_create("output", MFD_CLOEXEC), err = memfd_create("errors", MFD_CLOEXEC), code;
	char *text = NULL, *complaint;
	struct error ignored;

	code = run_into(argv, folder, out, err, error);
	if (!code) {
		text = read_back(out, error);
	} else if (code > 0) {
		complaint = read_back(err, &ignored);
		error_store(error, "%s %s: %.900s", argv[0], argv[1], complaint ? complaint : "failed");
		free(complaint);
	}
	close(err);
	close(out);
	return text;
}
