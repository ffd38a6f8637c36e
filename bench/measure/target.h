/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machines a kernel can be measured on. Each knows how to prepare a launch; starting and listening is run.c's. */
#pragma once

#include "host/error.h"

struct machine_config {
	const char *kernel, *roottask; /* paths */
	bool kernel_is_64;
	const char *cpu;
	unsigned memory; /* MiB */
	unsigned cpus;
	const char *append;     /* more words for the kernel's command line */
	const char *root_words; /* words of the roottask's command line */
	unsigned boot;          /* which one, from 1 */
	/* Real machines only */
	const char *console; /* device, HOST:PORT or file */
	unsigned baud;
	const char *start; /* shell command that starts the machine; NULL: the user does */
};

struct launch {
	char *folder;      /* temporary, removed by launch_free() */
	char **argv;       /* started in that folder; names no path outside of it, so it is the same everywhere */
	const char *fifo;  /* the console's file in the folder; NULL: the console is stdout */
	int console;       /* of a machine that argv is not the emulator of, but what starts it (or NULL); else -1 */
	bool telnet;       /* the console may speak telnet */
	bool in_place;     /* argv is started in the present folder instead */
	int good_status;   /* exit status of a good end; -1: it tells nothing */
	int failed_status; /* the roottask says that something failed */
};

struct target {
	const char *name;
	const char *metric;
	bool real;                  /* not started by us: a console and a name have to be given */
	const char *machine_prefix; /* of the machine id; NULL: the user names the machine */
	const char *default_cpu;
	unsigned default_timeout; /* seconds */
	bool (*prepare)(const struct machine_config *config, struct launch *launch, struct error *error);
	/* One line that names the emulator and its version; after a run, in the launch's folder. NULL: there is none.
	 */
	char *(*version)(const struct launch *launch);
};

extern const struct target target_qemu, target_qemu_kvm, target_bochs, target_serial, target_tcp, target_file;

#define TARGET_NAMES "qemu bochs serial tcp file"

/* accel: "tcg" or "kvm"; NULL when there is no such target. */
const struct target *target_find(const char *name, const char *accel);

/* True for what can be the name of a machine and of a folder. */
bool target_id_valid(const char *id);

/* Machine id such as "qemu-icount-max", with several CPUs "qemu-icount-max-smp4": fit for a folder's name. */
char *target_machine_id(const struct target *target, const char *cpu, unsigned cpus);

/* Creates the temporary folder with links to the kernel and the roottask, where given, under these names. */
bool launch_create(struct launch *launch, const struct machine_config *config, struct error *error) must_check;

char *launch_path(const struct launch *launch, const char *name);
bool launch_write(const struct launch *launch, const char *name, const char *text, struct error *error) must_check;

/* First line of a file in the folder that contains a word; NULL when none does. */
char *launch_find_line(const struct launch *launch, const char *name, const char *word);

void launch_free(struct launch *launch);
