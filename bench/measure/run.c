/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/run.h"

#include "host/clock.h"
#include "host/mem.h"
#include "measure/child.h"
#include "measure/lines.h"
#include "measure/telnet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const double grace_after_end = 5.0, grace_after_fault = 0.5;

static volatile sig_atomic_t interrupted;

struct machine {
	const struct launch *launch;
	struct session *session;
	struct progress *progress;
	FILE *log;
	struct child child;
	struct lines lines;
	struct telnet telnet;
	int console; /* non-blocking */
	int writer;  /* the console's other end, for the child; -1 for a FIFO */
	int messages;
	off_t told; /* bytes of the emulator's messages that were read so far */
	double deadline;
	bool over_seen;
	bool closed; /* nobody writes to the console any more */
};

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

void run_catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN); /* a console server that goes away */
}

bool run_interrupted(void)
{
	return interrupted;
}

static bool open_console(struct machine *m)
{
	int ends[2];

	if (m->launch->console >= 0) {
		m->console = m->launch->console;
		return true;
	}
	if (m->launch->fifo) {
		char *path = launch_path(m->launch, m->launch->fifo);

		/* Open for writing as well: the emulator need not come first and its close is no end of file. */
		m->console = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		free(path);
		return m->console >= 0;
	}
	if (pipe2(ends, O_CLOEXEC))
		return false;
	m->console = ends[0];
	m->writer = ends[1];
	return !fcntl(m->console, F_SETFL, O_NONBLOCK);
}

static bool open_files(struct machine *m, struct error *error)
{
	char *path = launch_path(m->launch, "emulator.txt");

	m->messages = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	free(path);
	if (m->messages < 0 || !open_console(m))
		return error_set(error, "cannot open the console: %s", strerror(errno));
	return true;
}

static void close_files(struct machine *m)
{
	bool own = m->console != m->launch->console;
	int files[] = {own ? m->console : -1, m->writer, m->messages};

	for (size_t i = 0; i < array_size(files); i++)
		if (files[i] >= 0)
			close(files[i]);
}

static void on_line(void *context, const char *line, size_t len, bool cut)
{
	struct machine *m = context;

	session_line(m->session, line, len, cut);
}

static void answer(void *context, const unsigned char *bytes)
{
	struct machine *m = context;

	/* An answer that gets lost leaves the server with its defaults, which serve as well. */
	if (write(m->console, bytes, TELNET_REPLY_MAX) < 0 && errno == EPIPE)
		m->closed = true;
}

/* Reads what is there; false when there is nothing. */
static bool listen_once(struct machine *m)
{
	char data[16384];
	ssize_t len = read(m->console, data, sizeof(data));

	m->closed = m->closed || !len || (len < 0 && errno != EAGAIN && errno != EINTR);
	if (len <= 0)
		return false;
	if (m->launch->telnet)
		len = (ssize_t)telnet_filter(&m->telnet, data, (size_t)len, answer, m);
	fwrite(data, 1, (size_t)len, m->log);
	lines_feed(&m->lines, data, (size_t)len, on_line, m);
	return true;
}

static void listen_to_the_last(struct machine *m)
{
	while (listen_once(m))
		;
	lines_finish(&m->lines, on_line, m);
}

static void wait_a_moment(const struct machine *m)
{
	struct pollfd fds[] = {{m->closed ? -1 : m->console, POLLIN, 0}, {m->child.exit_fd, POLLIN, 0}};

	poll(fds, array_size(fds), 100);
}

/* When all is said the machine gets a moment more: to leave in order, or to print registers after a panic. */
static void shorten_deadline(struct machine *m)
{
	double grace = m->session->fault == FAULT_NONE ? grace_after_end : grace_after_fault;
	double soon = clock_seconds() + grace;

	if (m->over_seen || !session_over(m->session))
		return;
	m->over_seen = true;
	m->deadline = soon;
}

/* The user's command that was to start the machine did not. */
static bool start_failed(struct machine *m)
{
	return m->launch->console >= 0 && m->launch->argv && child_ended(&m->child) && m->child.status;
}

/* An emulator ends with its machine. A real one only goes silent, but its console can go away. */
static bool gone(struct machine *m)
{
	if (m->launch->console >= 0)
		return m->closed || start_failed(m);
	return child_ended(&m->child);
}

