/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `hbench fleet` as a whole, with scripts in the place of machines. */
#include "program.h"

#include "host/file.h"
#include "host/json_file.h"
#include "host/mem.h"
#include "measure/child.h"

#include "lab.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void lab_of_all_kinds(void)
{
	forget_everything();
	begin_lab("");
	add_machine("good", "  tags: [lab1]\n");
	add_machine("silent", "  tags: [lab1]\n  timeouts: {boot: 1}\n");
	add_machine("panics", "");
	add_machine("cut", "  timeouts: {silence: 1}\n");
	add_machine("nopower", "");
	add_machine("other", "  suites: [sm]\n");
	says("good", 0, "real");
	says("panics", 0, "panic");
	says("cut", 0, "cut");
	write_file("nopower.broken", "", 0);
}

UNIT_TEST(verdicts)
{
	lab_of_all_kinds();
	expect(4, RUN "-o run1");
	has("good     ipc        1         1  ok");
	has("silent   ipc        0         1  silent machine        nothing came from the console within 1 s");
	has("panics   ipc        0         1  panic");
	has("cut      ipc        0         1  truncated");
	has("nopower  ipc        0         1  power failure");
	has("no answer from the power supply");
	lacks("other");
	lacks("\033");
	expect_off("good");
	expect_off("silent");
	expect_off("panics");
	assert_false(exists("locks/good.lock"));
	assert_true(exists("run1/good/ipc/result.json") && has_data("run1/panics/ipc/console.1.log"));
	read_file("run1/junit.xml");
	has("tests=\"5\" failures=\"0\" errors=\"4\" skipped=\"0\"");
	has("<error type=\"silent machine\"");
	read_file("run1/index.html");
	has("<td class=\"bad\">panic</td>");
	lacks("\033");
	read_file("run1/report.json");
	has("\"verdict\": \"power failure\"");
	expect(2, RUN "-o run1");
	has("has a run already");
}

UNIT_TEST(chosen_machines)
{
	lab_of_all_kinds();
	expect(0, RUN "-m good -o run2");
	lacks("silent");
	expect(0, RUN "-m good");
	expect(4, RUN "--tags lab1 -o run3");
	has("silent");
	lacks("panics");
	expect(2, RUN "--tags nothing -o run4");
	expect(2, RUN "-m nobody -o run4");
	has("no machine nobody");
	expect(2, RUN "-m other -o run4");
	has("none of these machines");
	expect(2, "fleet run -i lab.yaml -k kernel.elf -o run4");
	expect(2, "fleet run -i lab.yaml -k kernel.elf --suite space -o run4");
	has("cannot open");
	expect(4, "fleet run -i nothing.yaml -k kernel.elf --suite ipc");
	expect(2, "fleet dance");
	expect(2, "fleet check now");
}

UNIT_TEST(attempts)
{
	forget_everything();
	begin_lab("");
	add_machine("m", "  retries: 2\n  timeouts: {boot: 5}\n"); /* in vain once; enough for the last */
	says("m", 3, "real");
	says("m", 2, "noboot");
	expect(0, RUN "-o run1");
	has("m        ipc        1         3  ok             after 2 failed: did not boot");
	assert_true(exists("run1/m/ipc/console.3.log"));
	/* A panic is not tried again. */
	says("m", 4, "panic");
	says("m", 5, "real");
	expect(4, RUN "-o run2");
	has("m        ipc        0         1  panic");
}

UNIT_TEST(several_boots)
{
	forget_everything();
	begin_lab("");
	add_machine("m", "  retries: 1\n  timeouts: {boot: 5}\n");
	says("m", 0, "real");
	says("m", 2, "noboot");
	expect(0, RUN "--boots 3 -o run1");
	has("m        ipc        3         4  ok");
	expect(0, "show run1/m/ipc/result.json");
	has(", 3 boots");
}

UNIT_TEST(gates)
{
	forget_everything();
	begin_lab("  directories: {baselines: base}\n");
	add_machine("m", "  baseline: kind\n  metric: instructions\n");
	says("m", 0, "good");
	expect(4, RUN "-o run1");
	has("no baseline");
	expect(0, "import --machine kind --metric instructions -o kind.json " DATA_WORD("good.log"));
	expect(0, "baseline update --results base kind.json");
	expect(0, RUN "-o run2");
	has("ok       same");
	make_result("worse.json", "kind", "instructions", 1, 1);
	expect(0, "baseline update --results base --reason x --allow-missing worse.json");
	expect(1, RUN "-o run3");
	has("REGRESSED  2 of 3 cases worse");
	has("and so in 2 measurements");
	assert_true(exists("run3/m/ipc/result.1.json") && exists("run3/m/ipc/console.2.log"));
	assert_false(exists("run3/m/ipc/console.3.log"));
	expect(1, RUN "-o run4 --confirm 0");
	lacks("measurements");
	assert_false(exists("run4/m/ipc/result.1.json"));
	read_file("run2/junit.xml");
	has("<testsuite name=\"ipc\"");
	expect(0, "history --db history.db");
	has("ipc");
}

