/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/report_several.h"

#include "stats/summary.h"

#include <stdint.h>
#include <string.h>

/* The table refers to its titles. */
struct several {
	const struct comparison *list;
	size_t count;
	const struct report_style *style;
	const char *titles[4 + 4 * REPORT_SEVERAL_MAX];
	char texts[REPORT_SEVERAL_MAX][4][8];
};

static const struct pair *find(const struct comparison *c, const char *label)
{
	for (size_t i = 0; i < c->count; i++)
		if (!strcmp(c->pairs[i].label, label))
			return &c->pairs[i];
	return NULL;
}

static void side_cells(struct table *table, const struct pair *p, bool exact)
{
	static const struct difference none = {.verdict = VERDICT_MISSING};
	const struct difference *d = p ? &p->difference : &none;

	report_value_cell(table, d->verdict != VERDICT_MISSING, exact, d->b, d->to);
	if (verdict_has_both(d) && d->percent != 0)
		table_cell(table, report_verdict_colour(d->verdict), "%+.2f%%", d->percent);
	else
		table_cell(table, COLOUR_NONE, "%s", "");
	report_seen_cell(table, d->smallest);
	if (p)
		report_verdict_cell(table, p);
	else
		table_cell(table, COLOUR_NONE, "%s", "");
}

/* A row is shown when any of the others is not the same as A. */
static bool is_shown(const struct several *s, const char *label)
{
	if (!s->style || !s->style->changed_only)
		return true;
	for (size_t i = 0; i < s->count; i++) {
		const struct pair *p = find(&s->list[i], label);

		if (p && (p->difference.verdict != VERDICT_SAME || p->over_limit))
			return true;
	}
	return false;
}

static void add_row(struct table *table, const struct several *s, const char *label)
{
	const struct pair *first = NULL; /* there is one: the label is from a comparison */
	bool exact = s->list[0].metric->exact;

	if (!is_shown(s, label))
		return;
	for (size_t i = 0; i < s->count && !first; i++)
		first = find(&s->list[i], label);
	table_cell(table, COLOUR_NONE, "%s", report_short_name(label));
	report_value_cell(table, first->difference.verdict != VERDICT_NEW, exact, first->difference.a,
			  first->difference.from);
	table_cell(table, COLOUR_DIM, "%.4g%%", first->threshold);
	for (size_t i = 0; i < s->count; i++)
		side_cells(table, find(&s->list[i], label), exact);
}

/* True for a label that an earlier comparison has as well, so that it has its row. */
static bool had_before(const struct several *s, size_t index, const char *label)
{
	for (size_t i = 0; i < index; i++)
		if (find(&s->list[i], label))
			return true;
	return false;
}

static void make_titles(struct several *s)
{
	static const char *const forms[4] = {">%c", ">%c %%", ">%c seen", "%c is"};

	s->titles[0] = "case";
	s->titles[1] = ">A";
	s->titles[2] = ">threshold";
	for (size_t i = 0; i < s->count; i++)
		for (size_t k = 0; k < 4; k++) {
			char *text = s->texts[i][k];

			snprintf(text, sizeof(s->texts[i][k]), forms[k], (char)('B' + i));
			s->titles[3 + 4 * i + k] = text;
		}
}

static struct table *table_of(struct several *s)
{
	struct table *table;

	make_titles(s);
	table = table_create(s->titles);
	for (size_t i = 0; i < s->count; i++)
		for (size_t k = 0; k < s->list[i].count; k++)
			if (!had_before(s, i, s->list[i].pairs[k].label))
				add_row(table, s, s->list[i].pairs[k].label);
	return table;
}

static void print_side(FILE *out, char side, const struct result *r, bool markdown)
{
	const char *kernel = result_text(r, "kernel_boot_line");

	fprintf(out, "%c: %s, measured %s%s%s%s\n", side, result_text(r, "machine"), result_text(r, "date"),
		*kernel ? ", " : "", kernel, markdown ? "  " : "");
}

void report_several(FILE *out, const struct comparison *list, size_t count, bool markdown,
		    const struct report_style *style)
{
	struct several s = {
		.list = list, .count = count < REPORT_SEVERAL_MAX ? count : REPORT_SEVERAL_MAX, .style = style};
	struct table *table = table_of(&s);

	if (markdown)
		fputs("### ", out);
	report_title(out, list[0].b, list[0].metric);
	fputs(markdown ? "\n" : "", out);
	print_side(out, 'A', list[0].a, markdown);
	for (size_t i = 0; i < s.count; i++)
		print_side(out, (char)('B' + i), list[i].b, markdown);
	fputc('\n', out);
	if (markdown)
		table_print_markdown(table, out);
	else
		table_print(table, out, table_wants_colour(out));
	table_free(table);
	fputc('\n', out);
	for (size_t i = 0; i < s.count; i++)
		fprintf(out, "%sA to %c: %zu worse, %zu better of %zu; geometric mean of the changes %+.2f%%\n",
			markdown ? "- " : "", (char)('B' + i), list[i].tally[VERDICT_WORSE],
			list[i].tally[VERDICT_BETTER], list[i].count, summary_of(&list[i]).mean);
}
