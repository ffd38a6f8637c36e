/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verbs.h"

#include "collect.h"
#include "elf_info.h"
#include "report.h"
#include "run.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_CPU = 256, KEY_CPUS, KEY_MEMORY, KEY_BOOTS, KEY_APPEND, KEY_ROOT_APPEND, KEY_TIMEOUT, KEY_REVISION };

enum { IMAGE_MAX = 256 << 20 };

struct options {
	const struct target *target;
	const char *kernel, *roottask, *suite, *cpu, *append, *root_append, *revision, *output;
	unsigned cpus, memory, boots, timeout; /* cpus 0: what the suite wants */
	bool quiet;
};

/* All that belongs to one invocation, from the images to the result. */
struct campaign {
	const struct options *options;
	struct machine_config config;
	char *root_words, *machine;
	struct suite suite; /* of --suite */
	struct result result;
	unsigned boots_done;
};

static const struct argp_option known[] = {
	{"target", 't', "qemu|bochs", 0, "Machine to measure on; needed", 0},
	{"kernel", 'k', "FILE", 0, "Kernel image; needed. QEMU takes hypervisor.elf32 only", 0},
	{"roottask", 'r', "FILE", 0, "Benchmark roottask (ELF); needed", 0},
	{"suite", 's', "NAME", 0,
	 "Suite to run: given to the roottask as `suite=NAME`, and refused when it runs another", 1},
	{"cpu", KEY_CPU, "MODEL", 0, "The emulator's CPU model (QEMU: max, Bochs: tigerlake)", 1},
	{"cpus", KEY_CPUS, "N", 0, "CPUs of the machine (what the suite given by --suite wants, else 1)", 1},
	{"memory", KEY_MEMORY, "MB", 0, "Memory of the machine (512)", 1},
	{"boots", KEY_BOOTS, "N", 0, "How often to boot and measure (1; a count of instructions needs no more)", 1},
	{"append", KEY_APPEND, "WORDS", 0, "More words for the kernel's command line, after `serial novga`", 1},
	{"root-append", KEY_ROOT_APPEND, "WORDS", 0, "More words for the roottask's command line", 1},
	{"timeout", KEY_TIMEOUT, "S", 0, "Seconds one boot may take (QEMU: 300, Bochs: 900)", 1},
	{"git-revision", KEY_REVISION, "REV", 0, "Revision to note in the result", 2},
	{"output", 'o', "FILE", 0, "Result file (hbench-result.json); the raw console goes beside it as .log", 2},
	{"quiet", 'q', NULL, 0, "Neither progress nor the table of results", 2},
	{0},
};

static error_t parse_machine(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_CPU:
		o->cpu = arg;
		return 0;
	case KEY_CPUS:
		o->cpus = verb_number("cpus", arg, 1, SUITE_CPUS_MAX);
		return 0;
	case KEY_MEMORY:
		o->memory = verb_number("memory", arg, 16, 1 << 20);
		return 0;
	case KEY_BOOTS:
		o->boots = verb_number("boots", arg, 1, 1000);
		return 0;
	case KEY_APPEND:
		o->append = arg;
		return 0;
	case KEY_ROOT_APPEND:
		o->root_append = arg;
		return 0;
	case KEY_TIMEOUT:
		o->timeout = verb_number("timeout", arg, 1, 7 * 24 * 3600);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t check_complete(struct argp_state *state)
{
	struct options *o = state->input;

	if (!o->target || !o->kernel || !o->roottask) {
		argp_error(state, "--target, --kernel and --roottask are needed");
		return EINVAL;
	}
	if (!o->cpu)
		o->cpu = o->target->default_cpu;
	if (!o->timeout)
		o->timeout = o->target->default_timeout;
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 't':
		o->target = target_find(arg);
		if (!o->target)
			argp_error(state, "`%s` is not a target; there are qemu and bochs", arg);
		return 0;
	case 'k':
		o->kernel = arg;
		return 0;
	case 'r':
		o->roottask = arg;
		return 0;
	case 's':
		o->suite = arg;
		return 0;
	case 'o':
		o->output = arg;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case KEY_REVISION:
		o->revision = arg;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "`%s` is not an option", arg);
		return 0;
	case ARGP_KEY_END:
		return check_complete(state);
	default:
		return parse_machine(key, arg, state);
	}
}