/* As says(), good.log with a case one instruction longer. */
static void says_worse(const char *name, unsigned time)
{
	static const char good[] = "\"min\":40,\"p50\":40,\"p90\":40,\"p99\":41,\"p999\":41,\"max\":41,\"sum\":2561,"
				   "\"hist\":[[40,1,63],[41,1,1]]";
	static const char with[] = "\"min\":41,\"p50\":41,\"p90\":41,\"p99\":41,\"p999\":41,\"max\":41,\"sum\":2624,"
				   "\"hist\":[[41,1,64]]";
	size_t size;
	char *log = recorded("good", &size), *at = strstr(log, good), *text;
	char *to = time ? xasprintf("%s.say.%u", name, time) : xasprintf("%s.say", name);

	assert_non_null(at);
	text = xasprintf("%.*s%s%s", (int)(at - log), log, with, at + strlen(good));
	write_file(to, text, strlen(text));
	free(text);
	free(to);
	free(log);
}

#define OF_KIND "  baseline: kind\n  metric: instructions\n"

/* A machine whose baseline is good.log. */
static void lab_with_baseline(const char *name)
{
	forget_everything();
	begin_lab("  directories: {baselines: base}\n");
	add_machine(name, OF_KIND);
	expect(0, "import --machine kind --metric instructions -o kind.json " DATA_WORD("good.log"));
	expect(0, "baseline update --results base kind.json");
}

/* The machine is switched on twice as the first measurement regressed; nothing has the second. */
UNIT_TEST(false_alarms)
{
	lab_with_baseline("f");
	says_worse("f", 1);
	says("f", 2, "good");
	expect(0, RUN "-o run5");
	has("regressed, which is measured again before it is believed (1 of 1)");
	has("a regression of 1 earlier measurement was not found again");
	read_file("run5/f/ipc/outcome.json");
	has("\"rounds\": 1");
}

/* Measuring again, the baseline's kernel takes turns with the new one: what it says now counts, not what is stored.
 */
UNIT_TEST(turns_with_the_baselines_kernel)
{
	write_file("old.elf", "\177ELF\1\1\1\0\0\0\0\0\0\0\0\0old", 19);
	lab_with_baseline("g");
	says_worse("g", 1);
	says_worse("g", 2);
	says_worse("g", 4);
	says("g", 0, "good"); /* the third and the fifth time */
	expect(1, RUN "--baseline-kernel old.elf -o run6");
	has("ipc: boot 1 of 2\n");
	has("ipc: boot 2 of 2, the baseline's kernel\n");
	has("REGRESSED  1 of 3 cases worse, 0 better, 0 missing, and so in 2 measurements, beside the baseline's "
	    "kernel");
	read_file("run6/g/ipc/base.json");
	has("\"kernel_file\": \"old.elf\"");
	read_file("run6/g/ipc/result.json");
	has("\"kernel_file\": \"kernel.elf\"");
	assert_true(exists("run6/g/ipc/result.1.json") && exists("run6/g/ipc/console.3.log"));
	expect(2, RUN "--baseline-kernel old.elf --confirm 0 -o run7");
	/* Both are slower than the baseline, and alike: it was not the new kernel. */
	lab_with_baseline("h");
	says_worse("h", 1);
	says_worse("h", 2);
	says_worse("h", 3);
	expect(4, RUN "--baseline-kernel old.elf -o run8");
	has("lab drift  the baseline's kernel, measured now, is not what its baseline says either");
}

/* The table at the beginning of docs/fleet.md, where machines have more patience. */
UNIT_TEST(documented_table)
{
	struct error error;
	size_t size;
	char *manual = file_read(TEST_DOCS "/fleet.md", 1 << 20, &size, &error),
	     *table = strstr(manual, "machine  suite"), *row;

	lab_with_baseline("nuc11");
	add_machine("nuc12", OF_KIND);
	add_machine("opti", "  retries: 1\n  timeouts: {boot: 1}\n");
	says("nuc11", 0, "good");
	says_worse("nuc12", 0);
	expect(4, RUN "--boots 5 -o run1");
	assert_non_null(table);
	*strstr(table, "80 s\nwritten: ") = '\0'; /* "1" and "180 s" begin alike */
	while ((row = strsep(&table, "\n")))
		has(row);
	free(manual);
}

