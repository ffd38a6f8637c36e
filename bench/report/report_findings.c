/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/report_findings.h"

#include "host/table.h"
#include "result/finding.h"

#include <stdint.h>

struct rows {
	struct table *table;
	enum finding_weight weight; /* whose turn it is */
};

static void add_row(void *context, const struct finding *f)
{
	static const enum colour colours[FINDING_WEIGHTS] = {
		[FINDING_FACT] = COLOUR_NONE,
		[FINDING_NOTE] = COLOUR_NONE,
		[FINDING_DOUBT] = COLOUR_DOUBT,
		[FINDING_OBSTACLE] = COLOUR_BAD,
	};
	const struct rows *rows = context;
	finding_text value;

	if (f->weight != rows->weight)
		return;
	finding_value_text(f, value);
	table_cell(rows->table, COLOUR_NONE, "%s", f->name);
	table_cell(rows->table, colours[f->weight], "%s", finding_weight_name(f->weight));
	table_cell(rows->table, COLOUR_NONE, "%s", value);
	table_cell(rows->table, COLOUR_DIM, "%s", f->why);
}

static void print_sizes(void *context, const struct finding *f)
{
	FILE *out = context;

	if (f->size_count)
		fprintf(out, "%s, by their length:", f->name);
	for (size_t i = 0; i < f->size_count; i++)
		fprintf(out, "%s %ju from %.4g us", i ? "," : "", (uintmax_t)f->sizes[i].count,
			(double)f->sizes[i].lower / 1000);
	if (f->size_count)
		fputs(".\n", out);
}

static void print_table(FILE *out, const struct result *result, enum finding_weight least)
{
	static const char *const titles[] = {"finding", "is", "value", "what it means", NULL};
	struct rows rows = {.table = table_create(titles)};

	for (int weight = FINDING_OBSTACLE; weight >= (int)least; weight--) {
		rows.weight = (enum finding_weight)weight;
		finding_each(result, add_row, &rows);
	}
	table_print(rows.table, out, table_wants_colour(out));
	table_free(rows.table);
}

void report_findings(FILE *out, const struct result *result, bool all)
{
	size_t tally[FINDING_WEIGHTS], count = finding_tally(result, tally), facts = tally[FINDING_FACT];
	finding_text verdict;

	if (!count)
		return;
	fputc('\n', out);
	if (all || count > facts)
		print_table(out, result, all ? FINDING_FACT : FINDING_NOTE);
	if (all)
		finding_each(result, print_sizes, out);
	finding_verdict(result, verdict);
	fprintf(out, "the machine is %s", verdict);
	if (!all && facts)
		fprintf(out, "; %zu fact%s more: --findings", facts, facts == 1 ? "" : "s");
	fputc('\n', out);
}
