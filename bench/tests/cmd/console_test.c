/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines that hbench only listens to: a pseudo terminal is the serial line, a socket the console server; a child
 * plays the machine. And several kernels that take turns.
 */
#include "program.h"

#include "host/mem.h"
#include "result/result.h"

#include "loopback.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* Writes a recorded console slowly enough for a line with a small buffer. */
static void play(int fd, const char *log)
{
	char *path = xasprintf(TEST_DATA "/%s.log", log), data[512];
	int file = open(path, O_RDONLY);
	ssize_t len;

	while ((len = read(file, data, sizeof(data))) > 0) {
		if (write(fd, data, (size_t)len) != len)
			_exit(1);
		usleep(1000);
	}
	free(path);
	close(file);
}

/* A test that fails does not end its machine, which must not keep ctest waiting. */
static pid_t fork_machine(void)
{
	pid_t pid = fork();

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static void machine_ends(pid_t machine)
{
	int status;

	kill(machine, SIGTERM);
	assert_int_equal(waitpid(machine, &status, 0), machine);
}

/* A machine that prints its console once the file "go" is there, which --start makes. */
static pid_t machine_on_line(int line, const char *log, unsigned boots)
{
	char *go = in_folder("go");
	pid_t pid = fork_machine();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* nor does it outlive a test that fails */
		for (unsigned boot = 0; boot < boots; boot++) {
			while (unlink(go))
				usleep(5000);
			play(line, log);
		}
		pause();
		_exit(0);
	}
	free(go);
	return pid;
}

static int open_line(char **name)
{
	int line = posix_openpt(O_RDWR | O_NOCTTY);
	struct termios settings;

	assert_true(line >= 0 && !grantpt(line) && !unlockpt(line));
	*name = xstrdup(ptsname(line));
	/* no echo, or the machine would read its own words */
	assert_int_equal(tcgetattr(line, &settings), 0);
	cfmakeraw(&settings);
	assert_int_equal(tcsetattr(line, TCSANOW, &settings), 0);
	return line;
}

/* `hbench run` with a start command: words of it are separated by blanks, so it is a script. */
static void write_start(const char *text)
{
	char *path = in_folder("start.sh");

	write_file("start.sh", text, strlen(text));
	chmod(path, 0755);
	free(path);
}

/* Others may open the line again. */
static void expect_shared(const char *name)
{
	int fd = open(name, O_RDWR | O_NOCTTY), exclusive = 1;

	assert_true(fd >= 0 && !ioctl(fd, TIOCGEXCL, &exclusive));
	assert_false(exclusive);
	close(fd);
}

/* Somebody has the line for himself: who, as far as this user can see. */
UNIT_TEST(serial_line_in_use)
{
	char *name, *words, *who;
	int line = open_line(&name), holder = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_true(holder >= 0 && !ioctl(holder, TIOCEXCL));
	words = xasprintf("run -t serial -c %s -m lab-1 --timeout 1", name);
	who = xasprintf("process %d (", getpid());
	expect(4, words);
	has("is in use by another program: ");
	has(who);
	lacks("dialout");
	close(holder);
	close(line);
	free(who);
	free(words);
	free(name);
}

UNIT_TEST(serial_line)
{
	char *name, *words, *path = in_folder("serial.json");
	int line = open_line(&name);
	pid_t pid = machine_on_line(line, "real", 2);
	struct result r;
	struct error error;

	write_start("#!/bin/sh\necho $HBENCH_BOOT $HBENCH_APPEND $HBENCH_KERNEL >>started\ntouch go\n");
	words = xasprintf(
		"run -t serial -c %s -m lab-1 --boots 2 --start ./start.sh -k kernel.elf --append nopcid -o "
		"serial.json",
		name);
	expect(0, words);
	has("ipc on lab-1: time-stamp counter ticks");
	assert_true(exists("serial.1.log") && exists("serial.2.log"));
	assert_true(result_load(&r, path, &error));
	assert_string_equal(result_text(&r, "target"), "serial");
	assert_string_equal(result_text(&r, "metric"), "ticks");
	assert_int_equal(r.benchmarks[0].boot_count, 2);
	assert_int_equal(strlen(result_text(&r, "kernel_sha256")), 64);
	result_free(&r);
	free(path);
	path = in_folder("started");
	read_output(path);
	has("1 serial novga nopcid /");
	has("kernel.elf\n2 serial novga nopcid /");
	machine_ends(pid);
	expect_shared(name);
	close(line);
	free(words);
	free(name);
	free(path);
}