/* Machines of a kind have one baseline, which any of them may give. */
UNIT_TEST(class_of_machines)
{
	forget_everything();
	begin_lab("  directories: {baselines: base}\n");
	add_machine("m", OF_KIND);
	add_machine("n", OF_KIND);
	add_machine("own", "  metric: instructions\n");
	says("m", 0, "good");
	says("n", 0, "good");
	says("own", 0, "good");
	expect(4, RUN "-o run1");
	has("no baseline");
	expect(0, "baseline update --results base run1/m/ipc/result.json");
	has("base/kind/ipc.json");
	expect(0, RUN "-m m -m n -o run2");
	has("m        ipc        1         1  ok       same");
	has("n        ipc        1         1  ok       same");
	/* The baseline of one machine, which another of its kind is compared with. */
	expect(0, "baseline update --results base run1/own/ipc/result.json");
	begin_lab("  directories: {baselines: base}\n");
	add_machine("o", "  baseline: own\n  metric: instructions\n");
	says("o", 0, "good");
	expect(0, RUN "-o run3");
	has("o        ipc        1         1  ok       same");
	/* The name is the class's in the gate by hand, too, and the machine's in the history. */
	expect(0, "gate --baseline base run1/n/ipc/result.json");
	expect(0, "history --db history.db --machine n");
	has("ipc");
}

UNIT_TEST(power_and_locks)
{
	static const char foreign[] =
		"{\"owner\":\"anna\",\"host\":\"lab\",\"purpose\":\"x\",\"since\":\"y\",\"pid\":1,"
		"\"expires\":99999999999}";

	forget_everything();
	begin_lab("  after: leave\n");
	add_machine("m", "");
	expect(0, "fleet power -i lab.yaml m status");
	has("m is off");
	expect(0, "fleet power -i lab.yaml m cycle");
	expect(0, "fleet power -i lab.yaml m status");
	has("m is on");
	expect(0, "fleet power -i lab.yaml m off");
	write_file("m.broken", "", 0);
	expect(4, "fleet power -i lab.yaml m on");
	has("no answer from the power supply");
	expect(2, "fleet power -i lab.yaml m jump");
	expect(2, "fleet power -i lab.yaml x on");
	write_file("locks/m.lock", foreign, strlen(foreign));
	expect(4, "fleet power -i lab.yaml m off");
	has("belongs to anna on lab");
	says("m", 0, "real");
	expect(4, RUN "-o run1");
	has("locked");
	has("belongs to anna on lab");
	expect(0, "fleet list -i lab.yaml");
	has("anna on lab");
	expect(4, "fleet unlock -i lab.yaml m");
	expect(0, "fleet unlock -i lab.yaml --force m");
	has("m is free; it belonged to anna");
	expect(0, "fleet unlock -i lab.yaml m");
	expect(0, "fleet check -i lab.yaml");
	has("1 machine, nothing wrong");
}

/* For scripts: what is only doubtful is an error, too. */
UNIT_TEST(strict_check)
{
	forget_everything();
	begin_lab("");
	add_machine("m", "");
	expect(0, "fleet check -i lab.yaml --strict");
	begin_lab("  network: {interface: nosuch0, address: 127.0.0.1, dhcp: none}\n");
	add_machine("m", "");
	expect(0, "fleet check -i lab.yaml");
	has("doubt: this host has no network interface nosuch0");
	expect(4, "fleet check -i lab.yaml --strict");
	has("doubt: this host has no network interface nosuch0");
}

/* Firmware that fails to switch off what is off, outlets that fail although they did it: the state counts. */
UNIT_TEST(power_commands_that_fail)
{
	forget_everything();
	begin_lab("");
	add_machine("strict", "");
	add_machine("grumbles", "");
	add_machine_with("", "blind", "");
	says("strict", 0, "real");
	says("grumbles", 0, "real");
	says("blind", 0, "real");
	write_file("strict.strict", "", 0);
	write_file("grumbles.grumbles", "", 0);
	write_file("blind.strict", "", 0);
	expect(4, RUN "-o run1");
	has("strict    ipc        1         1  ok");
	has("grumbles  ipc        1         1  ok");
	has("note: strict: power off: ");
	has("it is off already; the machine is off all the same");
	has("note: grumbles: power on: ");
	has("blind     ipc        0         1  power failure");
	has("the inventory has no `status`, so it is not known whether the machine is off");
	read_file("run1/strict/ipc/power.txt");
	has("note: ");
	expect_off("strict");
	expect_off("grumbles");
	expect(0, "fleet power -i lab.yaml strict off");
	expect(0, "fleet power -i lab.yaml grumbles on");
	expect(0, "fleet power -i lab.yaml grumbles status");
	has("grumbles is on");
	/* It fails, and the state is the wrong one. */
	write_file("strict.broken", "", 0);
	expect(4, "fleet power -i lab.yaml strict on");
	has("the machine is off");
}

