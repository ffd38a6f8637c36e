/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/report_page_case.h"

#include "history/history.h"
#include "host/mem.h"
#include "report/html.h"
#include "report/report.h"
#include "stats/quality.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { HISTORY_LAST = 200 };

const char *report_page_class(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_BETTER:
		return "good";
	case VERDICT_WORSE:
	case VERDICT_MISSING:
		return "bad";
	case VERDICT_UNSURE:
		return "doubt";
	default:
		return "dim";
	}
}

void report_page_id(FILE *out, const struct report_section *page, const char *name)
{
	fprintf(out, "case-%zu-", page->index);
	for (; *name; name++)
		fputc(isalnum((unsigned char)*name) ? *name : '-', out);
}

void report_page_words(FILE *out, const char *name, const char *verdict)
{
	fputs(" data-case=\"", out);
	for (; *name; name++)
		html_printf(out, "%c", tolower((unsigned char)*name));
	fputc(' ', out);
	for (; *verdict; verdict++)
		html_printf(out, "%c", tolower((unsigned char)*verdict));
	fputc('"', out);
}

static void print_figure_end(FILE *out, const char *caption)
{
	fputs("<figcaption>", out);
	fputs(caption, out);
	fputs("</figcaption></figure>\n", out);
}

static void print_distribution(FILE *out, const struct benchmark *a, const struct benchmark *b, const char *unit)
{
	char ticks[32];

	if (b->merged.min == b->merged.max &&
	    (!a ||
	     (a->merged.min == a->merged.max && a->merged.min == b->merged.min && a->merged.per == b->merged.per))) {
		sample_ticks_text(sample_ticks(&b->merged, b->merged.min), ticks);
		html_printf(out, "Each of %ju windows took exactly %s.", (uintmax_t)b->merged.n, ticks);
		return;
	}
	fputs("<figure>", out);
	if (a)
		chart_distribution(out, &a->merged, &b->merged, unit);
	else
		chart_distribution(out, &b->merged, NULL, unit);
	print_figure_end(out, a ? "Distribution up to p99: <span style=\"color:var(--a)\">■ A</span>, "
				  "<span style=\"color:var(--b)\">■ B</span>"
				: "Distribution up to p99");
}

static void print_history(FILE *out, const struct history *h)
{
	struct chart_point *points = xcalloc(h->count, sizeof(*points));

	for (size_t i = 0; i < h->count; i++) {
		const struct history_point *p = &h->points[i];

		points[i].value = p->value;
		points[i].label = xasprintf("%.6g, %s, revision %.12s", p->value, p->date, p->revision);
	}
	fputs("<figure>", out);
	chart_series(out, points, h->count, h->changes, h->change_count);
	print_figure_end(out, "History; dashed: a change for good");
	for (size_t i = 0; i < h->count; i++)
		free((char *)points[i].label);
	free(points);
}

static void print_histories(FILE *out, const struct report_section *page, const char *name)
{
	struct error ignored;
	size_t count = 0;
	struct history *list = page->db ? histories_load(page->db, result_text(page->result, "machine"), name,
							 HISTORY_LAST, &count, &ignored)
					: NULL;

	for (size_t i = 0; i < count; i++)
		if (list[i].count > 1)
			print_history(out, &list[i]);
	histories_free(list, count);
}

static void print_doubt(FILE *out, const char *text)
{
	fputs("<li class=\"doubt\">", out);
	html_text(out, text);
	fputs("</li>\n", out);
}

static void print_warning(void *context, const struct quality_warning *warning)
{
	print_doubt(context, warning->text);
}

static const struct pair *find_pair(const struct comparison *c, const char *name)
{
	for (size_t i = 0; c && i < c->count; i++)
		if (!strcmp(c->pairs[i].name, name))
			return &c->pairs[i];
	return NULL;
}

static void print_notes(FILE *out, const struct report_section *page, const struct benchmark *b, const struct pair *p,
			const struct metric *metric)
{
	fputs("<ul class=\"notes\">\n", out);
	if (p && p->shift.mass > 0) {
		fputs("<li>", out);
		html_printf(out, "The mode at %ju lost %.0f%% of all values to the one at %ju.",
			    (uintmax_t)p->shift.from, 100 * p->shift.mass, (uintmax_t)p->shift.to);
		fputs("</li>\n", out);
	}
	if (p && *p->difference.why)
		print_doubt(out, p->difference.why);
	if (metric)
		quality_check(page->result, b, metric, print_warning, out);
	fputs("</ul>\n", out);
}

void report_page_case(FILE *out, const struct report_section *page, const struct benchmark *b,
		      const struct metric *metric)
{
	const struct pair *p = find_pair(page->comparison, b->name);
	const struct suite_case *known = page->suite ? suite_find(page->suite, b->name) : NULL;
	enum verdict verdict = p ? p->difference.verdict : VERDICT_SAME;

	fputs("<details id=\"", out);
	report_page_id(out, page, b->name);
	fputc('"', out);
	report_page_words(out, b->name, p ? verdict_name(verdict) : "");
	fputs(verdict == VERDICT_WORSE || verdict == VERDICT_BETTER ? " open>" : ">", out);
	fputs("<summary>", out);
	if (p)
		html_cell(out, "span", report_page_class(verdict), "%s ", verdict_name(verdict));
	html_cell(out, "b", NULL, "%s", report_short_name(b->name));
	html_printf(out, "%s%s", known ? ": " : "", known ? known->meaning : "");
	fputs("</summary>\n", out);
	print_notes(out, page, b, p, metric);
	fputs("<div class=\"charts\">\n", out);
	print_distribution(out, page->comparison ? result_find(page->comparison->a, b->name) : NULL, b,
			   metric ? metric_of_case(metric, b->name)->unit : "");
	print_histories(out, page, b->name);
	fputs("</div>\n</details>\n", out);
}
