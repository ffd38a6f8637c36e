/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU without hardware acceleration. With -icount shift=0 the time-stamp counter counts executed instructions, the
 * same in every run; those of several CPUs together, which take turns (docs/bench-protocol.md).
 */
#include "target.h"

#include "child.h"

#include <fcntl.h>
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

static char **arguments(const struct machine_config *config)
{
	const char *fixed[] = {
		program(),
		"-accel",
		"tcg",
		"-icount",
		"shift=0,sleep=off",
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
		"-cpu",
		config->cpu,
		"-kernel",
		"kernel",
	};
	size_t count = 0;
	char **argv = xcalloc(array_size(fixed) + 9, sizeof(*argv));

	for (; count < array_size(fixed); count++)
		argv[count] = xstrdup(fixed[count]);
	argv[count++] = xstrdup("-smp");
	argv[count++] = xasprintf("%u", config->cpus);
	argv[count++] = xstrdup("-m");
	argv[count++] = xasprintf("%u", config->memory);
	argv[count++] = xstrdup("-initrd");
	argv[count++] = module_argument(config->root_words);
	argv[count++] = xstrdup("-append");
	argv[count++] = xasprintf("serial novga%s%s", *config->append ? " " : "", config->append);
	return argv;
}

static bool prepare(const struct machine_config *config, struct launch *launch, struct error *error)
{
	if (config->kernel_is_64)
		return error_set(error,
				 "%s is a 64-bit ELF and QEMU's Multiboot loader takes 32-bit ones: give "
				 "hypervisor.elf32",
				 config->kernel);
	if (!launch_create(launch, config, error))
		return false;
	launch->argv = arguments(config);
	launch->good_status = STATUS_GOOD;
	launch->failed_status = STATUS_FAILED;
	return true;
}

static char *version(const struct launch *launch)
{
	char *path = launch_path(launch, "version"), *argv[] = {(char *)program(), "--version", NULL}, *line = NULL;
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	struct error ignored;

	if (fd >= 0 && child_run(argv, launch->folder, fd, fd, 10, &ignored))
		line = launch_find_line(launch, "version", "version");
	if (fd >= 0)
		close(fd);
	free(path);
	return line;
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
