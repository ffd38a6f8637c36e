/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report.h"

#include "table.h"

#include <stdlib.h>
#include <string.h>

/* Names in a table go without the suite, which its header names. */
static const char *short_name(const char *name)
{
	const char *slash = strchr(name, '/');

	return slash ? slash + 1 : name;
}

static void print_line(FILE *out, const char *label, const char *text)
{
	if (!*text)
		return;
	fprintf(out, "  %-9s %s\n", label, text);
}

static void print_program(FILE *out, const struct result *r, const char *label, const char *kind)
{
	char *file = xasprintf("%s_file", kind), *hash = xasprintf("%s_sha256", kind);

	if (*result_text(r, hash)) {
		char *text = xasprintf("%s, SHA-256 %.16s...", result_text(r, file), result_text(r, hash));

		print_line(out, label, text);
		free(text);
	}
	free(hash);
	free(file);
}

static void print_measured(FILE *out, const struct result *r)
{
	json_int_t boots = json_integer_value(json_object_get(r->context, "boots"));

	if (*result_text(r, "date"))
		fprintf(out, "  %-9s %s%s", "measured", result_text(r, "date"), boots > 1 ? "" : "\n");
	if (*result_text(r, "date") && boots > 1)
		fprintf(out, ", %" JSON_INTEGER_FORMAT " boots\n", boots);
}

static void print_origin(FILE *out, const struct result *r)
{
	print_line(out, "kernel", result_text(r, "kernel_boot_line"));
	print_program(out, r, "image", "kernel");
	print_program(out, r, "roottask", "roottask");
	print_line(out, "revision", result_text(r, "git_revision"));
	print_line(out, "emulator", result_text(r, "emulator_version"));
	print_measured(out, r);
}

static void print_title(FILE *out, const struct result *r, const struct metric *metric)
{
	fprintf(out, "%s on %s: %s, %s (%s)\n", result_text(r, "suite"), result_text(r, "machine"),
		metric ? metric->unit : result_text(r, "metric"), metric ? metric->estimator : "minimum",
		metric ? metric->nature : "of unknown nature");
}

static void goal_cells(struct table *table, bool has_goal, double goal, bool known, bool met)
{
	char text[32];

	if (!has_goal) {
		table_cell(table, COLOUR_NONE, "%s", "");
		table_cell(table, COLOUR_NONE, "%s", "");
		return;
	}
	suite_goal_text(goal, text);
	table_cell(table, COLOUR_DIM, "%s", text);
	table_cell(table, COLOUR_DIM, "%s", !known ? "" : met ? "met" : "not met");
}

static void result_row(struct table *table, const struct benchmark *b, const struct suite *suite, bool exact)
{
	const struct suite_case *known = suite ? suite_find(suite, b->name) : NULL;
	bool has_goal = exact && known && known->has_goal;

	table_cell(table, COLOUR_NONE, "%s", short_name(b->name));
	table_cell(table, COLOUR_NONE, "%ju", (uintmax_t)b->merged.min);
	table_cell(table, COLOUR_NONE, "%ju", (uintmax_t)b->merged.p50);
	table_cell(table, COLOUR_NONE, "%ju", (uintmax_t)b->merged.p99);
	table_cell(table, COLOUR_NONE, "%ju", (uintmax_t)b->merged.max);
	table_cell(table, COLOUR_NONE, "%ju", (uintmax_t)b->merged.n);
	goal_cells(table, has_goal, has_goal ? known->goal : 0, true,
		   has_goal && (double)b->merged.min <= known->goal);
}

static void print_skips(FILE *out, const struct result *r)
{
	const char *name;
	json_t *why;

	json_object_foreach(json_object_get(r->context, "skipped"), name, why)
		fprintf(out, "skipped %s: %s\n", name, json_string_value(why) ? json_string_value(why) : "");
}

/* Cases the suite names and the run neither measured nor skipped: some are left out on purpose, so one line is
 * enough. */
static void print_unmeasured(FILE *out, const struct result *r, const struct suite *suite)
{
	const char *before = "";
	size_t count = 0;

	for (size_t i = 0; suite && i < suite->count; i++) {
		const char *name = suite->cases[i].name, *word = short_name(name);
		size_t len = strcspn(word, "/");

		if (result_find(r, name) || result_skip_reason(r, name))
			continue;
		if (!count++)
			fputs("not reported by the roottask:", out);
		if (strncmp(before, word, len) || before[len] != word[len])
			fprintf(out, " %.*s", (int)len, word);
		before = word;
	}
	if (count)
		fprintf(out, " (%zu of the suite's %zu)\n", count, suite->count);
}

/* An exact metric that changes from boot to boot is not what it claims to be. */
static void print_unrepeated(FILE *out, const struct result *r, const struct metric *metric)
{
	for (size_t i = 0; metric && metric->exact && i < r->count; i++) {
		const struct benchmark *b = &r->benchmarks[i];
		uint64_t high = 0;

		for (size_t k = 0; k < b->boot_count; k++)
			high = b->boots[k].min > high ? b->boots[k].min : high;
		if (high != b->merged.min)
			fprintf(out, "not repeatable %s: the minimum is between %ju and %ju, depending on the boot\n",
				b->name, (uintmax_t)b->merged.min, (uintmax_t)high);
	}
}