static const struct argp argp = {
	.options = known,
	.parser = parse,
	.doc = "Boot a kernel with a benchmark roottask, read its measurements from the serial line, and write a "
	       "result."
	       "\vInstructions are counted, not time: in QEMU with -icount and in Bochs the time-stamp counter of "
	       "one CPU "
	       "counts executed instructions, the same in every run on every host.\n\n"
	       "Examples:\n"
	       "  hbench run -t qemu -k hypervisor.elf32 -r ipc.elf -o new.json\n"
	       "  hbench run -t qemu -k hypervisor.elf32 -r sm.elf --suite sm -o sm.json\n"
	       "  hbench run -t bochs --cpu tigerlake -k hypervisor.elf32 -r ipc.elf\n"
	       "  hbench run -t qemu -k hypervisor.elf32 -r ipc.elf --append nopcid\n\n"
	       "HBENCH_QEMU, HBENCH_BOCHS, HBENCH_GRUB_MKRESCUE and HBENCH_GRUB_MODULES name other programs and "
	       "GRUB's "
	       "module folder. Exit codes: 0 good, 2 usage, 4 the run is not valid, 130 interrupted.",
};

/* "new.json" -> "new.log"; with several boots "new.1.log" and so on. */
static char *log_path(const struct options *o, unsigned boot)
{
	size_t len = strlen(o->output);

	if (len > 5 && !strcmp(o->output + len - 5, ".json"))
		len -= 5;
	if (o->boots > 1)
		return xasprintf("%.*s.%u.log", (int)len, o->output, boot);
	return xasprintf("%.*s.log", (int)len, o->output);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Records name, hash and build id of an image. */
static bool note_image(struct result *result, const char *kind, const char *path, struct error *error)
{
	char hash[65], *data;
	struct elf_info elf;
	size_t size;

	data = file_read(path, IMAGE_MAX, &size, error);
	if (!data)
		return false;
	if (!sha256_hex(data, size, hash))
		snprintf(hash, sizeof(hash), "unknown");
	char *file_key = xasprintf("%s_file", kind), *hash_key = xasprintf("%s_sha256", kind);
	char *id_key = xasprintf("%s_build_id", kind);

	result_set_text(result, file_key, base_name(path));
	result_set_text(result, hash_key, hash);
	if (elf_info_read(&elf, data, size) && elf.build_id[0])
		result_set_text(result, id_key, elf.build_id);
	free(id_key);
	free(hash_key);
	free(file_key);
	free(data);
	return true;
}

static bool check_image(const char *path, bool *is_64, struct error *error)
{
	struct elf_info elf;
	size_t size;
	char *data = file_read(path, IMAGE_MAX, &size, error);
	bool good = data && elf_info_read(&elf, data, size);

	if (data && !good)
		error_store(error, "%s is not an ELF file", path);
	if (good)
		*is_64 = elf.is_64;
	free(data);
	return good;
}

/* As started, but without the folders of this host. */
static void note_command(struct result *result, char *const argv[])
{
	json_t *array = json_array();

	json_array_append_new(array, result_string(base_name(*argv)));
	while (*++argv)
		json_array_append_new(array, result_string(*argv));
	json_object_set_new(result->context, "command_line", array);
}

static bool note_machine(struct campaign *c, const struct launch *launch, struct error *error)
{
	const struct options *o = c->options;
	char *version = o->target->version(launch);

	result_set_text(&c->result, "target", o->target->name);
	result_set_text(&c->result, "cpu_model", o->cpu);
	result_set_number(&c->result, "cpus", c->config.cpus);
	result_set_number(&c->result, "memory_mb", o->memory);
	result_set_text(&c->result, "emulator_version", version ? version : "unknown");
	free(version);
	result_set_text(&c->result, "kernel_append", o->append);
	note_command(&c->result, launch->argv);
	return note_image(&c->result, "kernel", o->kernel, error) &&
	       note_image(&c->result, "roottask", o->roottask, error);
}

static bool keep_session(struct campaign *c, struct session *session, const struct launch *launch,
			 struct error *error)
{
	if (!c->boots_done) {
		collect_start(&c->result, session, c->machine, c->options->target->metric);
		if (!note_machine(c, launch, error))
			return false;
	}
	c->boots_done++;
	return collect_add(&c->result, session, error);
}

static enum exit_code finish_boot(struct campaign *c, enum run_end end, struct session *session,
				  const struct launch *launch, const char *log, struct error *error)
{
	switch (end) {
	case RUN_GOOD:
		if (keep_session(c, session, launch, error))
			return EXIT_SAME_OR_BETTER;
		break;
	case RUN_INVALID:
		collect_complain(session, log);
		return EXIT_RUN_INVALID;
	case RUN_INTERRUPTED:
		complain("interrupted; the console log so far is in %s", log);
		return EXIT_INTERRUPTED;
	case RUN_NOT_STARTED:
		break;
	}
	complain("%s", error->text);
	return EXIT_RUN_INVALID;
}

static enum exit_code boot_once(struct campaign *c, unsigned boot)
{
	const struct options *o = c->options;
	char *log = log_path(o, boot);
	FILE *file = fopen(log, "we");
	enum exit_code code = EXIT_RUN_INVALID;
	struct launch launch = {0};
	struct progress progress;
	struct session session;
	struct error error;

	session_init(&session, o->suite);
	if (!file) {
		complain("cannot write %s: %s", log, strerror(errno));
	} else if (!o->target->prepare(&c->config, &launch, &error)) {
		complain("%s", error.text);
	} else {
		progress_start(&progress, boot, o->boots, o->quiet);
		enum run_end end = run_boot(&launch, o->timeout, file, &session, &progress, &error);

		fflush(file);
		code = finish_boot(c, end, &session, &launch, log, &error);
	}
	if (file)
		fclose(file);
	session_free(&session);
	launch_free(&launch);
	free(log);
	return code;
}

static enum exit_code save(struct campaign *c)
{
	const struct options *o = c->options;
	struct suite storage = {0};
	struct error error;

	collect_finish(&c->result, o->revision, c->boots_done);
	if (!result_save(&c->result, o->output, &error)) {
		complain("%s", error.text);
		return EXIT_RUN_INVALID;
	}
	if (!o->quiet) {
		report_result(stdout, &c->result, verb_suite_of(&c->result, &storage));
		suite_free(&storage);
		fflush(stdout);
		fprintf(stderr, "written: %s\n", o->output);
	}
	return EXIT_SAME_OR_BETTER;
}

static bool prepare(struct campaign *c, struct error *error)
{
	const struct options *o = c->options;
	bool root_is_64;

	if (o->suite && !suite_load(&c->suite, o->suite, error))
		return false;
	c->root_words = o->suite ? xasprintf("suite=%s%s%s", o->suite, *o->root_append ? " " : "", o->root_append)
				 : xstrdup(o->root_append);
	c->config = (struct machine_config){
		.kernel = o->kernel,
		.roottask = o->roottask,
		.cpu = o->cpu,
		.memory = o->memory,
		.cpus = o->cpus    ? o->cpus
			: o->suite ? c->suite.cpus
				   : 1,
		.append = o->append,
		.root_words = c->root_words,
	};
	c->machine = target_machine_id(o->target, o->cpu, c->config.cpus);
	return check_image(o->kernel, &c->config.kernel_is_64, error) && check_image(o->roottask, &root_is_64, error);
}

int cmd_run(int argc, char **argv)
{
	struct options o = {
		.memory = 512, .boots = 1, .append = "", .root_append = "", .output = "hbench-result.json"};
	struct campaign c = {.options = &o};
	enum exit_code code = EXIT_SAME_OR_BETTER;
	struct error error;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	run_catch_signals();
	if (!prepare(&c, &error)) {
		complain("%s", error.text);
		code = EXIT_USAGE;
	}
	for (unsigned boot = 1; boot <= o.boots && code == EXIT_SAME_OR_BETTER; boot++)
		code = boot_once(&c, boot);
	if (code == EXIT_SAME_OR_BETTER)
		code = save(&c);
	result_free(&c.result);
	suite_free(&c.suite);
	free(c.root_words);
	free(c.machine);
	return code;
}
