/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "fleet/lock.h"
#include "fleet/power.h"
#include "host/file.h"
#include "host/mem.h"

#include "scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Another process that has the lock and waits for a signal. */
static pid_t holder(const char *machine)
{
	struct lock_info info;
	struct error error;
	pid_t pid = fork();

	if (!pid) {
		if (!lock_take(folder, machine, "the other run", &error))
			_exit(1);
		for (;;)
			pause();
	}
	for (int i = 0; i < 60000 && lock_look(folder, machine, &info) != LOCK_HELD; i++)
		usleep(5000);
	assert_int_equal(lock_look(folder, machine, &info), LOCK_HELD);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

UNIT_TEST(one_owner)
{
	struct lock_info info;
	struct error error;
	pid_t pid = holder("a");

	assert_false(lock_take(folder, "a", "mine", &error));
	assert_non_null(strstr(error.text, "the other run"));
	assert_false(lock_renew(folder, "a"));
	assert_false(lock_break(folder, "a", false, &error));
	assert_true(lock_take(folder, "b", "mine", &error));
	assert_int_equal(lock_look(folder, "b", &info), LOCK_MINE);
	assert_true(lock_renew(folder, "b"));
	lock_release(folder, "b");
	assert_int_equal(lock_look(folder, "b", &info), LOCK_FREE);
	end(pid);
}

UNIT_TEST(owner_died)
{
	struct lock_info info;
	struct error error;
	pid_t pid = holder("c");

	end(pid);
	assert_int_equal(lock_look(folder, "c", &info), LOCK_STALE);
	assert_true(lock_take(folder, "c", "mine", &error));
	assert_int_equal(lock_look(folder, "c", &info), LOCK_MINE);
	assert_true(lock_break(folder, "c", false, &error));
}

UNIT_TEST(taken_by_force)
{
	struct lock_info info;
	struct error error;
	pid_t pid = holder("d");

	assert_true(lock_break(folder, "d", true, &error));
	assert_int_equal(lock_look(folder, "d", &info), LOCK_FREE);
	end(pid);
}

static void write_lock(const char *text)
{
	char *path = xasprintf("%s/e.lock", folder);
	struct error error;

	assert_true(file_replace(path, text, strlen(text), &error));
	free(path);
}

static void make_older(unsigned seconds)
{
	char *path = xasprintf("%s/e.lock", folder);
	struct timespec times[2] = {{.tv_sec = time(NULL) - seconds}, {.tv_sec = time(NULL) - seconds}};

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	free(path);
}

#define ELSEWHERE(expires) \
	"{\"owner\":\"x\",\"host\":\"elsewhere\",\"purpose\":\"p\",\"since\":\"s\",\"pid\":1,\"expires\":" expires "}"

/* Of another host nothing is known but when it has renewed the lock, whatever its clock says. */
UNIT_TEST(expiry)
{
	struct lock_info info;
	struct error error;

	write_lock(ELSEWHERE("1"));
	assert_int_equal(lock_look(folder, "e", &info), LOCK_HELD);
	assert_false(lock_take(folder, "e", "mine", &error));
	make_older(LOCK_SECONDS - 60);
	assert_int_equal(lock_look(folder, "e", &info), LOCK_HELD);
	assert_in_range(info.age, LOCK_SECONDS - 60, LOCK_SECONDS - 1);
	write_lock(ELSEWHERE("99999999999"));
	make_older(LOCK_SECONDS);
	assert_int_equal(lock_look(folder, "e", &info), LOCK_STALE);
	write_lock("garbage\033[31m");
	assert_int_equal(lock_look(folder, "e", &info), LOCK_STALE);
	assert_true(lock_take(folder, "e", "mine", &error));
}

/* A process of another host that has our name, or of ours before it was started anew, cannot be looked for here. */
UNIT_TEST(hosts_of_one_name)
{
	char host[ENVIRONMENT_HOST_SIZE], *text;
	struct lock_info info;
	struct error error;
	struct stat space;

	environment_host(host);
	assert_int_equal(stat("/proc/self/ns/pid", &space), 0);
	for (int boots = 0; boots < 2; boots++) {
		text = xasprintf(
			"{\"owner\":\"x\",\"host\":\"%s\",\"purpose\":\"p\",\"since\":\"s\",\"pid\":999999999,"
			"\"started\":7,\"space\":%ju%s}",
			host, (uintmax_t)space.st_ino, boots ? ",\"boot\":\"another\"" : "");
		write_lock(text);
		assert_int_equal(lock_look(folder, "e", &info), boots ? LOCK_HELD : LOCK_STALE);
		free(text);
	}
	make_older(LOCK_SECONDS);
	assert_true(lock_take(folder, "e", "mine", &error));
}

/* Many at once: exactly one gets it. */
UNIT_TEST(race)
{
	enum { RUNNERS = 12 };
	int go[2], tried[2], hold[2], winners = 0, status;
	pid_t pids[RUNNERS];
	struct error error;
	char byte;

	assert_true(!pipe(go) && !pipe(tried) && !pipe(hold));
	for (int i = 0; i < RUNNERS; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			close(go[1]);
			close(hold[1]);
			if (read(go[0], &byte, 1) < 0)
				_exit(2);
			bool got = lock_take(folder, "r", "race", &error);

			/* alive until all have tried */
			if (write(tried[1], "", 1) != 1 || read(hold[0], &byte, 1) < 0)
				_exit(2);
			_exit(got ? 0 : 1);
		}
	}
	close(go[1]);
	for (int i = 0; i < RUNNERS; i++)
		assert_int_equal(read(tried[0], &byte, 1), 1);
	close(hold[1]);
	for (int i = 0; i < RUNNERS; i++) {
		waitpid(pids[i], &status, 0);
		winners += WIFEXITED(status) && !WEXITSTATUS(status);
	}
	assert_int_equal(winners, 1);
	close(go[0]);
	close(hold[0]);
	close(tried[0]);
	close(tried[1]);
}

