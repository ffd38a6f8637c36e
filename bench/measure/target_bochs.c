/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bochs: slower than QEMU, with VMX and SVM. Its time-stamp counter counts executed instructions on a one-CPU
 * machine. It has no loader of its own, so the kernel boots from a GRUB image; the console is a FIFO that Bochs takes
 * for a file.
 */
#include "host/environment.h"
#include "host/file.h"
#include "host/mem.h"
#include "measure/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char bochsrc[] = "cpu: model=%s, count=1, ips=100000000, reset_on_triple_fault=0, ignore_bad_msrs=1\n"
			      "memory: guest=%u, host=%u\n"
			      "romimage: file=/usr/share/bochs/BIOS-bochs-latest\n"
			      "vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest\n"
			      "ata0-master: type=cdrom, path=image.iso, status=inserted\n"
			      "boot: cdrom\n"
			      "com1: enabled=1, mode=file, dev=console\n"
			      "log: bochs.log\n"
			      "display_library: rfb, options=\"timeout=0\"\n"
			      "clock: sync=none\n"
			      "panic: action=fatal\n"
			      "error: action=report\n"
			      "info: action=ignore\n"
			      /* without a sound card its mixer thread dies, and Bochs with it */
			      "sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy\n";

/* Words for GRUB's shell-like language: quoted, so that nothing in them means anything to it. */
static bool quotable(const char *words, struct error *error)
{
	if (strpbrk(words, "'\\\n"))
		return error_set(error, "words for a command line must not have quotes, backslashes or line ends");
	return true;
}

static char *quoted(const char *words)
{
	char *copy = xstrdup(words), *out = xstrdup(""), *save = NULL;

	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *longer = xasprintf("%s '%s'", out, word);

		free(out);
		out = longer;
	}
	free(copy);
	return out;
}

static char *grub_config(const struct machine_config *config)
{
	char *append = quoted(config->append), *words = quoted(config->root_words);
	char *text =
		xasprintf("set timeout=0\nset default=0\nmenuentry hbench {\n\tmultiboot /boot/kernel kernel serial "
			  "novga%s\n\tmodule /boot/roottask roottask%s\n}\n",
			  append, words);

	free(append);
	free(words);
	return text;
}

static bool write_text(const struct launch *launch, const char *name, char *text, struct error *error)
{
	bool good = launch_write(launch, name, text, error);

	free(text);
	return good;
}

static bool make_folder(const struct launch *launch, const char *name, struct error *error)
{
	char *path = launch_path(launch, name);
	bool good = file_make_folders(path, error);

	free(path);
	return good;
}

/* Copies of the kernel and the roottask become the files of the image. */
static bool fill_image(const struct launch *launch, const struct machine_config *config, struct error *error)
{
	static const char *const names[] = {"kernel", "roottask"};

	for (size_t i = 0; i < array_size(names); i++) {
		char *from = launch_path(launch, names[i]),
		     *to = xasprintf("%s/iso/boot/%s", launch->folder, names[i]);
		size_t size = 0;
		char *data = file_read(from, 256 << 20, &size, error);
		bool good = data && file_replace(to, data, size, error);

		free(data);
		free(from);
		free(to);
		if (!good)
			return false;
	}
	return write_text(launch, "iso/boot/grub/grub.cfg", grub_config(config), error);
}

static bool make_image(const struct launch *launch, struct error *error)
{
	char *argv[] = {
		(char *)environment("HBENCH_GRUB_MKRESCUE", "grub-mkrescue"),
		"-d",
		(char *)environment("HBENCH_GRUB_MODULES", "/usr/lib/grub/i386-pc"),
		"-o",
		"image.iso",
		"iso",
		NULL,
	};
	struct error why;
	char *line;

	if (launch_run(launch, argv, "grub.txt", 120, &why))
		return true;
	line = launch_find_line(launch, "grub.txt", "rror");
	error_store(error,
		    "cannot build a GRUB image: %s%s%s (the packages grub-pc-bin, xorriso and mtools are needed)",
		    why.text, line ? ": " : "", line ? line : "");
	free(line);
	return false;
}

static bool make_fifo(const struct launch *launch, const char *name, struct error *error)
{
	char *path = launch_path(launch, name);
	bool good = !mkfifo(path, 0600);

	if (!good)
		error_store(error, "cannot create %s: %s", path, strerror(errno));
	free(path);
	return good;
}

static char **arguments(void)
{
	const char *fixed[] = {environment("HBENCH_BOCHS", "bochs"), "-q", "-f", "bochsrc", "-rc", "rc"};
	char **argv = xcalloc(array_size(fixed) + 1, sizeof(*argv));

	for (size_t i = 0; i < array_size(fixed); i++)
		argv[i] = xstrdup(fixed[i]);
	return argv;
}

/* Memory that Bochs holds at once; it swaps what is beyond to a file. */
static unsigned host_memory(const struct machine_config *config)
{
	return config->memory < 1024 ? config->memory : 1024;
}

static bool prepare(const struct machine_config *config, struct launch *launch, struct error *error)
{
	if (config->cpus != 1)
		return error_set(error,
				 "Bochs counts instructions on machines with one CPU only, not with %u: the target "
				 "qemu does",
				 config->cpus);
	if (strspn(config->cpu, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(config->cpu))
		return error_set(error, "`%s` is not a CPU model of Bochs, such as tigerlake", config->cpu);
	if (!quotable(config->append, error) || !quotable(config->root_words, error) ||
	    !launch_create(launch, config, error))
		return false;
	launch->argv = arguments();
	launch->fifo = "console";
	return make_folder(launch, "iso/boot/grub", error) && fill_image(launch, config, error) &&
	       make_image(launch, error) && make_fifo(launch, "console", error) &&
	       launch_write(launch, "rc", "c\n", error) &&
	       write_text(launch, "bochsrc", xasprintf(bochsrc, config->cpu, config->memory, host_memory(config)),
			  error);
}

static char *version(const struct launch *launch)
{
	char *line = launch_find_line(launch, "emulator.txt", "Bochs x86 Emulator"), *text;

	if (!line)
		return NULL;
	text = xasprintf("%s", strstr(line, "Bochs"));
	free(line);
	return text;
}

const struct target target_bochs = {
	.name = "bochs",
	.metric = "instructions",
	.machine_prefix = "bochs",
	.default_cpu = "tigerlake",
	.default_timeout = 900,
	.prepare = prepare,
	.version = version,
};
