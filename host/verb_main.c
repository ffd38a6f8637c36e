/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the main() of a program with verbs does. */
#include "host/error.h"
#include "host/exit_code.h"
#include "host/verb.h"

#include <argp.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

static void print_help(FILE *out)
{
	fprintf(out, "Usage: %s VERB [OPTION...]\n%s: %s\n\n", program.name, program.name, program.summary);
	for (const struct verb *const *verb = program.verbs; *verb; verb++)
		fprintf(out, "  %-10s %s\n", (*verb)->name, (*verb)->summary);
	fprintf(out,
		"\n`%s VERB --help` shows the options of a verb with examples; `%s --version` the version.\n\n%s",
		program.name, program.name, program.more);
}

static int run_verb(int argc, char **argv)
{
	for (const struct verb *const *verb = program.verbs; *verb; verb++)
		if (!strcmp(argv[0], (*verb)->name))
			return verb_run(*verb, argc, argv);
	complain("there is no verb `%s`; `%s --help` lists them", argv[0], program.name);
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

static bool asks_for_help(const char *arg)
{
	return !strcmp(arg, "--help") || !strcmp(arg, "-h") || !strcmp(arg, "-?") || !strcmp(arg, "help");
}

int verb_main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	argp_err_exit_status = EXIT_USAGE;
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (asks_for_help(argv[1])) {
		print_help(stdout);
		return flush_output(0);
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("%s " TOOLS_VERSION "\n", program.name);
		return flush_output(0);
	}
	return flush_output(run_verb(argc - 1, argv + 1));
}
