/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/report_summary.h"

#include "host/mem.h"
#include "host/table.h"
#include "report/report.h"
#include "stats/summary.h"

#include <stdlib.h>

struct row {
	char *suite, *machine, *worst;
	size_t cases, changed;
	double mean, threshold, seen;
	enum exit_code code;
};

struct report_summary {
	struct row *rows;
	size_t count;
	struct summary_total total;
};

struct report_summary *report_summary_create(void)
{
	return xcalloc(1, sizeof(struct report_summary));
}

static struct row *add_row(struct report_summary *summary)
{
	summary->rows = xreallocarray(summary->rows, summary->count + 1, sizeof(*summary->rows));
	summary->rows[summary->count] = (struct row){0};
	return &summary->rows[summary->count++];
}

void report_summary_add(struct report_summary *summary, const struct comparison *c, enum exit_code code)
{
	struct summary of = summary_of(c);
	struct row *row = add_row(summary);

	*row = (struct row){.suite = xstrdup(result_text(c->b, "suite")),
			    .machine = xstrdup(result_text(c->b, "machine")),
			    .cases = c->count,
			    .changed = c->count - c->tally[VERDICT_SAME],
			    .mean = of.mean,
			    .threshold = of.threshold,
			    .seen = of.seen,
			    .code = code};
	if (of.worst)
		row->worst =
			xasprintf("%s %+.2f%%", report_short_name(of.worst->label), of.worst->difference.percent);
	else
		row->worst = xstrdup("");
	summary_add(&summary->total, c);
}

void report_summary_add_invalid(struct report_summary *summary, const char *file, enum exit_code code)
{
	*add_row(summary) = (struct row){
		.suite = xstrdup(file), .machine = xstrdup(""), .worst = xstrdup("not compared"), .code = code};
}

const char *report_summary_word(enum exit_code code)
{
	switch (code) {
	case EXIT_SAME_OR_BETTER:
		return "passed";
	case EXIT_REGRESSED:
		return "REGRESSED";
	case EXIT_BENCHMARK_MISSING:
		return "MISSING";
	case EXIT_NOT_ENOUGH_DATA:
		return "undecided";
	default:
		return "INVALID";
	}
}

static enum colour word_colour(enum exit_code code)
{
	if (code == EXIT_SAME_OR_BETTER)
		return COLOUR_GOOD;
	return code == EXIT_NOT_ENOUGH_DATA ? COLOUR_DOUBT : COLOUR_BAD;
}

static struct table *table_of(const struct report_summary *summary)
{
	static const char *const titles[] = {"suite",      "machine", ">cases", ">changed", ">mean",
					     ">threshold", ">seen",   "worst",  "verdict",  NULL};
	struct table *table = table_create(titles);

	for (size_t i = 0; i < summary->count; i++) {
		const struct row *row = &summary->rows[i];

		table_cell(table, COLOUR_NONE, "%s", row->suite);
		table_cell(table, COLOUR_NONE, "%s", row->machine);
		table_cell(table, COLOUR_NONE, "%zu", row->cases);
		table_cell(table, row->changed ? COLOUR_NONE : COLOUR_DIM, "%zu", row->changed);
		table_cell(table, COLOUR_NONE, "%+.2f%%", row->mean);
		table_cell(table, COLOUR_DIM, "%.4g%%", row->threshold);
		report_seen_cell(table, row->seen);
		table_cell(table, COLOUR_NONE, "%s", row->worst);
		table_cell(table, word_colour(row->code), "%s", report_summary_word(row->code));
	}
	return table;
}

static void print_total(FILE *out, const struct report_summary *summary)
{
	const struct summary_total *total = &summary->total;
	const char *separator = ": ";

	fprintf(out, "%zu suites, %zu cases", total->suites, total->cases);
	for (size_t v = 0; v < VERDICT_COUNT; v++) {
		if (!total->tally[v])
			continue;
		fprintf(out, "%s%zu %s", separator, total->tally[v], verdict_name((enum verdict)v));
		separator = ", ";
	}
	fprintf(out, "; geometric mean of the changes %+.2f%%.\n", summary_mean(total));
}

static void print(FILE *out, const struct report_summary *summary,
		  void (*print_table)(const struct table *table, FILE *out))
{
	struct table *table = table_of(summary);

	print_table(table, out);
	table_free(table);
	fputc('\n', out);
	print_total(out, summary);
}

static void print_plain(const struct table *table, FILE *out)
{
	table_print(table, out, table_wants_colour(out));
}

void report_summary_text(FILE *out, const struct report_summary *summary)
{
	if (summary->count < 2)
		return;
	fputc('\n', out);
	print(out, summary, print_plain);
}

void report_summary_markdown(FILE *out, const struct report_summary *summary)
{
	if (summary->count < 2)
		return;
	fputs("### All suites\n\n", out);
	print(out, summary, table_print_markdown);
	fputc('\n', out);
}

/* A sum is in order when each part of it is: whatever is wrong comes before the numbers. */
static char *badge_message(const struct report_summary *summary, enum exit_code code)
{
	const size_t *tally = summary->total.tally;

	switch (code) {
	case EXIT_SAME_OR_BETTER:
		if (tally[VERDICT_BETTER])
			return xasprintf("%zu cases, %zu better", summary->total.cases, tally[VERDICT_BETTER]);
		return xasprintf("%zu cases, none slower", summary->total.cases);
	case EXIT_REGRESSED:
		if (tally[VERDICT_WORSE])
			return xasprintf("%zu of %zu cases slower", tally[VERDICT_WORSE], summary->total.cases);
		return xstrdup("over its limits");
	case EXIT_BENCHMARK_MISSING:
		return xasprintf("%zu cases missing", tally[VERDICT_MISSING]);
	case EXIT_NOT_ENOUGH_DATA:
		return xstrdup("not enough data");
	default:
		return xstrdup("no verdict");
	}
}

static const char *badge_colour(enum exit_code code)
{
	switch (code) {
	case EXIT_SAME_OR_BETTER:
		return "brightgreen";
	case EXIT_REGRESSED:
	case EXIT_BENCHMARK_MISSING:
		return "red";
	case EXIT_NOT_ENOUGH_DATA:
		return "yellow";
	default:
		return "lightgrey";
	}
}

char *report_summary_badge(const struct report_summary *summary, enum exit_code code)
{
	char *message = badge_message(summary, code);
	json_t *root = json_pack("{s:i, s:s, s:s, s:s}", "schemaVersion", 1, "label", "performance", "message",
				 message, "color", badge_colour(code));
	char *text = json_dumps(root, JSON_INDENT(1));

	json_decref(root);
	free(message);
	return text;
}

void report_summary_free(struct report_summary *summary)
{
	for (size_t i = 0; i < summary->count; i++) {
		free(summary->rows[i].suite);
		free(summary->rows[i].machine);
		free(summary->rows[i].worst);
	}
	free(summary->rows);
	free(summary);
}
