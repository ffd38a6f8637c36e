/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines a kernel can be measured on: emulators, and real machines that are somewhere else. A target prepares a
 * launch; measure/run.h starts it and listens.
 */
#pragma once

#include "measure/launch.h"

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

/* Machine id such as "qemu-icount-max", with several CPUs "qemu-icount-max-smp4": small letters, fit for a folder's
 * name. */
char *target_machine_id(const struct target *target, const char *cpu, unsigned cpus);
