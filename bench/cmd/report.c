/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `hbench report`: results as one HTML page. */
#include "cmd/verbs.h"
#include "host/exit_code.h"
#include "host/file.h"
#include "host/mem.h"
#include "report/report_page.h"
#include "result/baseline.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
	const char *baseline, *output, *peers;
	struct verb_storage storage;
} o = {.output = "report.html"};

static const struct option_spec options[] = {
	{"baseline", 'b', OPTION_TEXT, "FILE|DIR",
	 "Compare with this baseline, or with that of the machine in a folder", &o.baseline, 0, 0, NULL},
	{"output", 'o', OPTION_TEXT, "FILE", "The page (report.html)", &o.output, 0, 0, NULL},
	OPTION_PEERS(o.peers),
	OPTION_DB(o.storage.db),
	OPTION_NO_DB(o.storage.none, "Without histories"),
	OPTION_END,
};

/* A section with all that it points to. */
struct part {
	struct result result, baseline;
	struct comparison comparison;
	struct suite suite;
};

static bool write_page(const struct report_section *sections, size_t count, struct error *error)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool good = out;

	if (out) {
		report_page(out, sections, count);
		good = !fclose(out);
	}
	good = good ? file_replace(o.output, text, size, error) : error_set(error, "out of memory");
	free(text);
	return good;
}

/* A page without histories is still a page, unless the user named the database. */
static bool open_storage(struct db **db)
{
	char *fallback = o.storage.none || o.storage.db ? NULL : db_default();
	struct error ignored;

	*db = NULL;
	if (o.storage.db && !o.storage.none)
		*db = verb_open_db(o.storage.db);
	else if (fallback)
		*db = db_open(fallback, &ignored);
	free(fallback);
	return *db || !o.storage.db || o.storage.none;
}

static bool load(struct part *part, struct report_section *section, const char *file, struct error *error)
{
	if (!result_load(&part->result, file, error))
		return false;
	section->result = &part->result;
	section->suite = verb_suite_of(&part->result, &part->suite);
	if (!o.baseline)
		return true;
	if (!baseline_load(&part->baseline, o.baseline, &part->result, error) ||
	    !compare_results(&part->comparison, &part->baseline, &part->result, section->suite, error))
		return false;
	section->comparison = &part->comparison;
	return true;
}

static void free_part(struct part *part)
{
	compare_free(&part->comparison);
	suite_free(&part->suite);
	result_free(&part->baseline);
	result_free(&part->result);
}

static bool make_page(char **files, unsigned count, struct db *db, const struct peers *peers, struct error *error)
{
	struct report_section *sections = xcalloc(count, sizeof(*sections));
	struct part *parts = xcalloc(count, sizeof(*parts));
	bool good = true;

	for (unsigned i = 0; i < count && good; i++) {
		sections[i].db = db;
		sections[i].peers = peers;
		sections[i].index = i;
		good = load(&parts[i], &sections[i], files[i], error);
	}
	good = good && write_page(sections, count, error);
	for (unsigned i = 0; i < count; i++)
		free_part(&parts[i]);
	free(parts);
	free(sections);
	return good;
}

static int run(char **args, unsigned count)
{
	struct error error;
	struct peers peers = {0};
	struct db *db;
	bool good;

	if (!verb_peers(&peers, o.peers))
		return EXIT_RUN_INVALID;
	good = open_storage(&db);
	if (!good)
		error_store(&error, "there is no report without the database (--no-db makes one)");
	good = good && make_page(args, count, db, &peers, &error);
	if (good)
		printf("written: %s\n", o.output);
	else
		complain("%s", error.text);
	db_close(db);
	peers_free(&peers);
	return good ? 0 : EXIT_RUN_INVALID;
}

const struct verb verb_report = {
	.name = "report",
	.summary = "write results as one HTML page with charts",
	.args = "RESULT...",
	.doc = "Write one HTML page that needs nothing else: summary, distribution of each case, comparison with a "
	       "baseline, "
	       "histories from the database, facts of the machine and the programs.",
	.examples = "  hbench report new.json\n"
		    "  hbench report --baseline results -o report.html ipc.json sm.json sched.json\n"
		    "  hbench report --baseline a.json --no-db b.json\n"
		    "  hbench report --peers results/peers ipc.json\n",
	.options = options,
	.args_min = 1,
	.args_max = UINT32_MAX,
	.args_needed = "at least one result file is needed",
	.run = run,
};
