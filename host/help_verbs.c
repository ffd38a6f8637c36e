/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs that help: scripts for shells, and the manual page. */
#include "host/compiler.h"
#include "host/help.h"

#include <stddef.h>
#include <string.h>

static int run(char **args, unsigned count)
{
	static const struct {
		const char *name;
		void (*print)(FILE *out);
	} shells[] = {{"bash", help_bash}, {"zsh", help_zsh}, {"fish", help_fish}};

	(void)count;
	for (size_t i = 0; i < array_size(shells); i++)
		if (!strcmp(args[0], shells[i].name)) {
			shells[i].print(stdout);
			return 0;
		}
	verb_usage(&verb_completion, "there are scripts for bash, zsh and fish, not for `%s`", args[0]);
}

const struct verb verb_completion = {
	.name = "completion",
	.summary = "print the completion script of a shell",
	.args = "bash|zsh|fish",
	.args_words = "bash zsh fish",
	.doc = "Print a script that lets a shell complete verbs, options, names and files.",
	.examples = "  . <($0 completion bash)\n"
		    "  $0 completion fish > ~/.config/fish/completions/$0.fish\n",
	.args_min = 1,
	.args_max = 1,
	.args_needed = "say which shell: bash, zsh or fish",
	.run = run,
};

static int print_manual(char **args, unsigned count)
{
	(void)args;
	(void)count;
	help_manual(stdout);
	return 0;
}

const struct verb verb_manual = {
	.name = "manual",
	.summary = "print the manual page, for man",
	.args = "",
	.doc = "Print the manual page, which belongs into section 1.",
	.examples = "  $0 manual | man -l -\n"
		    "  $0 manual > ~/.local/share/man/man1/$0.1\n",
	.args_needed = "manual takes no arguments",
	.run = print_manual,
};
