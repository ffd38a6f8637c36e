/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hbench: measures Hedron on emulated and real machines, compares results and guards baselines. */
#include "verbs.h"

#include <argp.h>
#include <errno.h>
#include <locale.h>
#include <string.h>

const struct verb *const verbs[] = {
	&verb_list,   &verb_run_machine, &verb_import,  &verb_show,   &verb_compare,    &verb_gate,   &verb_baseline,
	&verb_export, &verb_store,       &verb_history, &verb_report, &verb_completion, &verb_manual, NULL,
};

static void print_help(FILE *out)
{
	fputs("Usage: hbench VERB [OPTION...]\n"
	      "Measures Hedron on emulated and real machines, compares results and guards baselines.\n\n",
	      out);
	for (const struct verb *const *verb = verbs; *verb; verb++)
		fprintf(out, "  %-10s %s\n", (*verb)->name, (*verb)->summary);
	fputs("\n`hbench VERB --help` shows the options of a verb with examples; `hbench --version` the version.\n\n"
	      "A first measurement:\n"
	      "  hbench run --target qemu --kernel hypervisor.elf32 --roottask ipc.elf -o new.json\n"
	      "  hbench gate --baseline results new.json\n\n"
	      "Exit codes: 0 good, 1 regressed, 2 usage, 3 not enough data, 4 run or file not valid, 5 benchmark\n"
	      "missing, 130 interrupted.\n",
	      out);
}

static int run_verb(int argc, char **argv)
{
	for (const struct verb *const *verb = verbs; *verb; verb++)
		if (!strcmp(argv[0], (*verb)->name))
			return verb_run(*verb, argc, argv);
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
	setlocale(LC_CTYPE, "");
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
