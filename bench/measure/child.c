/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/child.h"

#include "host/clock.h"
#include "host/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child: everything before the program takes over. Returns only when that fails. */
static void become(char *const argv[], const char *folder, int in, int out, int err, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127); /* the parent died before the request above */
	setpgid(0, 0);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0 || (folder && chdir(folder)))
		return;
	execvp(argv[0], argv);
}

bool child_start_talking(struct child *child, char *const argv[], const char *folder, int in, int out, int err,
			 struct error *error)
{
	int report[2], code = 0;
	pid_t parent = getpid();

	*child = (struct child){.exit_fd = -1};
	if (pipe2(report, O_CLOEXEC))
		return error_set(error, "cannot create a pipe: %s", strerror(errno));
	child->pid = fork();
	if (!child->pid) {
		become(argv, folder, in, out, err, parent);
		code = errno;
		if (write(report[1], &code, sizeof(code)) < 0)
			_exit(126);
		_exit(127);
	}
	close(report[1]);
	if (child->pid < 0)
		code = errno;
	else if (read(report[0], &code, sizeof(code)) != sizeof(code))
		code = 0; /* closed by a successful exec */
	close(report[0]);
	if (code) {
		if (child->pid > 0)
			waitpid(child->pid, NULL, 0);
		child->pid = 0;
		return error_set(error, "cannot start %s: %s", argv[0], strerror(code));
	}
	child->exit_fd = pidfd_open(child->pid, 0);
	return true;
}

bool child_start(struct child *child, char *const argv[], const char *folder, int out, int err, struct error *error)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	bool good;

	*child = (struct child){.exit_fd = -1};
	if (null < 0)
		return error_set(error, "cannot open /dev/null: %s", strerror(errno));
	good = child_start_talking(child, argv, folder, null, out, err, error);
	close(null);
	return good;
}

bool child_ended(struct child *child)
{
	if (!child->pid)
		return true;
	if (waitpid(child->pid, &child->status, WNOHANG) != child->pid)
		return false;
	if (child->exit_fd >= 0)
		close(child->exit_fd);
	child->pid = 0;
	child->exit_fd = -1;
	return true;
}

bool child_wait(struct child *child, double seconds)
{
	double until = clock_seconds() + seconds;

	while (!child_ended(child)) {
		struct pollfd fd = {child->exit_fd, POLLIN, 0};

		if (clock_seconds() >= until)
			return false;
		poll(&fd, 1, 20);
	}
	return true;
}

void child_end(struct child *child)
{
	if (!child->pid)
		return;
	kill(-child->pid, SIGTERM);
	if (child_wait(child, 2))
		return;
	kill(-child->pid, SIGKILL);
	child_wait(child, 10);
}

bool child_run(char *const argv[], const char *folder, int out, int err, double seconds, struct error *error)
{
	struct child child;

	if (!child_start(&child, argv, folder, out, err, error))
		return false;
	if (!child_wait(&child, seconds)) {
		child_end(&child);
		return error_set(error, "%s did not end within %.0f s", argv[0], seconds);
	}
	if (!WIFEXITED(child.status) || WEXITSTATUS(child.status))
		return error_set(error, "%s failed (status %d)", argv[0],
				 WIFEXITED(child.status) ? WEXITSTATUS(child.status) : 128 + WTERMSIG(child.status));
	return true;
}