void report_result(FILE *out, const struct result *r, const struct suite *suite)
{
	static const char *const titles[] = {"case", ">min", ">p50", ">p99", ">max", ">n", ">goal", "goal is", NULL};
	const struct metric *metric = metric_find(result_text(r, "metric"));
	struct table *table = table_create(titles);

	print_title(out, r, metric);
	print_origin(out, r);
	fputc('\n', out);
	for (size_t i = 0; i < r->count; i++)
		result_row(table, &r->benchmarks[i], suite, metric && metric->exact);
	table_print(table, out, want_colour(out));
	table_free(table);
	fprintf(out,
		"\nmin, p50, p99, max: lowest value, median, 99th percentile and highest of n timed windows, each "
		"%s.\ngoal: what the project wants the minimum to be; it does not decide anything.\n",
		metric ? metric->unit : "in its metric");
	print_skips(out, r);
	print_unmeasured(out, r, suite);
	print_unrepeated(out, r, metric);
}

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

static void value_cell(struct table *table, bool present, uint64_t value)
{
	if (present)
		table_cell(table, COLOUR_NONE, "%ju", (uintmax_t)value);
	else
		table_cell(table, COLOUR_DIM, "-");
}

static void pair_row(struct table *table, const struct pair *p)
{
	const struct outcome *o = &p->outcome;
	enum colour colour = verdict_colour(o->verdict);
	bool both = o->verdict != VERDICT_MISSING && o->verdict != VERDICT_NEW;

	table_cell(table, COLOUR_NONE, "%s", short_name(p->name));
	value_cell(table, o->verdict != VERDICT_NEW, o->a);
	value_cell(table, o->verdict != VERDICT_MISSING, o->b);
	if (both && o->change) {
		table_cell(table, colour, "%+jd", (intmax_t)o->change);
		if (o->a)
			table_cell(table, colour, "%+.2f%%", o->percent);
		else
			table_cell(table, colour, "from 0");
	} else {
		table_cell(table, COLOUR_DIM, "%s", both ? "0" : "");
		table_cell(table, COLOUR_DIM, "%s", "");
	}
	table_cell(table, colour, "%s", verdict_name(o->verdict));
	goal_cells(table, p->has_goal, p->goal, o->verdict != VERDICT_MISSING, p->goal_met);
}

static struct table *comparison_table(const struct comparison *c)
{
	static const char *const titles[] = {"case",    ">A",    ">B",      ">change", ">%",
					     "verdict", ">goal", "goal is", NULL};
	struct table *table = table_create(titles);

	for (size_t i = 0; i < c->count; i++)
		pair_row(table, &c->pairs[i]);
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

static void print_notes(FILE *out, const struct comparison *c, const char *bullet)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct pair *p = &c->pairs[i];

		if (p->outcome.verdict == VERDICT_UNSURE)
			fprintf(out, "%snot enough data %s: %s\n", bullet, p->name, p->outcome.why);
		if (p->outcome.verdict == VERDICT_MISSING)
			fprintf(out, "%sMISSING %s: %s\n", bullet, p->name,
				p->note ? p->note : "A has it and B did not report it");
	}
	if (c->same_programs && c->tally[VERDICT_SAME] != c->count)
		fprintf(out,
			"%sA and B ran the same kernel and roottask, byte for byte: what differs comes from the "
			"machine "
			"or the emulator.\n",
			bullet);
}

static void print_side(FILE *out, const char *side, const struct result *r)
{
	fprintf(out, "%s: %s\n", side, result_text(r, "machine"));
	print_origin(out, r);
}

void report_comparison(FILE *out, const struct comparison *c)
{
	struct table *table = comparison_table(c);

	print_title(out, c->b, c->metric);
	print_side(out, "A", c->a);
	print_side(out, "B", c->b);
	fputc('\n', out);
	table_print(table, out, want_colour(out));
	table_free(table);
	fprintf(out, "\nA, B: %s of the %s; lower is better. change: B - A. goal: informational.\n",
		c->metric->estimator, c->metric->unit);
	print_notes(out, c, "");
	print_tally(out, c);
}

void report_markdown(FILE *out, const struct comparison *c)
{
	struct table *table = comparison_table(c);

	fputs("### ", out);
	print_title(out, c->b, c->metric);
	fprintf(out, "\nA: `%s`, %s  \nB: `%s`, %s\n\n", result_text(c->a, "kernel_boot_line"),
		result_text(c->a, "date"), result_text(c->b, "kernel_boot_line"), result_text(c->b, "date"));
	table_print_markdown(table, out);
	table_free(table);
	fputc('\n', out);
	print_tally(out, c);
	fputc('\n', out);
	print_notes(out, c, "- ");
}
