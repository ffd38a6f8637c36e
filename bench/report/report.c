/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/report.h"

#include "host/mem.h"
#include "host/table.h"
#include "report/report_findings.h"
#include "report/report_peers.h"
#include "report/report_warnings.h"
#include "report/spark.h"
#include "result/metric.h"
#include "result/name.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names in a table go without the suite, which its header names. */
const char *report_short_name(const char *name)
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

void report_origin(FILE *out, const struct result *r)
{
	print_line(out, "kernel", result_text(r, "kernel_boot_line"));
	print_program(out, r, "image", "kernel");
	print_program(out, r, "roottask", "roottask");
	print_line(out, "revision", result_text(r, "git_revision"));
	print_line(out, "emulator", result_text(r, "emulator_version"));
	print_measured(out, r);
}

void report_title(FILE *out, const struct result *r, const struct metric *metric)
{
	fprintf(out, "%s on %s: %s, %s (%s)\n", result_text(r, "suite"), result_text(r, "machine"),
		metric ? metric->unit : result_text(r, "metric"), metric ? metric->value : "minimum",
		metric ? metric->nature : "of unknown nature");
}

void report_goal_cells(struct table *table, bool has_goal, double goal, bool known, bool met)
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

static void result_row(struct table *table, const struct report_columns *columns, const struct benchmark *b,
		       const struct suite *suite)
{
	const struct suite_case *known = suite ? suite_find(suite, b->name) : NULL;
	bool has_goal = known && known->has_goal;

	table_cell(table, COLOUR_NONE, "%s", report_short_name(b->name));
	table_cell(table, COLOUR_NONE, "%ju", (uintmax_t)sample_whole_ticks(&b->merged, b->merged.min));
	table_cell(table, COLOUR_NONE, "%ju", (uintmax_t)sample_whole_ticks(&b->merged, b->merged.p50));
	table_cell(table, COLOUR_NONE, "%ju", (uintmax_t)sample_whole_ticks(&b->merged, b->merged.p99));
	table_cell(table, COLOUR_NONE, "%ju", (uintmax_t)sample_whole_ticks(&b->merged, b->merged.max));
	table_cell(table, COLOUR_NONE, "%ju", (uintmax_t)b->merged.n);
	report_goal_cells(table, has_goal, has_goal ? known->goal : 0, true,
			  has_goal && (double)b->merged.min <= known->goal);
	report_peer_cells(table, columns, b->name, b);
}

double report_quantile(const struct metric *metric, const char *name, const struct benchmark *b)
{
	return metric_number(metric, estimator_find(name), b);
}

static void noisy_row(struct table *table, const struct metric *metric, const struct benchmark *b)
{
	const struct sample *s = &b->merged;
	const double numbers[] = {
		sample_ticks(s, s->min),
		report_quantile(metric, "p50", b),
		sample_ticks(s, stats_mad(&s->hist)),
		report_quantile(metric, "p99", b),
		report_quantile(metric, "p999", b),
		sample_ticks(s, s->max),
	};
	char picture[SPARK_TEXT_MAX], text[32];

	spark_sample(s, picture);
	table_cell(table, COLOUR_NONE, "%s", report_short_name(b->name));
	for (size_t i = 0; i < array_size(numbers); i++) {
		sample_ticks_text(numbers[i], text);
		table_cell(table, COLOUR_NONE, "%s", text);
	}
	table_cell(table, COLOUR_NONE, "%ju", (uintmax_t)s->n);
	table_cell(table, COLOUR_DIM, "%s", picture);
}

static struct table *result_table(struct report_columns *columns, const struct result *r, const struct suite *suite,
				  const struct metric *metric, const struct peers *peers)
{
	static const char *const counts[] = {"case", ">min", ">p50", ">p99", ">max", ">n", ">goal", "goal is", NULL};
	static const char *const times[] = {"case",   ">min", ">p50", ">mad",       ">p99",
					    ">p99.9", ">max", ">n",   "min to p99", NULL};
	const bool exact = !metric || metric->exact;
	struct table *table;

	report_columns_init(columns, exact ? counts : times, peers, r);
	table = table_create(columns->titles);
	for (size_t i = 0; i < r->count; i++) {
		if (exact)
			result_row(table, columns, &r->benchmarks[i], suite);
		else
			noisy_row(table, metric, &r->benchmarks[i]);
	}
	return table;
}

static void print_legend(FILE *out, const struct metric *metric)
{
	fprintf(out,
		"\nmin, max: lowest and highest of n values, each %s.\n"
		"p50, p99 and the like: mean of the boots' medians, 99th percentiles and so on, as gates judge "
		"them.\n",
		metric ? metric->unit : "in its metric");
	fputs(metric && !metric->exact
		      ? "mad: median distance from the median.\n"
		      : "goal: what the project wants the minimum to be; it does not decide anything.\n",
	      out);
}

/* Compared with itself, a result says how many boots a comparison with another one will need. */
static void print_plan(FILE *out, const struct result *r, const struct suite *suite)
{
	size_t boots = compare_plan(r, suite);

	if (boots > POWER_BOOTS_MOST)
		fprintf(out, "plan: not even %d boots a side would find a change of the threshold in every case.\n",
			POWER_BOOTS_MOST);
	else if (boots)
		fprintf(out,
			"plan: to find a change of the threshold in every case, compare %zu boots with as many.\n",
			boots);
}

void report_counters(FILE *out, const struct result *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (name_of_counter(r->benchmarks[i].name)) {
			fputs("counter: cases with this parameter are numbers of those events per operation.\n", out);
			return;
		}
}

static void print_skips(FILE *out, const struct result *r)
{
	const char *name;
	json_t *why;

	json_object_foreach(json_object_get(r->context, "skipped"), name, why)
		fprintf(out, "%s %s: %s\n", result_find(r, name) ? "incomplete" : "skipped", name,
			json_string_value(why) ? json_string_value(why) : "");
}

/* Cases the suite names and the run neither measured nor skipped: some are left out on purpose, so one line is
 * enough. */
static void print_unmeasured(FILE *out, const struct result *r, const struct suite *suite)
{
	const char *before = "";
	size_t count = 0;

	for (size_t i = 0; suite && i < suite->count; i++) {
		const char *name = suite->cases[i].name, *word = report_short_name(name);
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

static void print_numbers(FILE *out, const struct result *r, const struct suite *suite, const struct metric *metric,
			  const struct report_style *style)
{
	struct report_columns columns;
	struct table *table = result_table(&columns, r, suite, metric, style ? style->peers : NULL);

	fputc('\n', out);
	table_print(table, out, table_wants_colour(out));
	table_free(table);
	print_legend(out, metric);
	report_peer_notes(out, &columns, r, "");
	if (result_traced(r))
		fputs("traced: the kernel recorded what it did, which takes time of its own; compare with traced "
		      "runs only.\n",
		      out);
	report_counters(out, r);
	print_plan(out, r, suite);
}

void report_result(FILE *out, const struct result *r, const struct suite *suite, const struct report_style *style)
{
	const struct metric *metric = metric_find(result_text(r, "metric"));

	report_title(out, r, metric);
	report_origin(out, r);
	if (r->count)
		print_numbers(out, r, suite, metric, style);
	print_skips(out, r);
	print_unmeasured(out, r, suite);
	if (metric)
		report_warnings(out, r, metric, style && style->all_warnings);
	report_findings(out, r, !r->count || (style && style->all_findings));
}
