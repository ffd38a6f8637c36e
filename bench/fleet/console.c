/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/console.h"

#include "host/error.h"
#include "host/mem.h"
#include "measure/target_console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAIT_MS = 100 };

static void wait_a_moment(void)
{
	poll(NULL, 0, WAIT_MS);
}

/* What an earlier run left there must not count. It is an emulator's file, which it writes anew. */
static bool empty_file(const char *path, struct error *error)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0666);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || errno == ENXIO /* a FIFO without a reader */ ||
	       error_set(error, "cannot use %s: %s", path, strerror(errno));
}

static bool open_file(struct console *c, struct error *error)
{
	const char *path = c->settings->path;
	struct stat data;
	bool fifo = !stat(path, &data) && S_ISFIFO(data.st_mode);

	if (!fifo && !empty_file(path, error))
		return false;
	c->fd = open(path, (fifo ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC);
	return c->fd >= 0 || error_set(error, "cannot open %s: %s", path, strerror(errno));
}

static bool start_command(struct console *c, const struct inventory *inventory, struct error *error)
{
	char **argv = xcalloc(c->settings->command_count + 1, sizeof(*argv));
	int ends[2];
	bool good =
		!pipe2(ends, O_CLOEXEC | O_NONBLOCK) || error_set(error, "cannot create a pipe: %s", strerror(errno));

	memcpy(argv, c->settings->command, c->settings->command_count * sizeof(*argv));
	if (good) {
		good = child_start(&c->child, argv, inventory->folder, ends[1], ends[1], error);
		close(ends[1]);
		c->fd = ends[0];
	}
	free(argv);
	return good;
}

/* Once QEMU is there and listens. */
static void connect_to_qemu(struct console *c)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", c->settings->path);
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof(address)))
		c->fd = fd;
	else if (fd >= 0)
		close(fd);
}

static bool open_target(struct console *c, int (*open_one)(const struct machine_config *, struct error *),
			const char *where, struct error *error)
{
	const struct machine_config config = {.console = where, .baud = c->settings->speed};

	c->fd = open_one(&config, error);
	return c->fd >= 0;
}

/* The socket of a QEMU that is gone would be taken for that of the next one. */
static bool forget_socket(const char *path, struct error *error)
{
	if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return error_set(error, "%s is too long for a socket's path", path);
	return !unlink(path) || errno == ENOENT ||
	       error_set(error, "cannot remove the socket %s: %s", path, strerror(errno));
}

bool console_open(struct console *c, const struct inventory *inventory, const struct inventory_machine *machine,
		  struct error *error)
{
	const struct inventory_console *settings = &machine->console;

	*c = (struct console){.settings = settings, .fd = -1};
	c->child.exit_fd = -1;
	switch (settings->type) {
	case CONSOLE_TTY:
		return open_target(c, target_console_serial, settings->device, error);
	case CONSOLE_TCP:
		return open_target(c, target_console_tcp, settings->address, error);
	case CONSOLE_COMMAND:
		return start_command(c, inventory, error);
	case CONSOLE_FILE:
		return open_file(c, error);
	case CONSOLE_QEMU:
		return forget_socket(settings->path, error);
	case CONSOLE_IPMI:
		return console_ipmi_open(&c->ipmi, inventory, machine, error);
	case CONSOLE_RAM:
		return mailbox_open(&c->mailbox, inventory, machine, error);
	}
	return false;
}

static void answer(void *context, const unsigned char *bytes)
{
	const struct console *c = context;

	/* An answer that gets lost leaves the server with its defaults, which serve as well. */
	if (write(c->fd, bytes, TELNET_REPLY_MAX) < 0)
		return;
}

/* The end of a file is none while its writer lives; a shorter file is a new one. */
static void at_end_of_file(struct console *c)
{
	struct stat data;

	if (!fstat(c->fd, &data) && S_ISREG(data.st_mode) && data.st_size < c->at)
		c->at = lseek(c->fd, 0, SEEK_SET);
	wait_a_moment();
}

static size_t nothing_read(struct console *c, ssize_t len)
{
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (!len && c->settings->type == CONSOLE_FILE)
		at_end_of_file(c);
	else
		c->ended = true;
	return 0;
}

size_t console_read(struct console *c, char *data, size_t size)
{
	struct pollfd ready = {c->fd, POLLIN, 0};
	ssize_t len;

	if (c->settings->type == CONSOLE_IPMI)
		return console_ipmi_read(&c->ipmi, data, size, &c->ended);
	if (c->fd < 0 && c->settings->type == CONSOLE_QEMU)
		connect_to_qemu(c);
	if (c->fd < 0 && c->settings->type == CONSOLE_RAM)
		c->fd = mailbox_take(&c->mailbox);
	if (c->fd < 0 || c->ended) {
		wait_a_moment();
		return 0;
	}
	if (poll(&ready, 1, WAIT_MS) <= 0)
		return 0;
	len = read(c->fd, data, size);
	if (len <= 0)
		return nothing_read(c, len);
	c->at += len;
	if (c->settings->type == CONSOLE_TCP)
		len = (ssize_t)telnet_filter(&c->telnet, data, (size_t)len, answer, c);
	return (size_t)len;
}

void console_close(struct console *c)
{
	if (c->settings->type == CONSOLE_IPMI)
		console_ipmi_close(&c->ipmi);
	if (c->settings->type == CONSOLE_RAM)
		mailbox_close(&c->mailbox);
	child_end(&c->child);
	if (c->fd >= 0)
		target_console_close(c->fd);
	c->fd = -1;
}
