/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scripts that complete a command line in bash, zsh and fish. */
#include "host/help.h"

#include <string.h>

/* Values of an option: words of the table, or what hbench says about suites. */
static void print_words(FILE *out, const char *words)
{
	fputs(strcmp(words, "SUITES") ? words : "$(hbench list --suites 2>/dev/null)", out);
}

static void bash_options(FILE *out, const struct verb *verb)
{
	fprintf(out, "\t%s)\n\t\toptions='--help", verb->name);
	for (const struct option_spec *o = verb->options; o && o->name; o++)
		fprintf(out, " --%s", o->name);
	fputs("'\n\t\tcase $previous in\n", out);
	for (const struct option_spec *o = verb->options; o && o->name; o++) {
		if (o->type == OPTION_FLAG || o->type == OPTION_MAYBE)
			continue; /* the next word is none of its */
		fprintf(out, "\t\t--%s", o->name);
		if (o->letter)
			fprintf(out, " | -%c", o->letter);
		fputs(") ", out);
		if (o->words) {
			fputs("values=\"", out);
			print_words(out, o->words);
			fputs("\" ;;\n", out);
		} else {
			fputs("values=FILES ;;\n", out);
		}
	}
	fputs("\t\tesac\n", out);
	if (verb->args_words)
		fprintf(out, "\t\twords=\"%s\"\n", verb->args_words);
	fputs("\t\t;;\n", out);
}

void help_bash(FILE *out)
{
	fprintf(out,
		"# Completion of %1$s for bash: source this file, or put it into\n"
		"# ~/.local/share/bash-completion/completions/%1$s\n\n"
		"_%1$s() {\n"
		"\tlocal current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
		"\tlocal options='' values='' words=FILES\n"
		"\tCOMPREPLY=()\n"
		"\tif ((COMP_CWORD == 1)); then\n\t\tmapfile -t COMPREPLY < <(compgen -W '--help --version",
		program.name);
	for (const struct verb *const *verb = program.verbs; *verb; verb++)
		fprintf(out, " %s", (*verb)->name);
	fputs("' -- \"$current\")\n\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]} in\n", out);
	for (const struct verb *const *verb = program.verbs; *verb; verb++)
		bash_options(out, *verb);
	fprintf(out,
		"\tesac\n"
		"\tif [[ -z $values && $current == -* ]]; then\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$current\")\n"
		"\telif [[ ${values:-$words} == FILES ]]; then\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
		"\t\tcompopt -o filenames 2>/dev/null\n"
		"\telse\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -W \"${values:-$words}\" -- \"$current\")\n"
		"\tfi\n"
		"}\n"
		/* names of cases have colons, at which bash would divide words */
		"COMP_WORDBREAKS=${COMP_WORDBREAKS//:/}\n"
		"complete -F _%1$s %1$s\n",
		program.name);
}

void help_zsh(FILE *out)
{
	fprintf(out,
		"#compdef %1$s\n# For zsh: put this file into a folder of $fpath as _%1$s, or source it.\n"
		"autoload -U +X compinit bashcompinit\n(( $+functions[compdef] )) || compinit\nbashcompinit\n\n",
		program.name);
	help_bash(out);
}

/* In fish a quote within single quotes is escaped. */
static void fish_quoted(FILE *out, const char *text)
{
	fputc('\'', out);
	for (; *text; text++)
		fprintf(out, strchr("'\\", *text) ? "\\%c" : "%c", *text);
	fputc('\'', out);
}

static void fish_option(FILE *out, const struct verb *verb, const struct option_spec *o)
{
	fprintf(out, "complete -c %s -n '__fish_seen_subcommand_from %s' -l %s", program.name, verb->name, o->name);
	if (o->letter)
		fprintf(out, " -s %c", o->letter);
	if (o->type != OPTION_FLAG && o->type != OPTION_MAYBE)
		fputs(o->words ? " -x" : " -r", out);
	if (o->words && strcmp(o->words, "SUITES"))
		fprintf(out, " -a '%s'", o->words);
	else if (o->words)
		fputs(" -a '(hbench list --suites 2>/dev/null)'", out);
	fputs(" -d ", out);
	fish_quoted(out, o->doc);
	fputc('\n', out);
}

void help_fish(FILE *out)
{
	fprintf(out, "# Completion of %1$s for fish: put this file into ~/.config/fish/completions/%1$s.fish\n",
		program.name);
	for (const struct verb *const *verb = program.verbs; *verb; verb++) {
		fprintf(out, "complete -c %s -f -n __fish_use_subcommand -a %s -d ", program.name, (*verb)->name);
		fish_quoted(out, (*verb)->summary);
		fputc('\n', out);
		for (const struct option_spec *o = (*verb)->options; o && o->name; o++)
			fish_option(out, *verb, o);
	}
}
