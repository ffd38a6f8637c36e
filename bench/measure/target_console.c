/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines that hbench does not start itself but listens to: a real one on a serial line, one behind a console
 * server, or the recorded console of one. A command of the user's may start or reset the machine for each boot.
 */
#include "measure/target_console.h"

#include "host/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

enum { CONNECT_SECONDS = 10 };

static const struct {
	unsigned rate;
	speed_t speed;
} speeds[] = {
	{9600, B9600},     {19200, B19200},   {38400, B38400},   {57600, B57600},     {115200, B115200},
	{230400, B230400}, {460800, B460800}, {921600, B921600}, {1000000, B1000000}, {1500000, B1500000},
};

static bool find_speed(unsigned rate, speed_t *speed)
{
	for (size_t i = 0; i < array_size(speeds); i++)
		if (speeds[i].rate == rate) {
			*speed = speeds[i].speed;
			return true;
		}
	return false;
}

/* Raw, 8N1, without flow control and modem lines; what has come before is thrown away. */
static bool set_up_line(int fd, unsigned rate, struct error *error)
{
	struct termios settings;
	speed_t speed;

	if (!find_speed(rate, &speed))
		return error_set(error, "%u baud is no rate of serial lines; usual are 115200 and 9600", rate);
	if (tcgetattr(fd, &settings))
		return error_set(error, "it is not a serial line: %s", strerror(errno));
	cfmakeraw(&settings);
	settings.c_cflag = (settings.c_cflag & ~(tcflag_t)(CSTOPB | CRTSCTS)) | CLOCAL | CREAD;
	settings.c_cc[VMIN] = 1;
	settings.c_cc[VTIME] = 0;
	if (cfsetspeed(&settings, speed) || tcsetattr(fd, TCSANOW, &settings) || tcflush(fd, TCIOFLUSH))
		return error_set(error, "it cannot be set to %u baud: %s", rate, strerror(errno));
	return true;
}

static int open_line(const char *path, struct error *error)
{
	int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == EBUSY)
		error_store(error, "%s is in use by another program", path);
	else if (fd < 0)
		error_store(error, "cannot open %s: %s%s", path, strerror(errno),
			    errno == EACCES ? " (you may have to join the group that owns it: dialout)" : "");
	return fd;
}

int target_console_serial(const struct machine_config *config, struct error *error)
{
	int fd = open_line(config->console, error);
	struct error why;

	if (fd < 0)
		return -1;
	ioctl(fd, TIOCEXCL); /* from now on only root can open it */
	if (set_up_line(fd, config->baud, &why))
		return fd;
	error_store(error, "%s: %.900s", config->console, why.text);
	target_console_close(fd);
	return -1;
}

/* A line stays exclusive as long as anybody has it open: a program that had it before, the other end of a pty. */
void target_console_close(int fd)
{
	ioctl(fd, TIOCNXCL);
	close(fd);
}

static int connect_one(const struct addrinfo *address)
{
	int fd =
		socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address->ai_protocol);
	struct pollfd ready = {fd, POLLOUT, 0};
	int code = 0;
	socklen_t size = sizeof(code);

	if (fd < 0)
		return -1;
	if (!connect(fd, address->ai_addr, address->ai_addrlen))
		return fd;
	code = errno;
	if (code == EINPROGRESS && poll(&ready, 1, CONNECT_SECONDS * 1000) == 0)
		code = ETIMEDOUT;
	else if (code == EINPROGRESS)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
	if (!code)
		return fd;
	close(fd);
	errno = code;
	return -1;
}

/* "host:port", "[address]:port" */
static bool split_address(const char *where, char *host, size_t size, const char **port)
{
	const char *colon = strrchr(where, ':');
	size_t len = colon ? (size_t)(colon - where) : 0;
	bool brackets = len > 2 && where[0] == '[' && where[len - 1] == ']';

	if (!len || !colon[1] || len >= size)
		return false;
	snprintf(host, size, "%.*s", (int)(len - 2 * brackets), where + brackets);
	*port = colon + 1;
	return true;
}

int target_console_tcp(const struct machine_config *config, struct error *error)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	char host[256];
	const char *port;
	int fd = -1, code;

	if (!split_address(config->console, host, sizeof(host), &port)) {
		error_store(error, "`%s` is not HOST:PORT", config->console);
		return -1;
	}
	code = getaddrinfo(host, port, &hints, &list);
	errno = ENOENT;
	for (struct addrinfo *at = list; !code && at && fd < 0; at = at->ai_next)
		fd = connect_one(at);
	if (fd < 0)
		error_store(error, "cannot connect to %s: %s", config->console,
			    code ? gai_strerror(code) : strerror(errno));
	if (list)
		freeaddrinfo(list);
	return fd;
}

static int open_file(const struct machine_config *config, struct error *error)
{
	int fd = open(config->console, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		error_store(error, "cannot open %s: %s", config->console, strerror(errno));
	return fd;
}

static void tell(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

/* What the user's command has to know to start the machine with the right programs. */
static void tell_command(const struct machine_config *config)
{
	char *words = xasprintf("serial novga%s%s", *config->append ? " " : "", config->append);
	char *boot = xasprintf("%u", config->boot);
	char *kernel = config->kernel ? realpath(config->kernel, NULL) : NULL;
	char *roottask = config->roottask ? realpath(config->roottask, NULL) : NULL;

	tell("HBENCH_KERNEL", kernel);
	tell("HBENCH_ROOTTASK", roottask);
	tell("HBENCH_APPEND", words);
	tell("HBENCH_ROOT_WORDS", config->root_words);
	tell("HBENCH_BOOT", boot);
	free(roottask);
	free(kernel);
	free(boot);
	free(words);
}

static void prepare_start(const struct machine_config *config, struct launch *launch)
{
	const char *const words[] = {"sh", "-c", config->start};

	if (!config->start) {
		fprintf(stderr, "hbench: start the machine now (boot %u); --start COMMAND would do it\n",
			config->boot);
		return;
	}
	tell_command(config);
	launch->argv = xcalloc(array_size(words) + 1, sizeof(*launch->argv));
	for (size_t i = 0; i < array_size(words); i++)
		launch->argv[i] = xstrdup(words[i]);
	launch->in_place = true;
}

static bool prepare(const struct machine_config *config, struct launch *launch, struct error *error,
		    int (*open_console)(const struct machine_config *, struct error *))
{
	struct machine_config without_images = {0};

	if (!launch_create(launch, &without_images, error))
		return false;
	launch->console = open_console(config, error);
	return launch->console >= 0;
}

static bool prepare_serial(const struct machine_config *config, struct launch *launch, struct error *error)
{
	if (!prepare(config, launch, error, target_console_serial))
		return false;
	prepare_start(config, launch);
	return true;
}

static bool prepare_tcp(const struct machine_config *config, struct launch *launch, struct error *error)
{
	if (!prepare(config, launch, error, target_console_tcp))
		return false;
	launch->telnet = true;
	prepare_start(config, launch);
	return true;
}

static bool prepare_file(const struct machine_config *config, struct launch *launch, struct error *error)
{
	return prepare(config, launch, error, open_file);
}

const struct target target_serial = {
	.name = "serial",
	.metric = "ticks",
	.real = true,
	.default_timeout = 900,
	.prepare = prepare_serial,
};

const struct target target_tcp = {
	.name = "tcp",
	.metric = "ticks",
	.real = true,
	.default_timeout = 900,
	.prepare = prepare_tcp,
};

const struct target target_file = {
	.name = "file",
	.metric = "ticks",
	.real = true,
	.default_timeout = 60,
	.prepare = prepare_file,
};