/* The machine that was added last. */
static void boot_from_network(void)
{
	char *at = strstr(lab_text, "boot: itself"), *text;

	assert_non_null(at);
	text = xasprintf("%.*smac: 52:54:00:77:00:01%s", (int)(at - lab_text), lab_text, at + strlen("boot: itself"));
	free(lab_text);
	lab_text = text;
	write_file("lab.yaml", lab_text, strlen(lab_text));
}

static unsigned times_on(const char *name)
{
	char *file = xasprintf("%s.history", name);
	unsigned count = 0;

	read_file(file);
	for (const char *at = strstr(output, "on\n"); at; at = strstr(at + 1, "on\n"))
		count++;
	free(file);
	return count;
}

/* Its first suite shows that the machine does not work; the others would take as long to show the same. */
UNIT_TEST(dead_machine)
{
	forget_everything();
	begin_lab("");
	add_machine("dead", "  retries: 1\n  timeouts: {boot: 1}\n");
	add_machine("mute", "  timeouts: {boot: 2}\n");
	add_machine("nopower", "");
	add_machine("cut", "  timeouts: {silence: 1}\n");
	says("mute", 0, "noboot");
	write_file("nopower.broken", "", 0);
	says("cut", 0, "cut");
	expect(4, "fleet run -i lab.yaml -k kernel.elf --suite ipc,sm,sched -o run1");
	has("dead     ipc        0         2  silent machine");
	has("dead     sm         0         0  given up");
	has("silent machine in ipc: ");
	has("dead     sched      0         0  given up");
	has("silent machine in ipc: ");
	has("mute     sm         0         0  given up");
	has("did not boot in ipc: ");
	has("nopower  sm         0         0  given up");
	has("power failure in ipc: ");
	has("cut      sm         0         1  wrong image"); /* of the run, not of the machine */
	assert_int_equal(times_on("dead"), 2);
	assert_int_equal(times_on("mute"), 1);
	/* Repaired, it does what was not tried. */
	says("dead", 0, "real");
	says("mute", 0, "real");
	expect(4, "fleet run --resume run1");
	has("dead     sm         0         2  wrong image");
}

/* Nobody would give the machines what they boot. */
UNIT_TEST(servers_missing)
{
	forget_everything();
	begin_lab("  network: {interface: lo, address: 127.0.0.1, http_port: 1, dhcp: none}\n");
	add_machine("m", "");
	says("m", 0, "real");
	expect(0, RUN "-o run1"); /* it needs none */
	begin_lab("  network: {interface: lo, address: 127.0.0.1, http_port: 1, dhcp: none}\n");
	add_machine("m", "");
	boot_from_network();
	expect(4, RUN "-o run2");
	has("the servers of the lab are not there: cannot connect to 127.0.0.1:1: ");
	has("sudo hbench fleet serve -i ");
	lacks("boot 1 of 1");
	assert_false(exists("run2/run.json"));
}

/* --- interrupted --- */

static int unlink_in_folder(const char *name)
{
	char *path = in_folder(name);
	int failed = unlink(path);

	free(path);
	return failed;
}

static void start_run(struct child *child, const char *run)
{
	char *argv[] = {(char *)TEST_PROGRAM, (char *)"fleet", (char *)"run",        (char *)"-i",
			(char *)"lab.yaml",   (char *)"-k",    (char *)"kernel.elf", (char *)"--suite",
			(char *)"ipc",        (char *)"-o",    (char *)run,          NULL};
	char *path = in_folder("output");
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	struct error error;

	assert_true(child_start(child, argv, folder, fd, fd, &error));
	close(fd);
	free(path);
}

static int end_of(struct child *child)
{
	for (int i = 0; i < 30000 && !child_ended(child); i++)
		usleep(10000);
	assert_true(child_ended(child));
	read_file("output");
	return WIFEXITED(child->status) ? WEXITSTATUS(child->status) : 128 + WTERMSIG(child->status);
}

