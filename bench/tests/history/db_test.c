/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usage: hbench_db_test [URL]: with SQLite in a temporary folder, or with the empty database that the URL names. */
#include "test.h"

#include "history/db.h"
#include "history/db_driver.h"
#include "history/db_finding.h"
#include "history/history.h"
#include "host/file.h"
#include "host/mem.h"
#include "result/finding.h"

#include "build.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/hbench-db-XXXXXX";
static const char *url;
static char *where;

static struct db *open_db(void)
{
	struct error error;
	struct db *db = db_open(where, &error);

	if (!db)
		fail_msg("%s", error.text);
	return db;
}

UNIT_FIXTURE(set_up)
{
	assert_non_null(mkdtemp(folder));
	where = url ? xstrdup(url) : xasprintf("%s/deeper/history.db", folder);
	return 0;
}

UNIT_FIXTURE(tear_down)
{
	char *file = xasprintf("%s/deeper/history.db", folder), *deeper = xasprintf("%s/deeper", folder);

	unlink(file);
	rmdir(deeper);
	rmdir(folder);
	free(file);
	free(deeper);
	free(where);
	return 0;
}

static void store(struct db *db, const char *machine, const char *metric, unsigned day, uint64_t value, bool wanted)
{
	char date[40], revision[20];
	struct result r;
	struct error error;
	bool is_new;

	snprintf(date, sizeof(date), "2024-01-%02uT00:00:00+00:00", day);
	snprintf(revision, sizeof(revision), "rev%u", day);
	result_init(&r, machine, "ipc", metric);
	result_set_text(&r, "date", date);
	result_set_text(&r, "git_revision", revision);
	result_set_text(&r, "kernel_boot_line", "It's \"quoted\"; DROP TABLE hbench_result");
	result_set_number(&r, "boots", 2);
	build_constant(&r, "ipc/null", value, 64);
	build_constant(&r, "ipc/null", value + 2, 64);
	build_constant(&r, "ipc/other", 7, 64);
	result_merge(&r);
	if (!db_store(db, &r, &is_new, &error))
		fail_msg("%s", error.text);
	assert_true(is_new == wanted);
	result_free(&r);
}

static struct history *load(struct db *db, const char *machine, size_t last, size_t *count)
{
	struct error error;
	struct history *list = histories_load(db, machine, "ipc/null", last, count, &error);

	if (!list)
		fail_msg("%s", error.text);
	return list;
}

UNIT_TEST(stores_once)
{
	struct db *db = open_db();

	store(db, "m", "instructions", 2, 41, true);
	store(db, "m", "instructions", 1, 40, true);
	store(db, "m", "instructions", 2, 41, false);
	store(db, "n", "ticks", 1, 100, true);
	db_close(db);
	db = open_db(); /* and keeps it */
	store(db, "m", "instructions", 1, 40, false);
	db_close(db);
}

UNIT_TEST(history_is_in_order)
{
	struct db *db = open_db();
	struct history *list;
	size_t count;

	list = load(db, NULL, 100, &count);
	assert_int_equal(count, 2);
	assert_string_equal(list[0].machine, "m");
	assert_int_equal(list[0].count, 2);
	assert_string_equal(list[0].points[0].revision, "rev1");
	assert_true(list[0].points[0].value == 40 && list[0].points[1].value == 41);
	assert_int_equal(list[0].points[1].max, 43);
	assert_int_equal(list[0].points[1].boots, 2);
	assert_int_equal(list[0].change_count, 1);
	assert_int_equal(list[0].changes[0], 1);
	assert_string_equal(list[1].machine, "n");
	assert_true(list[1].points[0].value == 101); /* mean of the boots' medians */
	assert_string_equal(list[1].points[0].kernel, "It's \"quoted\"; DROP TABLE hbench_result");
	histories_free(list, count);
	list = load(db, "m", 1, &count);
	assert_int_equal(count, 1);
	assert_int_equal(list[0].count, 1);
	assert_string_equal(list[0].points[0].revision, "rev2");
	histories_free(list, count);
	list = load(db, "nobody's", 1, &count);
	assert_int_equal(count, 0);
	histories_free(list, count);
	db_close(db);
}

/* The n-th result of a long series, with noise; the level is 10000 until it changes. */
static void store_long(struct db *db, unsigned n, uint64_t level)
{
	static unsigned random = 1;
	char date[40];
	struct result r;
	struct error error;

	random = random * 1103515245 + 12345;
	snprintf(date, sizeof(date), "2%03u-01-01T00:00:00+00:00", n);
	result_init(&r, "long", "ipc", "ticks");
	result_set_text(&r, "date", date);
	result_set_text(&r, "git_revision", date);
	build_constant(&r, "ipc/long", level + (random >> 16) % 100, 1);
	result_merge(&r);
	assert_true(db_store(db, &r, NULL, &error));
	result_free(&r);
}

