/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The manual page of a program as man reads it. */
#include "host/help.h"
#include "host/mem.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Text with what means something to roff made harmless; a minus must stay one, so that examples can be copied. */
static void text(FILE *out, const char *s)
{
	for (const char *at = s; *at; at++) {
		bool line_start = at == s || at[-1] == '\n';

		if (*at == '\\')
			fputs("\\e", out);
		else if (*at == '-')
			fputs("\\-", out);
		else if (line_start && (*at == '.' || *at == '\''))
			fprintf(out, "\\&%c", *at);
		else
			fputc(*at, out);
	}
}

static void heading(FILE *out, const char *macro, const char *title)
{
	fprintf(out, ".%s \"", macro);
	text(out, title);
	fputs("\"\n", out);
}

/* Empty lines divide paragraphs. */
static void paragraphs(FILE *out, const char *s)
{
	while (*s) {
		const char *end = strstr(s, "\n\n");
		size_t len = end ? (size_t)(end - s) : strlen(s);
		char *part = xasprintf("%.*s", (int)len, s);

		fputs(".PP\n", out);
		text(out, part);
		fputc('\n', out);
		free(part);
		s += len + (end ? 2 : 0);
	}
}

static void option(FILE *out, const struct option_spec *o)
{
	fputs(".TP\n\\fB", out);
	if (o->letter)
		fprintf(out, "\\-%c\\fR, \\fB", o->letter);
	fputs("\\-\\-", out);
	text(out, o->name);
	fputs("\\fR", out);
	if (o->arg) {
		fputs(o->type == OPTION_MAYBE ? "[=\\fI" : "=\\fI", out);
		text(out, o->arg);
		fputs(o->type == OPTION_MAYBE ? "\\fR]" : "\\fR", out);
	}
	fputc('\n', out);
	text(out, o->doc);
	fputs(o->type == OPTION_TEXTS ? "; may be given several times.\n" : ".\n", out);
}

static void examples(FILE *out, const struct verb *verb)
{
	char *all = verb_examples(verb);

	fputs(".PP\nExamples:\n.PP\n.nf\n.RS\n", out);
	for (const char *s = all; *s; s += strcspn(s, "\n") + 1) {
		char *line = xasprintf("%.*s", (int)strcspn(s, "\n"), s);

		text(out, line + strspn(line, " "));
		fputc('\n', out);
		free(line);
	}
	fputs(".RE\n.fi\n", out);
	free(all);
}

static void verb_section(FILE *out, const struct verb *verb)
{
	const char *args = verb->args;
	char *title = xasprintf("%s %s %.*s", program.name, verb->name, (int)strcspn(args, "\n"), args);

	heading(out, "SS", title);
	free(title);
	paragraphs(out, verb->doc);
	for (const struct option_spec *o = verb->options; o && o->name; o++)
		option(out, o);
	if (verb->more)
		paragraphs(out, verb->more);
	examples(out, verb);
}

void help_manual(FILE *out)
{
	char *upper = xstrdup(program.name);

	for (char *c = upper; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	fprintf(out, ".TH %s 1 \"\" \"%s " TOOLS_VERSION "\" \"User Commands\"\n.SH NAME\n%s \\- ", upper,
		program.name, program.name);
	text(out, program.summary);
	fprintf(out,
		"\n.SH SYNOPSIS\n.B %s\n\\fIVERB\\fR [\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n.SH DESCRIPTION\n",
		program.name);
	text(out, program.about);
	fputs("\n.SH VERBS\n", out);
	for (const struct verb *const *verb = program.verbs; *verb; verb++)
		verb_section(out, *verb);
	fputs(program.manual, out);
	free(upper);
}