/* QEMU stays, paused, when KVM cannot execute what comes next. */
static void look_at_messages(struct machine *m)
{
	struct stat file;
	char *line;

	if (fstat(m->messages, &file) || file.st_size == m->told)
		return;
	m->told = file.st_size;
	line = launch_find_line(m->launch, "emulator.txt", "KVM internal error");
	if (line)
		session_fault(m->session, FAULT_EMULATOR, "%s: %.500s", m->launch->argv[0], line);
	free(line);
}

static void listen(struct machine *m)
{
	while (!interrupted && !gone(m)) {
		if (clock_seconds() >= m->deadline)
			return;
		wait_a_moment(m);
		/* One read at a time, so that a machine that never stops talking cannot escape the deadline. */
		listen_once(m);
		look_at_messages(m);
		shorten_deadline(m);
		progress_update(m->progress, m->session);
	}
}

/* The last line of what the emulator itself said. */
static char *last_message(const struct launch *launch)
{
	char *path = launch_path(launch, "emulator.txt"), *line = NULL, *last = NULL;
	FILE *file = fopen(path, "re");
	size_t room = 0;

	while (file && getline(&line, &room, file) > 0) {
		line[strcspn(line, "\r\n")] = '\0';
		if (!*line)
			continue;
		free(last);
		last = xstrdup(line);
	}
	if (file)
		fclose(file);
	free(line);
	free(path);
	return last ? last : xstrdup("it said nothing");
}

/* The emulator ended by itself: does its status fit what the console said? */
static void judge_status(struct machine *m)
{
	const struct launch *launch = m->launch;
	int status = m->child.status, code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	bool told = launch->good_status >= 0;

	if (!m->session->seen_end) {
		if (code && !m->session->boot_line[0] && !m->session->seen_run) {
			char *message = last_message(launch);

			session_fault(m->session, FAULT_EMULATOR, "%s ended with status %d: %.500s", launch->argv[0],
				      code, message);
			free(message);
		}
		return;
	}
	if (m->session->failed_count || !told || code == launch->good_status)
		return;
	if (code == launch->failed_status)
		session_fault(m->session, FAULT_FAILED, "the roottask ended with its code for failure");
	else
		session_fault(m->session, FAULT_EXIT, "status %d instead of %d", code, launch->good_status);
}

static void judge_start(struct machine *m)
{
	char *message = last_message(m->launch);

	session_fault(m->session, FAULT_START, "status %d: %.500s",
		      WIFEXITED(m->child.status) ? WEXITSTATUS(m->child.status) : 128 + WTERMSIG(m->child.status),
		      message);
	free(message);
}

/* What the end of the machine says, besides what it said itself. */
static void judge_end(struct machine *m, bool by_itself, unsigned timeout)
{
	bool emulator = m->launch->console < 0;

	if (by_itself && emulator)
		judge_status(m);
	else if (start_failed(m) && !session_over(m->session))
		judge_start(m);
	else if (!by_itself && !session_over(m->session))
		session_time_over(m->session, timeout);
	else if (emulator && m->session->fault == FAULT_NONE)
		complain("note: the machine was done and did not power off, so it was ended");
	session_finish(m->session);
}

static enum run_end conclude(struct machine *m, unsigned timeout)
{
	bool by_itself = gone(m);

	if (m->launch->console < 0)
		child_end(&m->child);
	listen_to_the_last(m);
	progress_finish(m->progress, m->session);
	if (!interrupted)
		judge_end(m, by_itself, timeout);
	child_end(&m->child);
	if (interrupted)
		return RUN_INTERRUPTED;
	return m->session->fault == FAULT_NONE ? RUN_GOOD : RUN_INVALID;
}

static bool start(struct machine *m, struct error *error)
{
	const struct launch *launch = m->launch;

	if (!launch->argv)
		return true;
	return child_start(&m->child, launch->argv, launch->in_place ? NULL : launch->folder,
			   m->writer >= 0 ? m->writer : m->messages, m->messages, error);
}

enum run_end run_boot(const struct launch *launch, unsigned timeout, FILE *log, struct session *session,
		      struct progress *progress, struct error *error)
{
	struct machine *m = xcalloc(1, sizeof(*m));
	enum run_end end = RUN_NOT_STARTED;

	*m = (struct machine){launch, session, progress, log, .console = -1, .writer = -1, .messages = -1};
	m->deadline = clock_seconds() + timeout;
	m->child.exit_fd = -1;
	if (open_files(m, error) && start(m, error)) {
		if (m->writer >= 0)
			close(m->writer);
		m->writer = -1;
		listen(m);
		end = conclude(m, timeout);
	}
	close_files(m);
	free(m);
	return end;
}
