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
	char *host, *user, *password_file;
	unsigned port;
	unsigned *cipher_suite; /* NULL: what both can */
	enum inventory_privilege privilege;
	char **options; /* more of ipmitool's */
	unsigned options_count;
};

struct inventory_console {
	enum console_type type;
	char *device; /* tty */
	unsigned speed;
	char *address; /* tcp: HOST:PORT */
	char *path;    /* qemu: UNIX socket; file */
	char **command;
	unsigned command_count;
	struct inventory_bmc bmc; /* ipmi */
	unsigned instance;        /* ipmi: of its serial lines */
	unsigned kib;             /* ram: the log's size */
};

enum power_type { POWER_COMMAND, POWER_IPMI, POWER_POWERMAN };

struct inventory_power {
	enum power_type type;
	char **on, **off, **cycle, **status; /* command: programs with their arguments */
	unsigned on_count, off_count, cycle_count, status_count;
	struct inventory_bmc bmc; /* ipmi; powerman: the host only, that of its server, or NULL */
	char *interface;          /* ipmi: ipmitool's */
	char *node;               /* powerman */
};

/* Seconds. */
struct inventory_timeouts {
	unsigned power, boot, run, silence;
	unsigned *settle; /* between off and on; may be 0 */
};

struct inventory_machine {
	char *name, *mac;
	char *address; /* NULL: from the pool */
	enum inventory_firmware firmware;
	enum inventory_boot boot;
	enum inventory_metric metric;
	struct inventory_console console;
	struct inventory_power power;
	enum inventory_after after;
	struct inventory_timeouts timeouts;
	unsigned *retries;
	char **tags, **suites; /* suites: none: all */
	unsigned tags_count, suites_count;
	char *append;   /* more words for the kernel */
	char *baseline; /* whose baselines it is compared with */
};

struct inventory_network {
	char *interface, *address, *netmask;
	enum inventory_dhcp dhcp;
	char *first, *last; /* of the pool; or NULL */
	unsigned http_port;
	char *user; /* that the servers run as */
};

struct inventory_folders {
	char *boot, *runs, *locks;
	char *baselines, *keys; /* or NULL */
};

struct inventory_lab {
	char *name;
	struct inventory_network network;
	struct inventory_folders folders;
	char *database; /* or NULL */
	enum inventory_after after;
	struct inventory_timeouts timeouts;
	unsigned *retries;
	unsigned menu_seconds;
};

struct inventory {
	struct inventory_lab lab;
	struct inventory_machine *machines;
	unsigned machines_count;
	/* Not in the file */
	char *path, *folder; /* of the file, absolute */
};

/* All that is wrong with an inventory, each with file, line and field. */
struct inventory_problems {
	char **text;
	unsigned count;
};

/* Loads a file; NULL after problems. */
struct inventory *inventory_load(const char *path, struct inventory_problems *problems) must_check;

/* The same from memory; path is for messages and relative paths. */
struct inventory *inventory_parse(const char *data, size_t size, const char *path,
				  struct inventory_problems *problems) must_check;

const struct inventory_machine *inventory_find(const struct inventory *inventory, const char *name);

/* True when the machine has all tags, separated by commas. */
bool inventory_has_tags(const struct inventory_machine *machine, const char *tags);

/* True when the suite may run on the machine. */
bool inventory_allows(const struct inventory_machine *machine, const char *suite);

const char *inventory_metric_name(const struct inventory_machine *machine);
const char *inventory_console_name(const struct inventory_machine *machine);
const char *inventory_power_name(const struct inventory_machine *machine);

/* 52:54:00:00:00:01 as 52-54-00-00-00-01, what iPXE calls hexhyp. To be freed. */
char *inventory_mac_name(const struct inventory_machine *machine);

void inventory_free(struct inventory *inventory);

void inventory_problem(struct inventory_problems *problems, const char *fmt, ...) printf_like(2, 3);
void inventory_print_problems(const struct inventory_problems *problems);
void inventory_free_problems(struct inventory_problems *problems);
