/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `hbench history`: a benchmark over time, and where it changed. */
#include "cmd/verbs.h"
#include "history/db_finding.h"
#include "history/history.h"
#include "host/error.h"
#include "host/exit_code.h"
#include "host/mem.h"
#include "host/table.h"
#include "report/spark.h"
#include "stats/change_points.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	const char *db, *machine, *suite;
	unsigned last;
	bool csv;
} o = {.last = 200};

static const struct option_spec options[] = {
	OPTION_DB(o.db),
	{"machine", 'm', OPTION_TEXT, "ID", "Only this machine (all)", &o.machine, 0, 0, NULL},
	{"suite", 's', OPTION_TEXT, "NAME", "Without CASE: list only this suite", &o.suite, 0, 0, "SUITES"},
	{"last", 'n', OPTION_NUMBER, "N", "Look at the latest N results (200)", &o.last, 1, 5000, NULL},
	{"csv", 0, OPTION_FLAG, NULL, "Print CSV", &o.csv, 0, 0, NULL},
	OPTION_END,
};

static void print_points(const struct history *h)
{
	static const char *const titles[] = {"measured", "revision", ">boots", ">value", ">change", "kernel", NULL};
	struct table *table = table_create(titles);

	for (size_t i = 0; i < h->count; i++) {
		const struct history_point *p = &h->points[i];
		double before = i ? p[-1].value : p->value;
		enum colour colour = p->value > before ? COLOUR_BAD : COLOUR_GOOD;

		table_cell(table, COLOUR_NONE, "%s", p->date);
		table_cell(table, COLOUR_NONE, "%.12s", p->revision);
		table_cell(table, COLOUR_NONE, "%u", p->boots);
		table_cell(table, COLOUR_NONE, "%.*f", h->metric->exact ? 0 : 1, p->value);
		if (p->value != before && before > 0)
			table_cell(table, colour, "%+.2f%%", 100 * (p->value - before) / before);
		else
			table_cell(table, COLOUR_NONE, "%s", "");
		table_cell(table, COLOUR_DIM, "%.60s", p->kernel);
	}
	table_print(table, stdout, table_wants_colour(stdout));
	table_free(table);
}

static const char *revision(const struct history_point *p)
{
	return *p->revision ? p->revision : "(no revision noted)";
}

static void print_finding(void *context, const char *name, const char *a, const char *b)
{
	(void)context;
	printf("  and the machine is not as it was, %s: \"%s\" -> \"%s\"\n", name, a, b);
}

/* What changed a number need not be the code. */
static void print_findings(struct db *db, const struct history *h, size_t at)
{
	struct error error;

	if (!db_finding_differences(db, h->points[at - 1].result_id, h->points[at].result_id, print_finding, NULL,
				    &error))
		complain("%s", error.text);
}

static void print_change(struct db *db, const struct history *h, size_t index)
{
	size_t at = h->changes[index];
	double before = history_level(h, history_segment_before(h, index), at);
	double after = history_level(h, at, history_segment_end(h, index));

	printf("%s: %.*f -> %.*f (%+.2f%%) between %.12s of %s and %.12s of %s\n",
	       after > before ? "SLOWER" : "faster", h->metric->exact ? 0 : 1, before, h->metric->exact ? 0 : 1,
	       after, before > 0 ? 100 * (after - before) / before : 0, revision(&h->points[at - 1]),
	       h->points[at - 1].date, revision(&h->points[at]), h->points[at].date);
	print_findings(db, h, at);
}

/* From before the results that are shown. */
static void print_earlier(const struct history_change *c)
{
	printf("earlier, %s: %.1f -> %.1f (%+.2f%%) between %.12s of %s and %.12s of %s\n",
	       c->after > c->before ? "SLOWER" : "faster", c->before, c->after,
	       c->before > 0 ? 100 * (c->after - c->before) / c->before : 0,
	       *c->revision_before ? c->revision_before : "(no revision noted)", c->date_before,
	       *c->revision ? c->revision : "(no revision noted)", c->date);
}

/* What differs at the end may be the first of a change, or disturbed: more results tell. */
static void print_outliers(const struct history *h)
{
	size_t calm = h->count;

	while (calm && h->points[calm - 1].outlier)
		calm--;
	for (size_t i = 0; i < h->count; i++)
		if (h->points[i].outlier)
			printf("%s: %.*f at %.12s of %s\n", i < calm ? "outlier" : "too new to tell whether it lasts",
			       h->metric->exact ? 0 : 1, h->points[i].value, revision(&h->points[i]),
			       h->points[i].date);
}

