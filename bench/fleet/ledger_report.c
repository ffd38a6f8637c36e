/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/ledger_report.h"

#include "host/file.h"
#include "host/json_file.h"
#include "host/mem.h"
#include "host/text.h"
#include "report/report.h"
#include "report/report_page.h"

#include <stdlib.h>
#include <string.h>

/* --- table --- */

static enum colour colour_of(const struct ledger_row *row)
{
	if (row->code == EXIT_SAME_OR_BETTER)
		return COLOUR_GOOD;
	return row->code == EXIT_NOT_ENOUGH_DATA || row->code == EXIT_INTERRUPTED ? COLOUR_DOUBT : COLOUR_BAD;
}

static unsigned bad_attempts(const struct outcome *o)
{
	unsigned bad = 0;

	for (unsigned i = 0; i < o->attempt_count; i++)
		bad += o->attempts[i].verdict != OUTCOME_OK;
	return bad;
}

/* If there is nothing else to say, how many attempts have failed before the machine made it, and how the last of them
 * did: that is the state from which it recovered. */
static void remark(const struct ledger_row *row, char *out, size_t size)
{
	const struct outcome *o = &row->outcome;

	snprintf(out, size, "%.*s", (int)size - 1, row->why);
	for (unsigned i = o->attempt_count; i-- && !*out;)
		if (o->attempts[i].verdict != OUTCOME_OK)
			snprintf(out, size, "after %u failed: %s", bad_attempts(o),
				 outcome_text(o->attempts[i].verdict));
	text_mask(out);
}

void ledger_table(FILE *out, const struct ledger *ledger)
{
	static const char *const titles[] = {"machine", "suite", ">boots", ">attempts", "verdict", "gate", "", NULL};
	struct table *table = table_create(titles);
	char text[160];

	for (unsigned i = 0; i < ledger->count; i++) {
		const struct ledger_row *row = &ledger->rows[i];

		remark(row, text, sizeof(text));
		table_cell(table, COLOUR_NONE, "%s", row->machine->name);
		table_cell(table, COLOUR_NONE, "%s", row->suite);
		table_cell(table, COLOUR_NONE, "%u", row->outcome.good_boots);
		table_cell(table, COLOUR_NONE, "%u", row->outcome.attempt_count);
		table_cell(table, colour_of(row), "%s", outcome_text(row->outcome.verdict));
		table_cell(table, colour_of(row), "%s", row->gate);
		table_cell(table, COLOUR_DIM, "%s", text);
	}
	table_print(table, out, table_wants_colour(out));
	table_free(table);
}

/* --- JUnit --- */

static void junit_row(FILE *out, const struct ledger_row *row)
{
	const char *element =
		row->code == EXIT_REGRESSED || row->code == EXIT_BENCHMARK_MISSING ? "failure" : "error";

	fputs("  <testcase", out);
	report_junit_attribute(out, "classname", row->machine->name);
	report_junit_attribute(out, "name", row->suite);
	fputs(">\n", out);
	if (row->code == EXIT_NOT_ENOUGH_DATA || row->code == EXIT_INTERRUPTED)
		element = "skipped";
	if (row->code != EXIT_SAME_OR_BETTER) {
		fprintf(out, "    <%s", element);
		report_junit_attribute(out, "type",
				       row->outcome.verdict == OUTCOME_OK ? row->gate
									  : outcome_text(row->outcome.verdict));
		report_junit_attribute(out, "message", row->why);
		fputs("/>\n", out);
	}
	fputs("  </testcase>\n", out);
}

static unsigned count_codes(const struct ledger *ledger, enum exit_code a, enum exit_code b)
{
	unsigned count = 0;

	for (unsigned i = 0; i < ledger->count; i++)
		count += ledger->rows[i].code == a || ledger->rows[i].code == b;
	return count;
}