/* Linux lets root open a line that somebody has for himself. */
static void expect_busy(const char *line, const char *words)
{
	int other = open(line, O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_true(other >= 0 && !ioctl(other, TIOCEXCL));
	if (geteuid()) {
		expect(4, words);
		has("is in use by another program");
	}
	close(other);
}

UNIT_TEST(serial_line_faults)
{
	char *name, *words;
	int line = open_line(&name);

	expect(4, "run -t serial -c /nonexistent/tty -m lab-1");
	has("cannot open /nonexistent/tty");
	expect(4, "run -t serial -c /dev/null -m lab-1");
	has("not a serial line");
	words = xasprintf("run -t serial -c %s -m lab-1 --baud 12345", name);
	expect(4, words);
	has("12345 baud is no rate");
	free(words);
	words = xasprintf("run -t serial -c %s -m lab-1 --timeout 1", name);
	expect(4, words);
	has("start the machine now (boot 1)");
	has("the kernel did not boot");
	free(words);
	words = xasprintf("run -t serial -c %s -m lab-1 --start false", name);
	expect(4, words);
	has("the command of --start failed (status 1");
	expect_busy(name, words);
	free(words);
	free(name);
	close(line);
}

static int listening(unsigned *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0 && !bind(fd, (struct sockaddr *)&address, sizeof(address)) && !listen(fd, 1));
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

/* A console server that begins with telnet's options, plays a console and closes. */
static pid_t console_server(int fd, const char *log)
{
	pid_t pid = fork_machine();

	if (!pid) {
		int client = accept(fd, NULL, NULL);
		char answer[64];

		if (write(client, "\xff\xfb\x01\xff\xfb\x03\xff\xfd\x18", 9) != 9)
			_exit(1);
		play(client, log);
		shutdown(client, SHUT_WR);
		while (read(client, answer, sizeof(answer)) > 0)
			; /* unread, what the client answers would become a reset of the connection */
		close(client);
		_exit(0);
	}
	return pid;
}

UNIT_TEST(console_over_tcp)
{
	unsigned port;

	need_loopback();
	int fd = listening(&port);
	char *words = xasprintf("run -t tcp -c 127.0.0.1:%u -m lab-2 -o tcp.json", port);
	pid_t pid = console_server(fd, "real");

	expect(0, words);
	has("ipc on lab-2");
	machine_ends(pid);
	pid = console_server(fd, "cut"); /* and the connection ends */
	expect(4, words);
	has("the log is cut off");
	machine_ends(pid);
	close(fd);
	expect(4, words);
	has("cannot connect to 127.0.0.1:");
	expect(4, "run -t tcp -c nowhere -m lab-2");
	has("`nowhere` is not HOST:PORT");
	free(words);
}

UNIT_TEST(recorded_logs)
{
	expect(0, "run -t file -m lab-3 -o file.json -c " DATA_WORD("real.log") " -c " DATA_WORD("real.log"));
	has(", 2 boots");
	expect(4, "run -t file -m lab-3 -o file2.json -c " DATA_WORD("cut.log"));
	has("cut off");
	expect(4, "run -t file -m lab-3 -o file2.json -c " DATA_WORD("good.log"));
	has("is not invariant");
	expect(4, "run -t file -m lab-3 -c nothing.log");
	has("cannot open nothing.log");
}

UNIT_TEST(usage_of_real_machines)
{
	static const char *const calls[] = {
		"run -t serial -m lab-1",
		"run -t serial -c /dev/null",
		"run -t serial -c /dev/null -m ../x",
		"run -t serial -c /dev/null -m x --cpu max",
		"run -t serial -c /dev/null -c /dev/null -m x",
		"run -t serial -c /dev/null -m x -k kernel.elf -k kernel.elf",
		"run -t qemu -k kernel.elf -r root.elf -c /dev/null",
		"run -t bochs --accel kvm -k kernel.elf -r root.elf",
		"run -t qemu -k kernel.elf -r root.elf -o a -o b",
	};

	for (size_t i = 0; i < array_size(calls); i++)
		expect(2, calls[i]);
}

/* A B A B, each with its own result, and a comparison at the end. */
UNIT_TEST(kernels_take_turns)
{
	char *path = in_folder("arguments");

	machine("good", "33", false);
	expect(0, "run -t qemu -k kernel.elf -k kernel.elf -r root.elf --boots 2 -o turns.json");
	assert_true(exists("turns.1.json") && exists("turns.2.json") && exists("turns.2.2.log"));
	has("boot 4/4 turns.2.json");
	has("3 cases: 3 same.");
	expect(0, "run -q -t qemu -k kernel.elf -k kernel.elf -r root.elf -o one.json -o two.json");
	assert_true(exists("one.json") && exists("two.json"));
	free(path);
}

UNIT_TEST(kvm)
{
	char *path = in_folder("arguments");

	machine("real", "33", false);
	setenv("HBENCH_FAKE_ARGUMENTS", path, 1);
	if (access("/dev/kvm", R_OK | W_OK)) {
		expect(4, "run -t qemu --accel kvm -k kernel.elf -r root.elf -o kvm.json");
		has("KVM cannot be used");
	} else {
		expect(0, "run -t qemu --accel kvm -k kernel.elf -r root.elf -o kvm.json");
		has("ipc on qemu-kvm-host: time-stamp counter ticks");
		read_output(path);
		has("-accel\nkvm\n");
		has("-cpu\nhost,migratable=off,+invtsc\n");
		lacks("icount");
		machine("noboot", "0", true);
		setenv("HBENCH_FAKE_MESSAGE", "KVM internal error. Suberror: 1", 1);
		expect(4, "run -t qemu --accel kvm -k kernel.elf -r root.elf -o kvm.json");
		has("the emulator gave up");
		has("KVM internal error. Suberror: 1");
	}
	unsetenv("HBENCH_FAKE_ARGUMENTS");
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serial_line),        cmocka_unit_test(serial_line_in_use),
		cmocka_unit_test(serial_line_faults), cmocka_unit_test(console_over_tcp),
		cmocka_unit_test(recorded_logs),      cmocka_unit_test(usage_of_real_machines),
		cmocka_unit_test(kernels_take_turns), cmocka_unit_test(kvm),
	};

	/* Root may open what another has for himself; nobody else may, and so are the programs started here. */
	prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
