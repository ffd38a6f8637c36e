/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page of a fleet run: a table of verdicts, then each attempt with the end of its console. */
#include "fleet/ledger_report.h"
#include "host/file.h"
#include "report/html.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOG_MAX = 1 << 28, TAIL_LINES = 25, LINE_MAX_SHOWN = 200 };

static const char style[] =
	"body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:75em;padding:0 1em}"
	"table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:left;border-bottom:1px solid #8884}"
	"pre{background:#8882;padding:.6em;overflow:auto;font-size:12px}.good{color:#18794e}.bad{color:#c62a2f}"
	".doubt{color:#ad5700}@media(prefers-color-scheme:dark){body{background:#15181b;color:#e6e8ea}"
	"a{color:#8cb4ff}.good{color:#4cc38a}.bad{color:#ff8b8b}.doubt{color:#f5a623}}";

static const char *class_of(const struct ledger_row *row)
{
	if (row->code == EXIT_SAME_OR_BETTER)
		return "good";
	return row->code == EXIT_NOT_ENOUGH_DATA || row->code == EXIT_INTERRUPTED ? "doubt" : "bad";
}

static const char *last_lines(const char *data, size_t size)
{
	const char *at = data + size;

	for (int left = TAIL_LINES + 1; at > data; at--)
		if (at[-1] == '\n' && !--left)
			break;
	return at;
}

/* A console may contain anything: only what can be printed gets into the page. */
static void print_line(FILE *out, const char *line, size_t len)
{
	char text[LINE_MAX_SHOWN + 1];
	size_t used = 0;

	for (; used < len && used < LINE_MAX_SHOWN; used++)
		text[used] = (char)(line[used] >= ' ' && line[used] <= '~' ? line[used] : '.');
	text[used] = '\0';
	html_text(out, text);
	fputc('\n', out);
}

static void print_tail(FILE *out, const char *path)
{
	struct error ignored;
	size_t size;
	char *data = file_read(path, LOG_MAX, &size, &ignored);

	fputs("<pre>", out);
	for (const char *at = data ? last_lines(data, size) : NULL; at && at < data + size;) {
		const char *end = memchr(at, '\n', (size_t)(data + size - at));
		size_t len = end ? (size_t)(end - at) : (size_t)(data + size - at);

		print_line(out, at, len && at[len - 1] == '\r' ? len - 1 : len);
		at += len + 1;
	}
	fputs("</pre>\n", out);
	free(data);
}

static void print_attempt(FILE *out, const struct ledger *ledger, const struct ledger_row *row,
			  const struct outcome_attempt *a)
{
	char *path = plan_path(ledger->plan, row->machine, row->suite, a->log);

	html_printf(out, "%s", outcome_text(a->verdict));
	html_printf(out, " after %.0f s. %s ", a->seconds, a->why);
	fputs("<a href=\"", out);
	html_printf(out, "%s/%s/%s", row->machine->name, row->suite, a->log);
	fputs("\">", out);
	html_printf(out, "%s", a->log);
	fputs("</a>\n", out);
	if (a->verdict != OUTCOME_OK)
		print_tail(out, path);
	free(path);
}

static void print_row(FILE *out, const struct ledger_row *row)
{
	fputs("<tr>", out);
	html_cell(out, "td", NULL, "%s", row->machine->name);
	html_cell(out, "td", NULL, "%s", row->suite);
	html_cell(out, "td", NULL, "%u", row->outcome.good_boots);
	html_cell(out, "td", NULL, "%u", row->outcome.attempt_count);
	html_cell(out, "td", class_of(row), "%s", outcome_text(row->outcome.verdict));
	html_cell(out, "td", class_of(row), "%s", row->gate);
	html_cell(out, "td", NULL, "%s", row->why);
	fputs("</tr>\n", out);
}

static void print_details(FILE *out, const struct ledger *ledger, const struct ledger_row *row)
{
	fputs("<h2>", out);
	html_printf(out, "%s: %s", row->machine->name, row->suite);
	fputs("</h2>\n<ol>\n", out);
	for (unsigned i = 0; i < row->outcome.attempt_count; i++) {
		fputs("<li>", out);
		print_attempt(out, ledger, row, &row->outcome.attempts[i]);
		fputs("</li>\n", out);
	}
	fputs("</ol>\n", out);
}

void ledger_html(FILE *out, const struct ledger *ledger)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Fleet run</title><style>",
	      out);
	fputs(style, out);
	fputs("</style></head><body>\n<h1>", out);
	html_printf(out, "Fleet run of %s", ledger->plan->inventory->lab.name);
	fputs("</h1>\n<p>", out);
	html_printf(out, "Kernel %.16s, build %.16s. ", ledger->plan->kernel.sha256, ledger->plan->kernel.build_id);
	fputs("<a href=\"results.html\">Numbers and charts</a></p>\n<table>\n<tr><th>machine</th><th>suite</th>"
	      "<th>boots</th><th>attempts</th><th>verdict</th><th>gate</th><th></th></tr>\n",
	      out);
	for (unsigned i = 0; i < ledger->count; i++)
		print_row(out, &ledger->rows[i]);
	fputs("</table>\n", out);
	for (unsigned i = 0; i < ledger->count; i++)
		print_details(out, ledger, &ledger->rows[i]);
	fputs("</body></html>\n", out);
}
