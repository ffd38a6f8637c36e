/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Serial over LAN, with a script in the place of ipmitool. */
#include "test.h"

#include "fleet/console.h"
#include "host/clock.h"
#include "host/file.h"
#include "host/mem.h"
#include "measure/child.h"

#include "scratch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct inventory inventory = {.folder = folder};
static struct inventory_machine machine = {.name = (char *)"one"};
static struct console console;

static void put(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", folder, name);
	struct error error;

	assert_true(file_replace(path, text, strlen(text), &error));
	free(path);
}

static void expect_calls(const char *wanted)
{
	char *path = xasprintf("%s/calls", folder);
	struct error error;
	size_t size;
	char *text = file_read(path, 4096, &size, &error);

	assert_non_null(text);
	assert_string_equal(text, wanted);
	free(text);
	free(path);
}

/* A controller without a past. patience: in seconds. */
static void begin(unsigned patience)
{
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)"rm -f busy deaf calls say.* drop.*", NULL};
	struct error error;

	assert_true(child_run(argv, folder, STDOUT_FILENO, STDERR_FILENO, 120, &error));
	machine.timeouts.power = patience;
	machine.console = (struct inventory_console){.type = CONSOLE_IPMI, .instance = 1};
	machine.console.bmc.host = machine.console.bmc.user = (char *)"bmc";
	machine.console.bmc.password_file = (char *)"/secret";
}

static void open_console(void)
{
	struct error error;

	if (!console_open(&console, &inventory, &machine, &error))
		fail_msg("%s", error.text);
}

/* What comes has to be this, nothing more, nothing less. */
static void expect_bytes(const char *wanted)
{
	char data[256], all[512] = "";
	double until = clock_seconds() + 120;
	size_t used = 0;

	while (used < strlen(wanted) && !console.ended && clock_seconds() < until) {
		size_t len = console_read(&console, data, sizeof(data));

		assert_true(used + len < sizeof(all));
		memcpy(all + used, data, len);
		used += len;
	}
	all[used] = '\0';
	assert_string_equal(all, wanted);
}

/* The machine's bytes and none of ipmitool's; whoever had the session loses it first, and at the end it is given
 * back. */
UNIT_TEST(a_session)
{
	begin(120);
	put("say.1", "\033[1mhello\r\n");
	open_console();
	expect_bytes("\033[1mhello\r\n");
	console_close(&console);
	expect_calls("deactivate\nactivate\nreturned\n");
}

UNIT_TEST(another_line_of_the_controller)
{
	begin(120);
	machine.console.instance = 2;
	put("say.1", "hello\n");
	open_console();
	expect_bytes("hello\n");
	console_close(&console);
	expect_calls("deactivate instance=2\nactivate instance=2\nreturned\n");
}

UNIT_TEST(dropped_sessions)
{
	begin(120);
	put("say.1", "one\n");
	put("drop.1", "");
	put("drop.2", "");
	put("say.3", "three\n");
	open_console();
	expect_bytes("one\nthree\n");
	console_close(&console);
	expect_calls("deactivate\nactivate\ndeactivate\nactivate\ndeactivate\nactivate\nreturned\n");
}

/* Dropped, and not given again: the console is at its end. */
UNIT_TEST(lost_session)
{
	char data[256];

	begin(120);
	put("say.1", "one\n");
	put("drop.1", "");
	open_console();
	expect_bytes("one\n");
	put("busy", "");
	machine.timeouts.power = 1;
	while (!console.ended)
		assert_int_equal(console_read(&console, data, sizeof(data)), 0);
	console_close(&console);
}

UNIT_TEST(no_session)
{
	struct error error;

	begin(2);
	put("busy", "");
	assert_false(console_open(&console, &inventory, &machine, &error));
	assert_non_null(strstr(error.text, "no session of Serial over LAN within 2 s"));
	console_close(&console);
}

/* Who does not let go has the session taken away. */
UNIT_TEST(deaf_program)
{
	begin(120);
	put("deaf", "");
	put("say.1", "hello\n");
	open_console();
	expect_bytes("hello\n");
	console_close(&console);
	expect_calls("deactivate\nactivate\ndeactivate\n");
}

UNIT_FIXTURE(set_up)
{
	char *path = NULL, *link = NULL;
	bool good = !scratch_set_up(state);

	if (!good)
		return -1;
	path = xasprintf("%s:%s", folder, getenv("PATH"));
	link = xasprintf("%s/ipmitool", folder);
	good = !symlink(TEST_IPMITOOL, link) && !setenv("PATH", path, 1);
	free(link);
	free(path);
	return good ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session),        cmocka_unit_test(another_line_of_the_controller),
		cmocka_unit_test(dropped_sessions), cmocka_unit_test(lost_session),
		cmocka_unit_test(no_session),       cmocka_unit_test(deaf_program),
	};

	return cmocka_run_group_tests(tests, set_up, scratch_tear_down);
}