static void print_picture(const struct history *h)
{
	double *values = xcalloc(h->count, sizeof(*values));
	char picture[SPARK_TEXT_MAX];

	for (size_t i = 0; i < h->count; i++)
		values[i] = h->points[i].value;
	spark_values(values, h->count, picture);
	printf("\n%s\n", picture);
	free(values);
}

static void print_history(struct db *db, const struct history *h)
{
	printf("%s on %s: %s, %s (%s), %zu results\n\n", h->name, h->machine,
	       metric_of_case(h->metric, h->name)->unit, h->metric->value, h->metric->nature, h->count);
	print_points(h);
	print_picture(h);
	for (size_t i = 0; i < h->earlier_count; i++)
		print_earlier(&h->earlier[i]);
	for (size_t i = 0; i < h->change_count; i++)
		print_change(db, h, i);
	print_outliers(h);
	if (!h->metric->exact && h->count < CHANGE_POINTS_NEEDED)
		printf("Too few to tell whether it changed: %d results are needed.\n", CHANGE_POINTS_NEEDED);
	else if (!h->change_count && !h->earlier_count)
		puts("No change that lasts.");
	putchar('\n');
}

static void print_csv(const struct history *h)
{
	for (size_t i = 0; i < h->count; i++) {
		const struct history_point *p = &h->points[i];

		printf("%s,%s,%s,%s,%u,%.17g,%ju,%ju,%ju,%ju\n", h->machine, h->name, p->date, p->revision, p->boots,
		       p->value, (uintmax_t)p->min, (uintmax_t)p->p50, (uintmax_t)p->p99, (uintmax_t)p->max);
	}
}

static int show(struct db *db, const char *name)
{
	struct error error;
	size_t count = 0;
	struct history *list = histories_load(db, o.machine, name, o.last, &count, &error);

	if (!list || !count) {
		complain("%s", list ? "there are no results of this case; `hbench history` lists all" : error.text);
		histories_free(list, count);
		return EXIT_RUN_INVALID;
	}
	if (o.csv)
		puts("machine,name,measured,revision,boots,value,min,p50,p99,max");
	for (size_t i = 0; i < count; i++) {
		if (o.csv)
			print_csv(&list[i]);
		else
			print_history(db, &list[i]);
	}
	histories_free(list, count);
	return 0;
}

static void list_row(void *table, const char *machine, const char *metric, const char *name, unsigned results,
		     const char *last)
{
	if (o.machine && strcmp(o.machine, machine))
		return;
	table_cell(table, COLOUR_NONE, "%s", machine);
	table_cell(table, COLOUR_NONE, "%s", name);
	table_cell(table, COLOUR_NONE, "%s", metric);
	table_cell(table, COLOUR_NONE, "%u", results);
	table_cell(table, COLOUR_NONE, "%s", last);
}

static int list_all(struct db *db)
{
	static const char *const titles[] = {"machine", "case", "metric", ">results", "last", NULL};
	struct table *table = table_create(titles);
	struct error error;
	bool good = db_list(db, o.suite, list_row, table, &error);

	if (good)
		table_print(table, stdout, table_wants_colour(stdout));
	else
		complain("%s", error.text);
	table_free(table);
	return good ? 0 : EXIT_RUN_INVALID;
}

static int run(char **args, unsigned count)
{
	struct db *db = verb_open_db(o.db);
	int code = EXIT_RUN_INVALID;

	if (db)
		code = count ? show(db, args[0]) : list_all(db);
	db_close(db);
	return code;
}

const struct verb verb_history = {
	.name = "history",
	.summary = "show how a case developed, and where it changed",
	.args = "[CASE]",
	.args_words = "$(hbench list --names 2>/dev/null)",
	.doc = "Show all results of a case that the database has, oldest first, and the revisions between which it "
	       "changed for good. Without a case: list what there is.",
	.more = "Counts of instructions are exact, so each change is one. In ticks changes are looked for with "
		"E-divisive "
		"(segments of at least 3 results, permutation test, p <= 0.02) after outliers were taken out; below "
		"10 "
		"results, and for what was reverted, a t test decides.",
	.examples = "  hbench history\n"
		    "  hbench history ipc/null\n"
		    "  hbench history ipc/call_reply_cross/words:0 --machine nuc11 --last 50\n"
		    "  hbench history ipc/null --db postgresql://hbench@lab/hbench --csv\n",
	.options = options,
	.args_max = 1,
	.args_needed = "only one case can be shown",
	.run = run,
};
