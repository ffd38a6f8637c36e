/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/html.h"

#include "host/compiler.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

void html_text(FILE *out, const char *text)
{
	static const char *const entities[] = {
		['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;"};

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < array_size(entities) && entities[c])
			fputs(entities[c], out);
		else
			fputc(c < ' ' ? '?' : c, out);
	}
}

static void print(FILE *out, const char *fmt, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, args) >= 0)
		html_text(out, text);
	free(text);
}

void html_printf(FILE *out, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print(out, fmt, args);
	va_end(args);
}

void html_cell(FILE *out, const char *tag, const char *class, const char *fmt, ...)
{
	va_list args;

	fprintf(out, "<%s%s%s%s>", tag, class ? " class=\"" : "", class ? class : "", class ? "\"" : "");
	va_start(args, fmt);
	print(out, fmt, args);
	va_end(args);
	fprintf(out, "</%s>", tag);
}
