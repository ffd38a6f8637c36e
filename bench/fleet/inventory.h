/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machines of a lab and what is around them, as a YAML file says: docs/fleet.md. What was loaded is complete and
 * checked, defaults are filled in and paths are absolute, so nobody else has to doubt it.
 */
#pragma once

#include "host/compiler.h"

#include <stdbool.h>
#include <stddef.h>

enum inventory_firmware { FIRMWARE_BIOS, FIRMWARE_UEFI };
enum inventory_dhcp { DHCP_FULL, DHCP_PROXY, DHCP_NONE };
enum inventory_boot { BOOT_NETWORK, BOOT_ITSELF };
enum inventory_after { AFTER_DEFAULT, AFTER_OFF, AFTER_ON, AFTER_LEAVE };
enum inventory_metric { METRIC_TICKS, METRIC_INSTRUCTIONS };

/* When the machine is looked at by the probe: not at all, at the beginning of each run, or once for all runs. */
enum inventory_look { LOOK_DEFAULT, LOOK_NEVER, LOOK_RUN, LOOK_ONCE };
/* What becomes of a run on a machine that is not fit to measure. */
enum inventory_unfit { UNFIT_DEFAULT, UNFIT_WARN, UNFIT_REFUSE };

enum inventory_privilege { PRIVILEGE_DEFAULT, PRIVILEGE_USER, PRIVILEGE_OPERATOR, PRIVILEGE_ADMINISTRATOR };

enum console_type {
	CONSOLE_TTY,
	CONSOLE_TCP,
	CONSOLE_QEMU,
	CONSOLE_COMMAND,
	CONSOLE_FILE,
	CONSOLE_IPMI,
	CONSOLE_RAM
};

/* A management controller, as ipmitool reaches it. */
struct inventory_bmc {
	char *host, *user, *password_file; /* a file, for command lines are for everybody to see */
	unsigned port;
	unsigned *cipher_suite; /* NULL: ipmitool chooses */
	enum inventory_privilege privilege;
	char **options; /* more words for ipmitool's command line */
	unsigned options_count;
};

/* The type decides which of the other fields count. */
struct inventory_console {
	enum console_type type;
	char *device;   /* tty */
	unsigned speed; /* tty: baud */
	char *address;  /* tcp: HOST:PORT */
	char *path;     /* qemu: UNIX socket; file */
	char **command; /* command: a program with its arguments */
	unsigned command_count;
	struct inventory_bmc bmc; /* ipmi */
	unsigned instance;        /* ipmi: the number of the serial line */
	unsigned kib;             /* ram: the log's size in KiB */
};

enum power_type { POWER_COMMAND, POWER_IPMI, POWER_POWERMAN };

struct inventory_power {
	enum power_type type;
	char **on, **off, **cycle, **status; /* command: programs with their arguments; NULL: none */
	unsigned on_count, off_count, cycle_count, status_count;
	struct inventory_bmc bmc; /* ipmi; powerman: the host only, that of its server, or NULL */
	char *interface;          /* ipmi: how ipmitool talks to it, such as lanplus */
	char *node;               /* powerman: its name for the machine */
};

/*
 * Seconds: for a power command; from power on to the first line of the kernel; from there to the end; without a byte
 * from the console. What is a pointer may be 0, so that NULL is needed for what the file does not say; once loaded it
 * is never NULL.
 */
struct inventory_timeouts {
	unsigned power, boot, run, silence;
	unsigned *settle; /* the pause between off and on */
};

struct inventory_probe {
	enum inventory_look when;
	enum inventory_unfit unfit;
	unsigned seconds; /* of watching what stops CPUs, in which the machine says nothing */
};

struct inventory_machine {
	char *name;
	char *mac;     /* in lower case; NULL: not known, the machine boots by itself */
	char *address; /* NULL: one of the pool */
	enum inventory_firmware firmware;
	enum inventory_boot boot;
	enum inventory_metric metric;
	struct inventory_console console;
	struct inventory_power power;
	enum inventory_after after;
	struct inventory_timeouts timeouts;
	struct inventory_probe probe;
	unsigned *retries;     /* attempts after the first that failed, for each boot; never NULL once loaded */
	char **tags, **suites; /* suites: those that it may run; without any it may run all */
	unsigned tags_count, suites_count;
	char *append;   /* more words for the kernel; or NULL */
	char *baseline; /* the machine whose baselines it is compared with: itself, or another one of its kind */
};

struct inventory_network {
	char *interface, *address, *netmask;
	enum inventory_dhcp dhcp;
	char *first, *last; /* the pool of addresses that DHCP may give; or NULL */
	unsigned http_port;
	char *user; /* that the servers run as */
};

struct inventory_folders {
	char *boot, *runs, *locks, *probes;
	char *baselines, *keys; /* or NULL */
};

struct inventory_lab {
	char *name;
	struct inventory_network network;
	struct inventory_folders folders;
	char *database; /* or NULL */
	enum inventory_after after;
	struct inventory_timeouts timeouts;
	struct inventory_probe probe;
	unsigned *retries;
	unsigned menu_seconds;
};

struct inventory {
	struct inventory_lab lab;
	struct inventory_machine *machines;
	unsigned machines_count;
	/* These two are not in the file: its own path and its folder, absolute. */
	char *path, *folder;
};

/* All that is wrong with an inventory, each with file, line and field. Begins as {0}; inventory_free_problems() frees
 * it. */
struct inventory_problems {
	char **text;
	unsigned count;
};

/* Loads a file; to be freed by inventory_free(). NULL if there are problems, which are added to the list. */
struct inventory *inventory_load(const char *path, struct inventory_problems *problems) must_check;

/* The same from memory; path is for messages and relative paths. */
struct inventory *inventory_parse(const char *data, size_t size, const char *path,
				  struct inventory_problems *problems) must_check;

/* NULL when there is none of this name. */
const struct inventory_machine *inventory_find(const struct inventory *inventory, const char *name);

/*
 * The machine whose address, as inventory_mac_name() has it but in letters of any size, follows "<folder>/" in the
 * path; NULL: none. *rest is what follows the address.
 */
const struct inventory_machine *inventory_find_path(const struct inventory *inventory, const char *path,
						    const char *folder, const char **rest);

/* True when the machine has all of these tags; `tags` has them separated by commas. */
bool inventory_has_tags(const struct inventory_machine *machine, const char *tags);

/* True when the suite may run on the machine. */
bool inventory_allows(const struct inventory_machine *machine, const char *suite);

const char *inventory_metric_name(const struct inventory_machine *machine);
const char *inventory_console_name(const struct inventory_machine *machine);
const char *inventory_power_name(const struct inventory_machine *machine);

/* 52:54:00:00:00:01 as 52-54-00-00-00-01, what iPXE calls hexhyp; for machines with a mac. To be freed. */
char *inventory_mac_name(const struct inventory_machine *machine);

void inventory_free(struct inventory *inventory);

void inventory_problem(struct inventory_problems *problems, const char *fmt, ...) printf_like(2, 3);
void inventory_print_problems(const struct inventory_problems *problems);
void inventory_free_problems(struct inventory_problems *problems);
