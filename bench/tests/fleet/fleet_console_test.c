/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each kind of console, with its other end in this process. */
#include "test.h"

#include "fleet/console.h"
#include "host/mem.h"

#include "loopback.h"
#include "scratch.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct inventory inventory = {.folder = folder};
static struct console console;

static void open_console(const struct inventory_console *settings)
{
	const struct inventory_machine machine = {.console = *settings};
	struct error error;

	if (!console_open(&console, &inventory, &machine, &error))
		fail_msg("%s", error.text);
	console.settings = settings;
}

/* What comes has to be this, nothing more, nothing less. */
static void expect_bytes(const char *wanted)
{
	char data[256], all[512] = "";
	size_t used = 0;

	for (int i = 0; i < 50 && used < strlen(wanted); i++) {
		size_t len = console_read(&console, data, sizeof(data));

		memcpy(all + used, data, len);
		used += len;
	}
	all[used] = '\0';
	assert_string_equal(all, wanted);
}

static void expect_end(bool ended)
{
	char data[16];

	for (int i = 0; i < 5 && !console.ended; i++)
		assert_int_equal(console_read(&console, data, sizeof(data)), 0);
	assert_int_equal(console.ended, ended);
	console_close(&console);
}

static void say(int fd, const char *text, size_t size)
{
	assert_int_equal(write(fd, text, size), (ssize_t)size);
}

UNIT_TEST(serial_line)
{
	char name[128];
	int line, other, exclusive;
	struct inventory_console settings = {.type = CONSOLE_TTY, .device = name, .speed = 115200};

	assert_int_equal(openpty(&line, &other, name, NULL, NULL), 0);
	open_console(&settings);
	say(line, "hello\r\n\033[1m", 11);
	expect_bytes("hello\r\n\033[1m");
	assert_int_equal(ioctl(other, TIOCGEXCL, &exclusive), 0);
	assert_true(exclusive);
	console_close(&console);
	assert_int_equal(ioctl(other, TIOCGEXCL, &exclusive), 0);
	assert_false(exclusive); /* or the next attempt could not open it */
	open_console(&settings);
	close(line);
	close(other);
	expect_end(true);
}

/* A console server speaks telnet in between. */
UNIT_TEST(console_server)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int server = socket(AF_INET, SOCK_STREAM, 0), client;
	socklen_t size = sizeof(address);
	unsigned char answer[3];
	char *where;

	need_loopback();
	assert_true(!bind(server, (struct sockaddr *)&address, sizeof(address)) && !listen(server, 1));
	assert_int_equal(getsockname(server, (struct sockaddr *)&address, &size), 0);
	where = xasprintf("127.0.0.1:%u", ntohs(address.sin_port));
	struct inventory_console settings = {.type = CONSOLE_TCP, .address = where};

	open_console(&settings);
	client = accept(server, NULL, NULL);
	say(client, "he\xff\xfb\x01llo\n", 9);
	expect_bytes("hello\n");
	assert_int_equal(read(client, answer, 3), 3);
	assert_int_equal(answer[1], 254); /* DONT */
	close(client);
	expect_end(true);
	close(server);
	free(where);
}

/* QEMU makes the socket once it runs; one of an earlier QEMU does not count. */
UNIT_TEST(socket_of_qemu)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int old = socket(AF_UNIX, SOCK_STREAM, 0), server = socket(AF_UNIX, SOCK_STREAM, 0), client;
	char data[16];

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/qemu", folder);
	struct inventory_console settings = {.type = CONSOLE_QEMU, .path = address.sun_path};

	assert_true(!bind(old, (struct sockaddr *)&address, sizeof(address)) && !listen(old, 1));
	open_console(&settings);
	assert_int_equal(console_read(&console, data, sizeof(data)), 0);
	assert_true(!bind(server, (struct sockaddr *)&address, sizeof(address)) && !listen(server, 1));
	assert_int_equal(console_read(&console, data, sizeof(data)), 0);
	client = accept(server, NULL, NULL);
	say(client, "hello\n", 6);
	expect_bytes("hello\n");
	close(client);
	expect_end(true);
	close(server);
	close(old);
}

UNIT_TEST(program)
{
	char sh[] = "sh", option[] = "-c", text[] = "pwd; echo hello >&2", *command[] = {sh, option, text};
	struct inventory_console settings = {.type = CONSOLE_COMMAND, .command = command, .command_count = 3};
	char *wanted = xasprintf("%s\nhello\n", folder);

	open_console(&settings);
	expect_bytes(wanted);
	expect_end(true);
	free(wanted);
}

/* What was there before does not count; the file may be begun anew, and its end is none. */
UNIT_TEST(file_that_grows)
{
	char *path = xasprintf("%s/log", folder);
	struct inventory_console settings = {.type = CONSOLE_FILE, .path = path};
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	say(fd, "old\n", 4);
	open_console(&settings);
	say(fd, "hello\n", 6);
	expect_bytes("hello\n");
	assert_int_equal(ftruncate(fd, 0), 0);
	say(fd, "new\n", 4);
	expect_bytes("new\n");
	expect_end(false);
	close(fd);
	free(path);
}

UNIT_TEST(pipe_with_a_name)
{
	char *path = xasprintf("%s/fifo", folder);
	struct inventory_console settings = {.type = CONSOLE_FILE, .path = path};
	int fd;

	assert_int_equal(mkfifo(path, 0600), 0);
	open_console(&settings);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	say(fd, "hello\n", 6);
	expect_bytes("hello\n");
	close(fd);
	expect_end(false);
	free(path);
}

UNIT_TEST(none_there)
{
	char path[] = "/nonexistent/tty", nowhere[] = "127.0.0.1:1", nothing[] = "/nonexistent/program";
	char *command[] = {nothing};
	const struct inventory_machine machines[] = {
		{.console = {.type = CONSOLE_TTY, .device = path, .speed = 115200}},
		{.console = {.type = CONSOLE_TCP, .address = nowhere}},
		{.console = {.type = CONSOLE_FILE, .path = path}},
		{.console = {.type = CONSOLE_COMMAND, .command = command, .command_count = 1}},
	};
	struct error error;

	for (size_t i = 0; i < array_size(machines); i++) {
		assert_false(console_open(&console, &inventory, &machines[i], &error));
		console_close(&console);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serial_line), cmocka_unit_test(console_server),  cmocka_unit_test(socket_of_qemu),
		cmocka_unit_test(program),     cmocka_unit_test(file_that_grows), cmocka_unit_test(pipe_with_a_name),
		cmocka_unit_test(none_there),
	};

	return cmocka_run_group_tests(tests, scratch_set_up, scratch_tear_down);
}
