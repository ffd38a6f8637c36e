/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A comparison as a table, for terminals and as Markdown. */
#include "report/report.h"
#include "stats/machine_identity.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static enum colour verdict_colour(enum verdict verdict)
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

static void value_cell(struct table *table, bool present, bool exact, uint64_t whole, double value)
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

/* What may change, and what would have been seen: a verdict means no more than these two say. */
static void sight_cells(struct table *table, const struct pair *p)
{
	table_cell(table, COLOUR_DIM, "%.4g%%", p->threshold);
	if (p->difference.smallest > 0)
		table_cell(table, COLOUR_DIM, "%.2f%%", p->difference.smallest);
	else
		table_cell(table, COLOUR_DIM, "%s", "");
}

static void pair_row(struct table *table, const struct pair *p, bool exact)
{
	const struct difference *o = &p->difference;
	enum colour colour = verdict_colour(o->verdict);

	table_cell(table, COLOUR_NONE, "%s", report_short_name(p->label));
	value_cell(table, o->verdict != VERDICT_NEW, exact, o->a, o->from);
	value_cell(table, o->verdict != VERDICT_MISSING, exact, o->b, o->to);
	change_cells(table, o, exact, colour);
	if (!exact)
		confidence_cells(table, o);
	sight_cells(table, p);
	table_cell(table, colour, "%s", verdict_name(o->verdict));
	if (exact)
		report_goal_cells(table, p->has_goal, p->goal, o->verdict != VERDICT_MISSING, p->goal_met);
}

static struct table *comparison_table(const struct comparison *c)
{
	static const char *const counts[] = {"case",  ">A",      ">B",    ">change", ">%", ">threshold",
					     ">seen", "verdict", ">goal", "goal is", NULL};
	static const char *const times[] = {"case", ">A",         ">B",    ">change", ">%", ">95% interval",
					    ">p",   ">threshold", ">seen", "verdict", NULL};
	struct table *table = table_create(c->metric->exact ? counts : times);

	for (size_t i = 0; i < c->count; i++)
		pair_row(table, &c->pairs[i], c->metric->exact);
	return table;
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
	fputs(".\n", out);
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
		fprintf(out, "plan: not even %d boots a side would find %.4g thresholds in every case.\n",
			POWER_BOOTS_MOST, POWER_MARGIN);
	else
		fprintf(out,
			"plan: %zu boots a side find a change of %.4g thresholds in every case, 95 times of 100.\n",
			c->boots, POWER_MARGIN);
}

static void print_legend(FILE *out, const struct comparison *c)
{
	fprintf(out,
		"\nA, B: %s of the %s; lower is better. change: B - A. threshold: a change up to it is none.\n"
		"seen: the smallest change that would have been found%s.",
		c->metric->value, c->metric->unit, c->metric->exact ? "" : " in 95 of 100 comparisons");
	if (c->metric->exact)
		fputs(" goal: informational.\n", out);
	else
		fprintf(out,
			"\n95%% interval: of the change, over boots (Welch). p: by permutation of boots, for all %zu "
			"tests together (Westfall and Young).\n",
			c->tests);
	report_counters(out, c->b);
	print_plan(out, c);
}

static void print_side(FILE *out, const char *side, const struct result *r)
{
	fprintf(out, "%s: %s\n", side, result_text(r, "machine"));
	report_origin(out, r);
}

void report_comparison(FILE *out, const struct comparison *c)
{
	struct table *table = comparison_table(c);

	report_title(out, c->b, c->metric);
	print_side(out, "A", c->a);
	print_side(out, "B", c->b);
	fputc('\n', out);
	table_print(table, out, table_wants_colour(out));
	table_free(table);
	print_legend(out, c);
	print_notes(out, c, "");
	print_tally(out, c);
}

void report_markdown(FILE *out, const struct comparison *c)
{
	struct table *table = comparison_table(c);

	fputs("### ", out);
	report_title(out, c->b, c->metric);
	fprintf(out, "\nA: `%s`, %s  \nB: `%s`, %s\n\n", result_text(c->a, "kernel_boot_line"),
		result_text(c->a, "date"), result_text(c->b, "kernel_boot_line"), result_text(c->b, "date"));
	table_print_markdown(table, out);
	table_free(table);
	print_legend(out, c);
	fputc('\n', out);
	print_tally(out, c);
	fputc('\n', out);
	print_notes(out, c, "- ");
}
