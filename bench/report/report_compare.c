/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A comparison as a table, for terminals and as Markdown. */
#include "report/report.h"
#include "report/report_peers.h"
#include "stats/machine_identity.h"
#include "stats/summary.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum colour report_verdict_colour(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_BETTER:
		return COLOUR_GOOD;
	case VERDICT_WORSE:
	case VERDICT_MISSING:
		return COLOUR_BAD;
	case VERDICT_UNSURE:
		return COLOUR_DOUBT;
	default:
		return COLOUR_NONE;
	}
}

void report_value_cell(struct table *table, bool present, bool exact, uint64_t whole, double value)
{
	char text[32];

	sample_ticks_text(value, text);
	if (!present)
		table_cell(table, COLOUR_DIM, "-");
	else if (exact)
		table_cell(table, COLOUR_NONE, "%ju", (uintmax_t)whole);
	else
		table_cell(table, COLOUR_NONE, "%s", text);
}

static void change_cells(struct table *table, const struct difference *o, bool exact, enum colour colour)
{
	bool both = verdict_has_both(o);
	char text[32];

	if (!both || (exact ? !o->change : o->to == o->from)) {
		table_cell(table, COLOUR_DIM, "%s", both ? "0" : "");
		table_cell(table, COLOUR_DIM, "%s", "");
		return;
	}
	sample_ticks_text(o->to - o->from, text);
	if (exact)
		table_cell(table, colour, "%+jd", (intmax_t)o->change);
	else
		table_cell(table, colour, "%s%s", o->to > o->from ? "+" : "", text);
	if (o->from > 0)
		table_cell(table, colour, "%+.2f%%", o->percent);
	else
		table_cell(table, colour, "from 0");
}

static void confidence_cells(struct table *table, const struct difference *o)
{
	if (!o->tested) {
		table_cell(table, COLOUR_DIM, "%s", "");
		table_cell(table, COLOUR_DIM, "%s", "");
		return;
	}
	if (o->from > 0)
		table_cell(table, COLOUR_DIM, "%+.2f..%+.2f%%", o->interval.low, o->interval.high);
	else
		table_cell(table, COLOUR_DIM, "%s", "");
	if (o->p < 1e-4)
		table_cell(table, COLOUR_DIM, "<0.0001");
	else
		table_cell(table, COLOUR_DIM, "%.4f", o->p);
}

void report_seen_cell(struct table *table, double percent)
{
	if (percent > 0)
		table_cell(table, COLOUR_DIM, "%.2f%%", percent);
	else
		table_cell(table, COLOUR_DIM, "%s", "");
}

/* What may change, and what would have been seen: a verdict means no more than these two say. */
static void sight_cells(struct table *table, const struct pair *p)
{
	table_cell(table, COLOUR_DIM, "%.4g%%", p->threshold);
	report_seen_cell(table, p->difference.smallest);
}

/* What only informs is in parentheses. */
void report_verdict_cell(struct table *table, const struct pair *p)
{
	enum colour colour = report_verdict_colour(p->difference.verdict);
	const char *open = p->informs ? "(" : "", *close = p->informs ? ")" : "";

	if (p->over_limit)
		table_cell(table, p->informs ? COLOUR_DOUBT : COLOUR_BAD, "%s%s, OVER %.6g%s", open,
			   verdict_name(p->difference.verdict), p->limit, close);
	else
		table_cell(table, colour, "%s%s%s", open, verdict_name(p->difference.verdict), close);
}

static void pair_row(struct table *table, const struct report_columns *columns, const struct comparison *c,
		     const struct pair *p)
{
	const struct difference *o = &p->difference;
	bool exact = c->metric->exact, main_one = p->estimator == c->metric->estimator;
	enum colour colour = report_verdict_colour(o->verdict);

	table_cell(table, COLOUR_NONE, "%s", report_short_name(p->label));
	report_value_cell(table, o->verdict != VERDICT_NEW, exact, o->a, o->from);
	report_value_cell(table, o->verdict != VERDICT_MISSING, exact, o->b, o->to);
	change_cells(table, o, exact, colour);
	if (!exact)
		confidence_cells(table, o);
	sight_cells(table, p);
	report_verdict_cell(table, p);
	if (exact)
		report_goal_cells(table, p->has_goal, p->goal, o->verdict != VERDICT_MISSING, p->goal_met);
	report_peer_cells(table, columns, main_one ? p->name : "", result_find(c->b, p->name));
}

