/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hbench: measures Hedron on emulated machines, compares results and guards baselines. */
#include "verbs.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *summary;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{"list", "show suites and cases, with what they mean and their goals", cmd_list},
	{"run", "boot a kernel in QEMU or Bochs and measure it", cmd_run},
	{"import", "make a result from console logs recorded elsewhere", cmd_import},
	{"show", "print a result", cmd_show},
	{"compare", "print two results side by side", cmd_compare},
	{"gate", "fail when a result is worse than its baseline", cmd_gate},
	{"baseline", "record results as baselines, or list those there are", cmd_baseline},
};

static void print_help(FILE *out)
{
	fputs("Usage: hbench VERB [OPTION...]\n"
	      "Measures Hedron on emulated machines, compares results and guards baselines.\n\n",
	      out);
	for (size_t i = 0; i < array_size(verbs); i++)
		fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].summary);
	fputs("\n`hbench VERB --help` shows the options of a verb with examples; `hbench --version` the version.\n\n"
	      "A first measurement:\n"
	      "  hbench run --target qemu --kernel hypervisor.elf32 --roottask ipc.elf -o new.json\n"
	      "  hbench gate --baseline results new.json\n\n"
	      "Exit codes: 0 good, 1 regressed, 2 usage, 3 not enough data, 4 run or file not valid, 5 benchmark\n"
	      "missing, 130 interrupted.\n",
	      out);
}

const struct suite *verb_suite_of(const struct result *result, struct suite *storage)
{
	struct error ignored;

	return suite_load(storage, result_text(result, "suite"), &ignored) ? storage : NULL;
}

unsigned verb_number(const char *option, const char *text, unsigned min, unsigned max)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || value < min || value > max) {
		complain("--%s must be a number from %u to %u", option, min, max);
		exit(EXIT_USAGE);
	}
	return (unsigned)value;
}

static int run_verb(int argc, char **argv)
{
	for (size_t i = 0; i < array_size(verbs); i++) {
		if (strcmp(argv[0], verbs[i].name))
			continue;
		char *name = xasprintf("hbench %s", verbs[i].name);

		argv[0] = name;
		int code = verbs[i].run(argc, argv);

		free(name);
		return code;
	}
	complain("there is no verb `%s`; `hbench --help` lists them", argv[0]);
	return EXIT_USAGE;
}

/* A full disk must not look like success. */
static int flush_output(int code)
{
	if (fflush(stdout) || ferror(stdout)) {
		complain("cannot write the output: %s", strerror(errno));
		return code ? code : EXIT_RUN_INVALID;
	}
	return code;
}

int main(int argc, char **argv)
{
	argp_err_exit_status = EXIT_USAGE;
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "-?") ||
	    !strcmp(argv[1], "help")) {
		print_help(stdout);
		return flush_output(0);
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("hbench " HBENCH_VERSION);
		return flush_output(0);
	}
	return flush_output(run_verb(argc - 1, argv + 1));
}
