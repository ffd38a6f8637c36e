/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A lab for tests of `hbench fleet`: an inventory in the folder of the program's tests, and scripts in the place of
 * machines. */
#pragma once

#include "program.h"

#include "host/file.h"
#include "host/mem.h"
#include "measure/child.h"

#include "recorded.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUN "fleet run -i lab.yaml -k kernel.elf --suite ipc "

/* Patient, because this host may be busy; machines that are to fail by time have less of it. */
static const char head[] =
	"lab:\n  name: lab1\n  timeouts: {boot: 60, run: 60, settle: 0, power: 60}\n  retries: 0\n";

/* What the inventory says of all machines. */
static char *lab_text;

static inline void begin_lab(const char *more)
{
	free(lab_text);
	lab_text = xasprintf("%s%smachines:\n", head, more);
}

/* status: how to ask for the state, or "". */
static inline void add_machine_with(const char *status, const char *name, const char *more)
{
	char *text = xasprintf("%s- name: %s\n  boot: itself\n  console: {type: file, path: %s.log}\n"
			       "  power: {type: command, on: ['%s', 'on', '{name}'],"
			       " off: ['%s', 'off', '{name}']%s}\n%s",
			       lab_text, name, name, TEST_MACHINE, TEST_MACHINE, status, more);

	free(lab_text);
	lab_text = text;
	write_file("lab.yaml", lab_text, strlen(lab_text));
}

static inline void add_machine(const char *name, const char *more)
{
	add_machine_with(", status: ['" TEST_MACHINE "', status, '{name}']", name, more);
}

/* What the machine says when it is switched on; for the time-th time, if that is not 0. */
static inline void says(const char *name, unsigned time, const char *log)
{
	char *to = time ? xasprintf("%s.say.%u", name, time) : xasprintf("%s.say", name);
	size_t size;
	char *data = recorded(log, &size);

	write_file(to, data, size);
	free(data);
	free(to);
}

static inline void read_file(const char *name)
{
	char *path = in_folder(name);

	read_output(path);
	free(path);
}

static inline void expect_off(const char *name)
{
	char *file = xasprintf("%s.power", name);

	read_file(file);
	has("off");
	free(file);
}

static inline void forget_everything(void)
{
	struct error error;
	char *argv[] = {
		(char *)"sh", (char *)"-c",
		(char *)"rm -rf run* *.say* *.log *.power *.history *.broken *.strict *.grumbles locks base probes",
		NULL};

	assert_true(child_run(argv, folder, STDOUT_FILENO, STDERR_FILENO, 120, &error));
}

static inline int lab_set_up(void **state)
{
	static const char *const suites[] = {"ipc.elf", "sm.elf", "sched.elf", "probe.elf"};
	int failed = set_up(state);

	for (size_t i = 0; i < array_size(suites); i++)
		write_file(suites[i], "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0", 16);
	return failed;
}

static inline int lab_tear_down(void **state)
{
	free(lab_text);
	return tear_down(state);
}