static bool is_shown(const struct pair *p, const struct report_style *style)
{
	return !style || !style->changed_only || p->difference.verdict != VERDICT_SAME || p->over_limit;
}

/* Is there anything to show of a comparison, or only to count? */
static bool is_any_shown(const struct comparison *c, const struct report_style *style)
{
	for (size_t i = 0; i < c->count; i++)
		if (is_shown(&c->pairs[i], style))
			return true;
	return false;
}

static struct table *comparison_table(struct report_columns *columns, const struct comparison *c,
				      const struct report_style *style)
{
	static const char *const counts[] = {"case",  ">A",      ">B",    ">change", ">%", ">threshold",
					     ">seen", "verdict", ">goal", "goal is", NULL};
	static const char *const times[] = {"case", ">A",         ">B",    ">change", ">%", ">99% interval",
					    ">p",   ">threshold", ">seen", "verdict", NULL};
	struct table *table;

	report_columns_init(columns, c->metric->exact ? counts : times, style ? style->peers : NULL, c->b);
	table = table_create(columns->titles);
	for (size_t i = 0; i < c->count; i++)
		if (is_shown(&c->pairs[i], style))
			pair_row(table, columns, c, &c->pairs[i]);
	return table;
}

static size_t count_informing(const struct comparison *c)
{
	size_t count = 0;

	for (size_t i = 0; i < c->count; i++)
		count += c->pairs[i].informs;
	return count;
}

static void print_tally(FILE *out, const struct comparison *c)
{
	const char *separator = ": ";

	fprintf(out, "%zu cases", c->count);
	for (size_t v = 0; v < VERDICT_COUNT; v++) {
		if (!c->tally[v])
			continue;
		fprintf(out, "%s%zu %s", separator, c->tally[v], verdict_name((enum verdict)v));
		separator = ", ";
	}
	if (c->over_limits)
		fprintf(out, "; %zu OVER %s", c->over_limits, c->over_limits == 1 ? "its limit" : "their limits");
	if (count_informing(c))
		fprintf(out, "; %zu in parentheses inform only", count_informing(c));
	fputs(".\n", out);
	if (c->count > 1)
		fprintf(out, "geometric mean of the changes: %+.2f%%\n", summary_of(c).mean);
}

/* In the place of the columns of a table that is not shown. */
static void print_sight(FILE *out, const struct comparison *c)
{
	struct summary summary = summary_of(c);

	if (c->count)
		fprintf(out, "threshold: %.4g%%", summary.threshold);
	if (summary.seen > 0)
		fprintf(out, "; a change of %.2f%% would have been seen in every case%s", summary.seen,
			c->metric->exact ? "" : ", 95 times of 100");
	fputs(c->count ? ".\n" : "", out);
}

/* Numbers beside a reason for having none: some repetitions or boots gave none. */
static void print_incomplete(FILE *out, const struct pair *p, const char *bullet)
{
	bool main_one = !strcmp(p->label, p->name);

	if (main_one && p->note_a && p->difference.verdict != VERDICT_NEW)
		fprintf(out, "%sincomplete %s: A: %s\n", bullet, p->label, p->note_a);
	if (main_one && p->note && p->difference.verdict != VERDICT_MISSING)
		fprintf(out, "%sincomplete %s: B: %s\n", bullet, p->label, p->note);
}

static void print_note(FILE *out, const struct pair *p, const char *bullet)
{
	print_incomplete(out, p, bullet);
	if (p->difference.verdict == VERDICT_UNSURE)
		fprintf(out, "%snot enough data %s: %s\n", bullet, p->label, p->difference.why);
	if (p->difference.verdict == VERDICT_MISSING)
		fprintf(out, "%sMISSING %s: %s\n", bullet, p->label,
			p->note ? p->note : "A has it and B did not report it");
	if (p->shift.mass > 0)
		fprintf(out, "%smodes %s: the one at %ju lost %.0f%% of all values to the one at %ju\n", bullet,
			p->label, (uintmax_t)p->shift.from, 100 * p->shift.mass, (uintmax_t)p->shift.to);
}

