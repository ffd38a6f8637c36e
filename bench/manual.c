/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hbench(1) as man reads it. */
#include "completion.h"

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
		fputs("=\\fI", out);
		text(out, o->arg);
		fputs("\\fR", out);
	}
	fputc('\n', out);
	text(out, o->doc);
	fputs(o->type == OPTION_TEXTS ? "; may be given several times.\n" : ".\n", out);
}

static void examples(FILE *out, const char *s)
{
	fputs(".PP\nExamples:\n.PP\n.nf\n.RS\n", out);
	for (; *s; s += strcspn(s, "\n") + 1) {
		char *line = xasprintf("%.*s", (int)strcspn(s, "\n"), s);

		text(out, line + strspn(line, " "));
		fputc('\n', out);
		free(line);
	}
	fputs(".RE\n.fi\n", out);
}

static void verb_section(FILE *out, const struct verb *verb)
{
	const char *args = verb->args;
	char *title = xasprintf("hbench %s %.*s", verb->name, (int)strcspn(args, "\n"), args);

	heading(out, "SS", title);
	free(title);
	paragraphs(out, verb->doc);
	for (const struct option_spec *o = verb->options; o && o->name; o++)
		option(out, o);
	if (verb->more)
		paragraphs(out, verb->more);
	examples(out, verb->examples);
}

static const char exit_codes[] = ".TP\n0\nSame or better; all is well.\n.TP\n1\nRegressed.\n.TP\n2\nWrong usage.\n"
				 ".TP\n3\nNot enough data for a verdict.\n"
				 ".TP\n4\nA run or a file is not valid, of another machine, or the machine drifted.\n"
				 ".TP\n5\nA benchmark of the baseline is missing.\n.TP\n130\nInterrupted.\n";

static const char environment[] =
	".TP\n\\fBHBENCH_DB\\fR\nDatabase of all results: a file of SQLite, postgresql://..., or none.\n"
	".TP\n\\fBHBENCH_SUITES\\fR\nFolder with the descriptions of suites.\n"
	".TP\n\\fBHBENCH_QEMU\\fR, \\fBHBENCH_BOCHS\\fR, \\fBHBENCH_GRUB_MKRESCUE\\fR, \\fBHBENCH_GRUB_MODULES\\fR\n"
	"Other programs than those of the PATH, and another folder of GRUB modules.\n"
	".TP\n\\fBNO_COLOR\\fR\nNo colours on terminals.\n"
	".TP\n\\fBSOURCE_DATE_EPOCH\\fR\nTaken as the date of results.\n"
	".TP\n\\fBTMPDIR\\fR\nWhere the temporary folders of runs go.\n";

void manual_page(FILE *out)
{
	fputs(".TH HBENCH 1 \"\" \"hbench " HBENCH_VERSION "\" \"User Commands\"\n.SH NAME\n"
	      "hbench \\- measure Hedron, compare results and guard baselines\n.SH SYNOPSIS\n"
	      ".B hbench\n\\fIVERB\\fR [\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n.SH DESCRIPTION\n"
	      "Boots a kernel in an emulator or on a real machine, lets a benchmark roottask measure it, compares "
	      "what came "
	      "out with earlier results, and fails a build when a path got longer.\n.SH VERBS\n",
	      out);
	for (const struct verb *const *verb = verbs; *verb; verb++)
		verb_section(out, *verb);
	fputs(".SH EXIT STATUS\n", out);
	fputs(exit_codes, out);
	fputs(".SH ENVIRONMENT\n", out);
	fputs(environment, out);
	fputs(".SH FILES\n.TP\nresults/\\fImachine\\fR/\\fIsuite\\fR.json\nBaselines.\n"
	      ".TP\n~/.local/share/hbench/history.db\nThe database of all results, unless HBENCH_DB names another.\n",
	      out);
}
