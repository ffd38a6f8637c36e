/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU. Without hardware acceleration and with -icount shift=0 the time-stamp counter counts executed instructions,
 * the same in every run; those of several CPUs together, which take turns (docs/bench-protocol.md). With KVM the
 * host's CPU executes the machine and ticks are time.
 */
#include "host/environment.h"
#include "host/mem.h"
#include "measure/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The guest writes 0x10 or 0x11 to the debug-exit port; QEMU exits with twice that and 1. */
enum { STATUS_GOOD = 0x21, STATUS_FAILED = 0x23 };

static const char *program(void)
{
	return environment("HBENCH_QEMU", "qemu-system-x86_64");
}

/* In -initrd a comma separates modules; a doubled one is a comma. */
static char *module_argument(const char *words)
{
	char *out = xcalloc(2 * strlen(words) + sizeof("roottask "), 1), *at = stpcpy(out, "roottask");

	if (*words)
		*at++ = ' ';
	for (; *words; words++) {
		*at++ = *words;
		if (*words == ',')
			*at++ = ',';
	}
	return out;
}

static void add(char **argv, const char *text)
{
	while (*argv)
		argv++;
	*argv = xstrdup(text);
}

static void add_pair(char **argv, const char *option, char *value)
{
	add(argv, option);
	add(argv, value);
	free(value);
}

enum { ARGUMENTS_MAX = 40 };

/* accel: the arguments that decide what a tick is, one after the other, NULL at the end. */
static char **arguments(const struct machine_config *config, const char *const *accel, char *cpu)
{
	static const char *const fixed[] = {
		"-display",
		"none",
		"-serial",
		"stdio",
		"-monitor",
		"none",
		"-no-reboot",
		"-net",
		"none",
		"-device",
		"isa-debug-exit,iobase=0xf4,iosize=4",
		"-kernel",
		"kernel",
	};
	char **argv = xcalloc(ARGUMENTS_MAX, sizeof(*argv));

	add(argv, program());
	for (; *accel; accel++)
		add(argv, *accel);
	for (size_t i = 0; i < array_size(fixed); i++)
		add(argv, fixed[i]);
	add_pair(argv, "-cpu", cpu);
	add_pair(argv, "-smp", xasprintf("%u", config->cpus));
	add_pair(argv, "-m", xasprintf("%u", config->memory));
	add_pair(argv, "-initrd", module_argument(config->root_words));
	add_pair(argv, "-append", xasprintf("serial novga%s%s", *config->append ? " " : "", config->append));
	return argv;
}

static bool prepare_launch(const struct machine_config *config, struct launch *launch, struct error *error)
{
	if (config->kernel_is_64)
		return error_set(error,
				 "%s is a 64-bit ELF and QEMU's Multiboot loader takes 32-bit ones: give "
				 "hypervisor.elf32",
				 config->kernel);
	if (!launch_create(launch, config, error))
		return false;
	launch->good_status = STATUS_GOOD;
	launch->failed_status = STATUS_FAILED;
	return true;
}

static bool prepare(const struct machine_config *config, struct launch *launch, struct error *error)
{
	static const char *const accel[] = {"-accel", "tcg", "-icount", "shift=0,sleep=off", NULL};

	if (!prepare_launch(config, launch, error))
		return false;
	launch->argv = arguments(config, accel, xstrdup(config->cpu));
	return true;
}

/* The host's CPU only tells of its invariant time-stamp counter when the machine cannot be moved to another host. */
static bool prepare_kvm(const struct machine_config *config, struct launch *launch, struct error *error)
{
	static const char *const accel[] = {"-accel", "kvm", NULL};
	bool host = !strncmp(config->cpu, "host", 4);

	if (access("/dev/kvm", R_OK | W_OK))
		return error_set(error,
				 "KVM cannot be used: /dev/kvm: %s. It needs a CPU with virtualization, the module "
				 "kvm, and membership in the group kvm; --accel tcg counts instructions instead",
				 strerror(errno));
	if (!prepare_launch(config, launch, error))
		return false;
	launch->argv = arguments(config, accel,
				 xasprintf("%s%s", config->cpu, host ? ",migratable=off,+invtsc" : ",+invtsc"));
	return true;
}

static char *version(const struct launch *launch)
{
	char *argv[] = {(char *)program(), "--version", NULL};
	struct error ignored;

	if (!launch_run(launch, argv, "version", 10, &ignored))
		return NULL;
	return launch_find_line(launch, "version", "version");
}

const struct target target_qemu = {
	.name = "qemu",
	.metric = "instructions",
	.machine_prefix = "qemu-icount",
	.default_cpu = "max",
	.default_timeout = 300,
	.prepare = prepare,
	.version = version,
};

const struct target target_qemu_kvm = {
	.name = "qemu",
	.metric = "ticks",
	.machine_prefix = "qemu-kvm",
	.default_cpu = "host",
	.default_timeout = 300,
	.prepare = prepare_kvm,
	.version = version,
};