static void wait_for(const char *name, const char *part)
{
	for (int i = 0; i < 30000; i++) {
		if (exists(name)) {
			read_file(name);
			if (strstr(output, part))
				return;
		}
		usleep(10000);
	}
	fail_msg("`%s` did not get into %s", part, name);
}

static void lab_that_hangs(void)
{
	forget_everything();
	begin_lab("");
	add_machine("hangs", "  timeouts: {boot: 100}\n");
	add_machine("good", "");
	says("good", 0, "real");
}

static void interrupted_by(int number)
{
	struct child child;

	lab_that_hangs();
	start_run(&child, "run1");
	wait_for("run1/good/ipc/outcome.json", "\"ok\"");
	wait_for("hangs.power", "on");
	kill(child.pid, number);
	assert_int_equal(end_of(&child), 130);
	has("--resume");
	has("interrupted");
	expect_off("hangs");
	assert_false(exists("locks/hangs.lock"));
	/* The other one is done, and this one is measured now. */
	says("hangs", 0, "real");
	write_file("good.history", "", 0);
	expect(0, "fleet run --resume run1");
	has("hangs    ipc        1         2  ok");
	has("good     ipc        1         1  ok");
	assert_false(has_data("good.history")); /* nobody touched it */
	assert_true(exists("run1/hangs/ipc/console.2.log"));
}

UNIT_TEST(interruptions)
{
	interrupted_by(SIGINT);
	interrupted_by(SIGTERM);
	interrupted_by(SIGHUP);
	expect(2, "fleet run --resume run1 --suite ipc");
	expect(4, "fleet run --resume nothing");
	write_file("kernel.elf", "\177ELF\1\1\1\0\0\0\0\0\0\0\0\0x", 17);
	expect(4, "fleet run --resume run1");
	has("is not the kernel the run began with");
}

/* Not even the kernel's strongest signal leaves a machine on, as long as one of the two processes lives. */
UNIT_TEST(killed)
{
	struct child child;

	lab_that_hangs();
	start_run(&child, "run1");
	wait_for("hangs.power", "on");
	kill(child.pid, SIGKILL);
	assert_int_equal(end_of(&child), 128 + SIGKILL);
	wait_for("hangs.power", "off");
	/* Its lock is stale, so the next run may begin. */
	says("hangs", 0, "real");
	expect(0, RUN "-o run2");
}

/* The first child of a process. */
static pid_t child_of(pid_t parent)
{
	char *path = xasprintf("/proc/%d/task/%d/children", parent, parent);
	struct error error;
	size_t size;
	char *data = file_read(path, 4096, &size, &error);
	pid_t pid;

	assert_non_null(data);
	pid = (pid_t)strtol(data, NULL, 10);
	free(data);
	free(path);
	return pid;
}

/* A run that waits for a machine, which is on and will say nothing for long. */
static void start_waiting(struct child *child)
{
	forget_everything();
	begin_lab("");
	add_machine("hangs", "  timeouts: {boot: 100}\n");
	start_run(child, "run1");
	wait_for("hangs.power", "on");
}

/* The other of the two: the machine's own process dies. */
UNIT_TEST(worker_killed)
{
	struct child child;

	start_waiting(&child);
	kill(child_of(child.pid), SIGKILL);
	assert_int_equal(end_of(&child), 130);
	has("its process died");
	expect_off("hangs");
	assert_false(exists("locks/hangs.lock"));
}

/* Who takes the lock away has the machine, and it is on. */
UNIT_TEST(lock_taken_away)
{
	struct child child;

	start_waiting(&child);
	assert_int_equal(unlink_in_folder("locks/hangs.lock"), 0);
	assert_int_equal(end_of(&child), 4);
	has("the lock was taken away");
	read_file("hangs.power");
	has("on");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(chosen_machines),
		cmocka_unit_test(attempts),
		cmocka_unit_test(several_boots),
		cmocka_unit_test(gates),
		cmocka_unit_test(power_and_locks),
		cmocka_unit_test(power_commands_that_fail),
		cmocka_unit_test(dead_machine),
		cmocka_unit_test(servers_missing),
		cmocka_unit_test(strict_check),
		cmocka_unit_test(false_alarms),
		cmocka_unit_test(turns_with_the_baselines_kernel),
		cmocka_unit_test(documented_table),
		cmocka_unit_test(class_of_machines),
		cmocka_unit_test(interruptions),
		cmocka_unit_test(killed),
		cmocka_unit_test(worker_killed),
		cmocka_unit_test(lock_taken_away),
	};

	return cmocka_run_group_tests(tests, lab_set_up, lab_tear_down);
}