void ledger_junit(FILE *out, const struct ledger *ledger)
{
	unsigned failures = count_codes(ledger, EXIT_REGRESSED, EXIT_BENCHMARK_MISSING);
	unsigned skipped = count_codes(ledger, EXIT_NOT_ENOUGH_DATA, EXIT_INTERRUPTED);
	unsigned good = count_codes(ledger, EXIT_SAME_OR_BETTER, EXIT_SAME_OR_BETTER);

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite", out);
	report_junit_attribute(out, "name", "fleet");
	fprintf(out, " tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\">\n", ledger->count, failures,
		ledger->count - failures - skipped - good, skipped);
	for (unsigned i = 0; i < ledger->count; i++)
		junit_row(out, &ledger->rows[i]);
	fputs("</testsuite>\n", out);
	for (unsigned i = 0; i < ledger->count; i++)
		if (ledger->rows[i].compared)
			report_junit(out, &ledger->rows[i].comparison);
	fputs("</testsuites>\n", out);
}

/* --- JSON --- */

static json_t *comparison_json(const struct comparison *c)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	json_t *root = NULL;

	if (out) {
		report_json(out, c);
		fclose(out);
		root = json_loadb(text, size, 0, NULL);
	}
	free(text);
	return root ? root : json_null();
}

static json_t *attempts_json(const struct outcome *o)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < o->attempt_count; i++) {
		const struct outcome_attempt *a = &o->attempts[i];

		json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:f}", "verdict", outcome_text(a->verdict),
						       "log", a->log, "why", a->why, "seconds", a->seconds));
	}
	return array;
}

static json_t *row_json(const struct ledger_row *row)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:o, s:i, s:i, s:o}", "machine", row->machine->name, "suite",
				   row->suite, "verdict", outcome_text(row->outcome.verdict), "gate", row->gate,
				   "why", json_file_string(row->why), "exit_code", row->code, "boots",
				   row->outcome.good_boots, "attempts", attempts_json(&row->outcome));

	if (row->compared)
		json_object_set_new(object, "comparison", comparison_json(&row->comparison));
	return object;
}

void ledger_json(FILE *out, const struct ledger *ledger)
{
	const struct plan *plan = ledger->plan;
	json_t *rows = json_array(), *root;

	for (unsigned i = 0; i < ledger->count; i++)
		json_array_append_new(rows, row_json(&ledger->rows[i]));
	root = json_pack("{s:s, s:s, s:s, s:i, s:o}", "lab", plan->inventory->lab.name, "kernel_sha256",
			 plan->kernel.sha256, "build_id", plan->kernel.build_id, "exit_code", ledger_code(ledger),
			 "machines", rows);
	json_dumpf(root, out, JSON_INDENT(1));
	fputc('\n', out);
	json_decref(root);
}

/* --- files --- */

static bool write_file(const struct ledger *ledger, const char *name, void (*print)(FILE *, const struct ledger *),
		       struct error *error)
{
	char *path = xasprintf("%s/%s", ledger->plan->folder, name), *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool good = out || error_set(error, "out of memory");

	if (good) {
		print(out, ledger);
		good = !fclose(out) && file_replace(path, text, size, error);
	}
	free(text);
	free(path);
	return good;
}

static void print_results(FILE *out, const struct ledger *ledger)
{
	struct report_section *sections = xcalloc(ledger->count, sizeof(*sections));
	size_t count = 0;

	for (unsigned i = 0; i < ledger->count; i++) {
		const struct ledger_row *row = &ledger->rows[i];

		if (!row->has_result)
			continue;
		sections[count] = (struct report_section){
			.result = &row->result,
			.comparison = row->compared ? &row->comparison : NULL,
			.suite = row->has_suite ? &row->suite_data : NULL,
			.index = count,
		};
		count++;
	}
	report_page(out, sections, count);
	free(sections);
}

bool ledger_write(const struct ledger *ledger, struct error *error)
{
	return write_file(ledger, "junit.xml", ledger_junit, error) &&
	       write_file(ledger, "report.json", ledger_json, error) &&
	       write_file(ledger, "results.html", print_results, error) &&
	       write_file(ledger, "index.html", ledger_html, error);
}
