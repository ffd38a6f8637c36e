/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is to be started for one boot, and the temporary folder it is started in: links to kernel and roottask, files
 * of the emulator, its output.
 */
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
	char *folder;     /* temporary, removed by launch_free() */
	char **argv;      /* started in that folder; names no path outside of it, so it is the same everywhere */
	const char *fifo; /* the console's file in the folder; NULL: the console is stdout */
	int console;      /* open console of a real machine, which argv (or NULL: the user) starts; -1: an emulator */
	bool telnet;      /* the console may speak telnet */
	bool in_place;    /* argv is started in the present folder instead */
	int good_status;  /* exit status of a good end; -1: it tells nothing */
	int failed_status; /* the roottask says that something failed */
};

/* Creates the temporary folder with links to the kernel and the roottask, where given, under these names. */
bool launch_create(struct launch *launch, const struct machine_config *config, struct error *error) must_check;

/* Path of a file in the folder; to be freed. */
char *launch_path(const struct launch *launch, const char *name);
bool launch_write(const struct launch *launch, const char *name, const char *text, struct error *error) must_check;

/* First line of a file in the folder that contains a word; NULL when none does. To be freed. */
char *launch_find_line(const struct launch *launch, const char *name, const char *word);

/* Runs a program in the folder to its end, at most `seconds`; what it prints goes to the file `output` there. */
bool launch_run(const struct launch *launch, char *const argv[], const char *output, double seconds,
		struct error *error) must_check;

/* Removes the folder, and closes the console. */
void launch_free(struct launch *launch);
