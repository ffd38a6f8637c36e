/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/report_warnings.h"

#include "host/table.h"
#include "report/report.h"
#include "stats/quality.h"

struct worst {
	size_t cases;
	double weight;
	char name[300], text[QUALITY_TEXT_MAX];
};

static void print_one(void *context, const struct quality_warning *warning)
{
	fprintf(context, "warning %s: %s\n", warning->name, warning->text);
}

/* A case has no more than one warning of a kind, so they are counted by cases. */
static void keep_worst(void *context, const struct quality_warning *warning)
{
	struct worst *worst = (struct worst *)context + warning->kind;

	worst->cases++;
	if (worst->cases > 1 && warning->weight <= worst->weight)
		return;
	worst->weight = warning->weight;
	snprintf(worst->name, sizeof(worst->name), "%s", warning->name);
	snprintf(worst->text, sizeof(worst->text), "%s", warning->text);
}

static void print_worst(FILE *out, const struct worst *worst, size_t of)
{
	static const char *const titles[] = {"warning", ">cases", "worst in", "what it is there", NULL};
	struct table *table = table_create(titles);
	size_t all = 0;

	for (size_t i = 0; i < QUALITY_KINDS; i++) {
		if (!worst[i].cases)
			continue;
		all += worst[i].cases;
		table_cell(table, COLOUR_DOUBT, "%s", quality_name((enum quality_kind)i));
		table_cell(table, COLOUR_NONE, "%zu", worst[i].cases);
		table_cell(table, COLOUR_NONE, "%s", report_short_name(worst[i].name));
		table_cell(table, COLOUR_NONE, "%s", worst[i].text);
	}
	if (all) {
		fputc('\n', out);
		table_print(table, out, table_wants_colour(out));
		fprintf(out, "%zu warning%s about %zu cases; `hbench show --warnings` prints each.\n", all,
			all == 1 ? "" : "s", of);
	}
	table_free(table);
}

void report_warnings(FILE *out, const struct result *result, const struct metric *metric, bool all)
{
	struct worst worst[QUALITY_KINDS] = {0};

	quality_check_result(result, all ? print_one : keep_worst, all ? (void *)out : worst);
	for (size_t i = 0; i < result->count; i++)
		quality_check(result, &result->benchmarks[i], metric, all ? print_one : keep_worst,
			      all ? (void *)out : worst);
	if (!all)
		print_worst(out, worst, result->count);
}