static uint64_t long_level(unsigned n)
{
	return n < 120 ? 10000 : n < 295 ? 10500 : 10200;
}

/* The revisions at which a history says that it changed, one behind the other; the settled ones in brackets. */
static char *changes_of(struct db *db, size_t last)
{
	struct error error;
	size_t count, size;
	struct history *list = histories_load(db, "long", "ipc/long", last, &count, &error);
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	if (!list)
		fail_msg("%s", error.text);
	assert_int_equal(count, 1);
	for (size_t i = 0; i < list->earlier_count; i++)
		fprintf(out, "[%.4s %.0f]", list->earlier[i].revision, floor(list->earlier[i].after / 100) * 100);
	for (size_t i = 0; i < list->change_count; i++)
		fprintf(out, "%.4s ", list->points[list->changes[i]].revision);
	fclose(out);
	histories_free(list, count);
	return text;
}

static void changes_are(struct db *db, size_t last, const char *wanted)
{
	char *text = changes_of(db, last);

	if (strcmp(text, wanted))
		fail_msg("changes \"%s\" instead of \"%s\"", text, wanted);
	free(text);
}

/* Places that are settled are not read again; what comes later is found, and what came from before starts anew. */
UNIT_TEST(long_series)
{
	struct db *db = open_db();
	struct db_settled settled;
	struct error error;

	for (unsigned n = 10; n < 280; n++)
		store_long(db, n, long_level(n));
	changes_are(db, 5000, "2120 ");
	assert_true(db_settled(db, "long", "ticks", "ipc/long", &settled, &error));
	assert_string_equal(settled.next.measured, "2120-01-01T00:00:00+00:00");
	assert_int_equal(settled.results, 110);
	free(settled.changes);
	for (unsigned n = 280; n < 330; n++)
		store_long(db, n, long_level(n));
	changes_are(db, 5000, "2120 2295 ");
	changes_are(db, 60, "[2120 10500]2295 ");
	changes_are(db, 60, "[2120 10500]2295 ");
	/* An older result from elsewhere: what was settled does not hold any more, and is found again. */
	store_long(db, 1, 10000);
	assert_true(db_settled(db, "long", "ticks", "ipc/long", &settled, &error));
	assert_null(settled.changes);
	changes_are(db, 5000, "2120 2295 ");
	/* Who did not know that result may not settle anything. */
	settled = (struct db_settled){{"2200-01-01T00:00:00+00:00", ""}, 7, (char *)"[]"};
	assert_true(db_settle(db, "long", "ticks", "ipc/long", &settled, &error));
	assert_true(db_settled(db, "long", "ticks", "ipc/long", &settled, &error));
	assert_int_equal(settled.results, 111);
	free(settled.changes);
	db_close(db);
}

UNIT_TEST(comes_back_whole)
{
	struct db *db = open_db();
	struct history *list;
	struct result r;
	struct error error;
	size_t count;

	list = load(db, "m", 100, &count);
	if (!db_load(db, list[0].points[0].result_id, &r, &error))
		fail_msg("%s", error.text);
	assert_int_equal(r.count, 2);
	assert_int_equal(r.benchmarks[0].boot_count, 2);
	assert_int_equal(r.benchmarks[0].merged.max, 42);
	result_free(&r);
	assert_false(db_load(db, "nothing", &r, &error));
	assert_non_null(strstr(error.text, "no result"));
	histories_free(list, count);
	db_close(db);
}

static void list_row(void *context, const char *machine, const char *metric, const char *name, unsigned results,
		     const char *last)
{
	char *text = context;

	sprintf(text + strlen(text), "%s %s %s %u %.10s\n", machine, metric, name, results, last);
}

UNIT_TEST(lists)
{
	struct db *db = open_db();
	char text[1000] = "";
	struct error error;

	assert_true(db_list(db, NULL, list_row, text, &error));
	assert_string_equal(text, "m instructions ipc/null 2 2024-01-02\nm instructions ipc/other 2 2024-01-02\n"
				  "n ticks ipc/null 1 2024-01-01\nn ticks ipc/other 1 2024-01-01\n");
	text[0] = '\0';
	assert_true(db_list(db, "nothing", list_row, text, &error));
	assert_string_equal(text, "");
	db_close(db);
}

static void store_findings(struct db *db, const char *date, const char *turbo, enum finding_weight smis)
{
	struct finding state = {.name = "turbo"}, amount = {.name = "smis", .weight = smis, .counted = true};
	struct finding same = {.name = "screen", .state = "none"};
	struct result r;
	struct error error;

	strcpy(state.state, turbo);
	result_init(&r, "found", "ipc", "ticks");
	result_set_text(&r, "date", date);
	build_constant(&r, "ipc/null", 100, 64);
	result_merge(&r);
	finding_keep(&r, &state);
	finding_keep(&r, &amount);
	finding_keep(&r, &same);
	if (!db_store(db, &r, NULL, &error))
		fail_msg("%s", error.text);
	result_free(&r);
}