UNIT_TEST(power_states)
{
	assert_int_equal(power_parse_status("Chassis Power is on\n", NULL), 1);
	assert_int_equal(power_parse_status("Chassis Power is off\n", NULL), 0);
	assert_int_equal(power_parse_status("x: OFF, was on before? no: off.", NULL), 0);
	assert_int_equal(power_parse_status("offline, onward", NULL), -1);
	assert_int_equal(power_parse_status("", NULL), -1);
	assert_int_equal(power_parse_status("on:      n1\noff:     n2\nunknown: \n", "n1"), 1);
	assert_int_equal(power_parse_status("on:      \noff:     n1\nunknown: \n", "n1"), 0);
	assert_int_equal(power_parse_status("on:      \noff:     \nunknown: n1\n", "n1"), -1);
}

static void expect_command(const struct inventory_machine *m, enum power_action action, const char *wanted)
{
	char **argv = power_command(m, action), *text = xstrdup("");

	for (char **word = argv; word && *word; word++) {
		char *longer = xasprintf("%s[%s]", text, *word);

		free(text);
		text = longer;
	}
	assert_string_equal(text, wanted);
	free(text);
	strings_free(argv);
}

/* Each word stays one, whatever it contains: there is no shell. */
UNIT_TEST(power_commands)
{
	char on[] = "on; rm -rf {name}", program[] = "./p", *words[] = {program, on};
	char name[] = "a", mac[] = "52:54:00:00:00:01", host[] = "bmc", user[] = "u", file[] = "/f",
	     lan[] = "lanplus", retries[] = "-R", two[] = "2", *options[] = {retries, two};
	unsigned cipher_suite = 17;
	struct inventory_machine m = {.name = name, .mac = mac};

	m.power = (struct inventory_power){.type = POWER_COMMAND, .on = words, .on_count = 2};
	expect_command(&m, POWER_ON, "[./p][on; rm -rf a]");
	expect_command(&m, POWER_OFF, "");
	m.power = (struct inventory_power){
		.type = POWER_IPMI,
		.interface = lan,
		.bmc = {.host = host, .port = 623, .user = user, .password_file = file},
	};
	expect_command(&m, POWER_CYCLE,
		       "[ipmitool][-I][lanplus][-H][bmc][-p][623][-U][u][-f][/f][-L][ADMINISTRATOR]"
		       "[chassis][power][cycle]");
	m.power.bmc.cipher_suite = &cipher_suite;
	m.power.bmc.privilege = PRIVILEGE_OPERATOR;
	m.power.bmc.options = options;
	m.power.bmc.options_count = 2;
	expect_command(&m, POWER_ON,
		       "[ipmitool][-I][lanplus][-H][bmc][-p][623][-U][u][-f][/f][-L][OPERATOR][-C][17][-R][2]"
		       "[chassis][power][on]");
	m.power = (struct inventory_power){.type = POWER_POWERMAN, .node = name};
	expect_command(&m, POWER_STATUS, "[powerman][--query][a]");
	m.power.bmc.host = host;
	expect_command(&m, POWER_ON, "[powerman][--on][a][--server-host][bmc]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_owner),    cmocka_unit_test(owner_died),        cmocka_unit_test(taken_by_force),
		cmocka_unit_test(expiry),       cmocka_unit_test(hosts_of_one_name), cmocka_unit_test(race),
		cmocka_unit_test(power_states), cmocka_unit_test(power_commands),
	};

	return cmocka_run_group_tests(tests, scratch_set_up, scratch_tear_down);
}
