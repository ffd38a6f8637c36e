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
	const char *titles[3 + 3 * REPORT_SEVERAL_MAX];
	char texts[REPORT_SEVERAL_MAX][3][8];
};

static const struct pair *find(const struct comparison *c, const char *label)
{
	for (size_t i = 0; i < c->count; i++)
		if (!strcmp(c->pairs[i].label, label))
			return &c->pairs[i];
	return NULL;
}

static void side_cells(struct table *table, const struct pair *p)
{
	enum colour colour = p ? report_verdict_colour(p->difference.verdict) : COLOUR_DIM;

	if (p && p->difference.verdict != VERDICT_MISSING)
		table_cell(table, COLOUR_NONE, "%ju", (uintmax_t)p->difference.b);
	else
		table_cell(table, COLOUR_DIM, "-");
	if (p && verdict_has_both(&p->difference) && p->difference.change)
		table_cell(table, colour, "%+.2f%%", p->difference.percent);
	else
		table_cell(table, COLOUR_NONE, "%s", "");
	if (p && p->over_limit)
		table_cell(table, COLOUR_BAD, "%s, OVER %.6g", verdict_name(p->difference.verdict), p->limit);
	else
		table_cell(table, colour, "%s", p ? verdict_name(p->difference.verdict) : "");
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
	const struct pair *first = NULL;

	if (!is_shown(s, label))
		return;
	for (size_t i = 0; i < s->count && !first; i++)
		first = find(&s->list[i], label);
	table_cell(table, COLOUR_NONE, "%s", report_short_name(label));
	if (first && first->difference.verdict != VERDICT_NEW)
		table_cell(table, COLOUR_NONE, "%ju", (uintmax_t)first->difference.a);
	else
		table_cell(table, COLOUR_DIM, "-");
	for (size_t i = 0; i < s->count; i++)
		side_cells(table, find(&s->list[i], label));
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
	static const char *const forms[3] = {">%c", ">%c %%", "%c is"};

	s->titles[0] = "case";
	s->titles[1] = ">A";
	for (size_t i = 0; i < s->count; i++)
		for (size_t k = 0; k < 3; k++) {
			char *text = s->texts[i][k];

			snprintf(text, sizeof(s->texts[i][k]), forms[k], (char)('B' + i));
			s->titles[2 + 3 * i + k] = text;
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
