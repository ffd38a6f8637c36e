/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verbs.h"

#include "baseline.h"
#include "report_page.h"

#include <stdlib.h>

static struct {
	const char *baseline, *output;
	struct verb_storage storage;
} o = {.output = "report.html"};

static const struct option_spec options[] = {
	{"baseline", 'b', OPTION_TEXT, "FILE|DIR",
	 "Compare with this baseline, or with that of the machine in a folder", &o.baseline, 0, 0, NULL},
	{"output", 'o', OPTION_TEXT, "FILE", "The page (report.html)", &o.output, 0, 0, NULL},
	{"db", 0, OPTION_TEXT, "URL|FILE",
	 "Database with the histories: postgresql://..., or a file of SQLite ($HBENCH_DB, else one in the user's "
	 "data "
	 "folder)",
	 &o.storage.db, 0, 0, NULL},
	{"no-db", 0, OPTION_FLAG, NULL, "Without histories", &o.storage.none, 0, 0, NULL},
	OPTION_END,
};

static bool write_page(const struct report_page *page, struct error *error)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool good = out;

	if (out) {
		report_page(out, page);
		good = !fclose(out);
	}
	good = good ? file_replace(o.output, text, size, error) : error_set(error, "out of memory");
	free(text);
	return good;
}

/* A page without histories is still a page, unless the user named the database. */
static bool open_storage(struct report_page *page)
{
	char *fallback = o.storage.none || o.storage.db ? NULL : db_default();
	struct error ignored;

	if (o.storage.db && !o.storage.none)
		page->db = verb_open_db(o.storage.db);
	else if (fallback)
		page->db = db_open(fallback, &ignored);
	free(fallback);
	return page->db || !o.storage.db || o.storage.none;
}

static bool compare(struct report_page *page, struct result *baseline, struct comparison *c, struct error *error)
{
	if (!o.baseline)
		return true;
	if (!baseline_load(baseline, o.baseline, page->result, error) ||
	    !compare_results(c, baseline, page->result, page->suite, error))
		return false;
	page->comparison = c;
	return true;
}

static int run(char **args, unsigned count)
{
	struct report_page page = {0};
	struct result result, baseline = {0};
	struct comparison c = {0};
	struct suite storage = {0};
	struct error error;
	bool good = result_load(&result, args[0], &error);

	(void)count;
	page.result = &result;
	if (good) {
		page.suite = verb_suite_of(&result, &storage);
		good = compare(&page, &baseline, &c, &error);
	}
	if (good && !open_storage(&page))
		good = error_set(&error, "there is no report without the database (--no-db makes one)");
	good = good && write_page(&page, &error);
	if (good)
		printf("written: %s\n", o.output);
	else
		complain("%s", error.text);
	db_close(page.db);
	compare_free(&c);
	suite_free(&storage);
	result_free(&baseline);
	result_free(&result);
	return good ? 0 : EXIT_RUN_INVALID;
}

const struct verb verb_report = {
	.name = "report",
	.summary = "write a result as one HTML page with charts",
	.args = "RESULT",
	.doc = "Write one HTML page that needs nothing else: summary, distribution of each case, comparison with a "
	       "baseline, "
	       "histories from the database, facts of the machine and the programs.",
	.examples = "  hbench report new.json\n"
		    "  hbench report --baseline results -o report.html new.json\n"
		    "  hbench report --baseline a.json --no-db b.json\n",
	.options = options,
	.args_min = 1,
	.args_max = 1,
	.args_needed = "one result file is needed",
	.run = run,
};