static void note_finding(void *text, const char *name, const char *a, const char *b)
{
	size_t used = strlen(text);

	snprintf((char *)text + used, 200 - used, "%s:%s:%s ", name, a, b);
}

UNIT_TEST(findings)
{
	struct db *db = open_db();
	struct history *h;
	char text[200] = "";
	struct result read;
	struct finding f;
	struct error error;
	size_t count;

	store_findings(db, "2024-01-01", "off", FINDING_FACT);
	store_findings(db, "2024-01-02", "off", FINDING_NOTE);
	store_findings(db, "2024-01-03", "on", FINDING_DOUBT);
	h = load(db, "found", 10, &count);
	assert_int_equal(h->count, 3);
	assert_true(db_finding_differences(db, h->points[0].result_id, h->points[1].result_id, note_finding, text,
					   &error));
	assert_string_equal(text, "");
	assert_true(db_finding_differences(db, h->points[1].result_id, h->points[2].result_id, note_finding, text,
					   &error));
	assert_string_equal(text, "smis:0:0 turbo:off:on ");
	assert_true(db_load(db, h->points[2].result_id, &read, &error));
	assert_true(finding_of(&read, "turbo", &f));
	result_free(&read);
	histories_free(h, count);
	db_close(db);
}

/* A database of an earlier hbench gets the tables that it lacks. */
UNIT_TEST(earlier_tables)
{
	static const struct {
		const char *version, *drop;
	} earlier[] = {{"1", "DROP TABLE hbench_settled"}, {"2", "DROP TABLE hbench_finding"}};
	const struct db_driver *driver = url ? &db_postgres : &db_sqlite;
	struct db_settled settled;
	struct error error;
	struct db *db;
	void *handle;

	db_close(open_db());
	for (size_t i = 0; i < array_size(earlier); i++) {
		char *back = xasprintf("UPDATE hbench_schema SET version = %s", earlier[i].version);

		handle = driver->open(where, &error);
		for (size_t k = i; k < array_size(earlier); k++) /* and what came later still */
			assert_true(driver->run(handle, earlier[k].drop, NULL, 0, NULL, NULL, &error));
		assert_true(driver->run(handle, back, NULL, 0, NULL, NULL, &error));
		driver->close(handle);
		db = open_db();
		assert_true(db_settled(db, "nobody", "ticks", "ipc/null", &settled, &error));
		assert_null(settled.changes);
		assert_true(db_finding_differences(db, "a", "b", note_finding, NULL, &error));
		db_close(db);
		free(back);
	}
	handle = driver->open(where, &error);
	assert_true(driver->run(handle, "UPDATE hbench_schema SET version = 4", NULL, 0, NULL, NULL, &error));
	driver->close(handle);
	assert_null(db_open(where, &error));
	assert_non_null(strstr(error.text, "tables of version 4"));
	handle = driver->open(where, &error);
	assert_true(driver->run(handle, "UPDATE hbench_schema SET version = 3", NULL, 0, NULL, NULL, &error));
	driver->close(handle);
}

UNIT_TEST(databases_that_are_none)
{
	struct error error;
	char *text = xasprintf("%s/text.db", folder);

	assert_null(db_open("/proc/nothing/history.db", &error));
	assert_true(strlen(error.text) > 20);
	assert_null(db_open("postgresql://nobody@127.0.0.1:1/none", &error));
	assert_non_null(strstr(error.text, "cannot connect"));
	assert_true(file_replace(text, "this is no database, but long enough to look at", 47, &error));
	assert_null(db_open(text, &error));
	assert_non_null(strstr(error.text, "not a database"));
	unlink(text);
	free(text);
}

UNIT_TEST(default_place)
{
	char *place;

	setenv("HBENCH_DB", "/x/y.db", 1);
	place = db_default();
	assert_string_equal(place, "/x/y.db");
	free(place);
	setenv("HBENCH_DB", "none", 1);
	assert_null(db_default());
	unsetenv("HBENCH_DB");
	setenv("XDG_DATA_HOME", "/data", 1);
	place = db_default();
	assert_string_equal(place, "/data/hbench/history.db");
	free(place);
	unsetenv("XDG_DATA_HOME");
	setenv("HOME", "/users/me", 1);
	place = db_default();
	assert_string_equal(place, "/users/me/.local/share/hbench/history.db");
	free(place);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stores_once),      cmocka_unit_test(history_is_in_order),
		cmocka_unit_test(comes_back_whole), cmocka_unit_test(lists),
		cmocka_unit_test(long_series),      cmocka_unit_test(findings),
		cmocka_unit_test(earlier_tables),   cmocka_unit_test(databases_that_are_none),
		cmocka_unit_test(default_place),
	};

	url = argc > 1 ? argv[1] : NULL;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