static void print_notes(FILE *out, const struct comparison *c, const char *bullet)
{
	for (size_t i = 0; i < c->count; i++)
		print_note(out, &c->pairs[i], bullet);
	machine_identity_print_differences(out, bullet, c->a, c->b);
	machine_identity_print_findings(out, bullet, c->a, c->b);
	if (compare_drifted(c))
		fprintf(out,
			"%slab drift: A and B ran the same kernel and roottask by their hashes or, where a console "
			"was imported, the kernel's build: what differs comes from the machine or the emulator.\n",
			bullet);
}

/* What the boots at hand say about the next measurement. */
static void print_plan(FILE *out, const struct comparison *c)
{
	if (!c->boots)
		return;
	if (c->boots > POWER_BOOTS_MOST)
		fprintf(out, "plan: not even %d boots a side would find a change of the threshold in every case.\n",
			POWER_BOOTS_MOST);
	else
		fprintf(out,
			"plan: %zu boots a side find a change of the threshold in every case, 95 times of 100.\n",
			c->boots);
}

static void print_legend(FILE *out, const struct comparison *c)
{
	fprintf(out,
		"\nA, B: %s of the %s; lower is better. change: B - A. threshold: %s.\n"
		"seen: the smallest change that would have been found%s.",
		c->metric->value, c->metric->unit,
		c->metric->exact ? "a change up to it is none"
				 : "a change that is surely smaller is none, one that may be as large counts",
		c->metric->exact ? "" : " in 95 of 100 comparisons");
	if (c->metric->exact)
		fputs(" goal: informational.\n", out);
	else
		fprintf(out,
			"\n99%% interval: of the change, over boots (Welch). p: by permutation of boots, for all %zu "
			"tests together (Westfall and Young).\n",
			c->tests);
	report_counters(out, c->b);
	print_plan(out, c);
}

/* What is not known of a console that somebody recorded is left out. */
static void print_side_markdown(FILE *out, char side, const struct result *r, const char *end)
{
	const char *kernel = result_text(r, "kernel_boot_line");

	fprintf(out, "%c: ", side);
	if (*kernel)
		fprintf(out, "`%s`, ", kernel);
	fprintf(out, "%s%s", result_text(r, "date"), end);
}

static void print_side(FILE *out, const char *side, const struct result *r)
{
	fprintf(out, "%s: %s\n", side, result_text(r, "machine"));
	report_origin(out, r);
}

void report_comparison(FILE *out, const struct comparison *c, const struct report_style *style)
{
	struct report_columns columns;
	struct table *table;

	report_title(out, c->b, c->metric);
	if (!is_any_shown(c, style)) {
		machine_identity_print_findings(out, "", c->a, c->b);
		print_tally(out, c);
		print_sight(out, c);
		return;
	}
	table = comparison_table(&columns, c, style);
	print_side(out, "A", c->a);
	print_side(out, "B", c->b);
	fputc('\n', out);
	table_print(table, out, table_wants_colour(out));
	table_free(table);
	print_legend(out, c);
	report_peer_notes(out, &columns, c->b, "");
	print_notes(out, c, "");
	print_tally(out, c);
}

void report_markdown(FILE *out, const struct comparison *c, const struct report_style *style)
{
	struct report_columns columns;
	struct table *table = comparison_table(&columns, c, style);

	fputs("### ", out);
	report_title(out, c->b, c->metric);
	fputc('\n', out);
	print_side_markdown(out, 'A', c->a, "  \n");
	print_side_markdown(out, 'B', c->b, "\n\n");
	if (is_any_shown(c, style))
		table_print_markdown(table, out);
	table_free(table);
	print_legend(out, c);
	fputc('\n', out);
	print_tally(out, c);
	fputc('\n', out);
	report_peer_notes(out, &columns, c->b, "- ");
	print_notes(out, c, "- ");
}
