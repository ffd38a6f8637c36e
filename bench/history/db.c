/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history/db.h"

#include "history/db_driver.h"
#include "history/db_finding.h"
#include "host/error.h"
#include "host/hash.h"
#include "host/mem.h"
#include "result/metric.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 1 was without hbench_settled, 2 without hbench_finding: what is missing is made. */
#define SCHEMA_VERSION "3"
#define SCHEMA_OLDEST 1

/* Both databases understand these. Dates are ISO 8601 in UTC, so their order as texts is that in time. */
static const char *const schema[] = {
	"CREATE TABLE IF NOT EXISTS hbench_schema (version INTEGER NOT NULL)",
	"CREATE TABLE IF NOT EXISTS hbench_result ("
	" id TEXT PRIMARY KEY," /* SHA-256 of the result as JSON */
	" machine TEXT NOT NULL, suite TEXT NOT NULL, metric TEXT NOT NULL, measured TEXT NOT NULL,"
	" revision TEXT NOT NULL, kernel TEXT NOT NULL, kernel_sha256 TEXT NOT NULL, boots INTEGER NOT NULL,"
	" json TEXT NOT NULL)",
	"CREATE TABLE IF NOT EXISTS hbench_measurement ("
	" result TEXT NOT NULL REFERENCES hbench_result (id) ON DELETE CASCADE,"
	" name TEXT NOT NULL, value DOUBLE PRECISION NOT NULL,"
	" min BIGINT NOT NULL, p50 BIGINT NOT NULL, p99 BIGINT NOT NULL, max BIGINT NOT NULL, n BIGINT NOT NULL,"
	" PRIMARY KEY (result, name))",
	"CREATE TABLE IF NOT EXISTS hbench_settled ("
	" machine TEXT NOT NULL, metric TEXT NOT NULL, name TEXT NOT NULL,"
	" measured TEXT NOT NULL, result TEXT NOT NULL, results BIGINT NOT NULL, changes TEXT NOT NULL,"
	" PRIMARY KEY (machine, metric, name))",
	"CREATE TABLE IF NOT EXISTS hbench_finding ("
	" result TEXT NOT NULL REFERENCES hbench_result (id) ON DELETE CASCADE,"
	" name TEXT NOT NULL, weight TEXT NOT NULL, state TEXT NOT NULL, amount BIGINT," /* amount: or NULL */
	" PRIMARY KEY (result, name))",
	"CREATE INDEX IF NOT EXISTS hbench_measurement_name ON hbench_measurement (name)",
	"INSERT INTO hbench_schema (version) SELECT " SCHEMA_VERSION
	" WHERE NOT EXISTS (SELECT 1 FROM hbench_schema)",
	"UPDATE hbench_schema SET version = " SCHEMA_VERSION " WHERE version < " SCHEMA_VERSION,
};

static bool run(struct db *db, const char *sql, struct error *error)
{
	return db->driver->run(db->handle, sql, NULL, 0, NULL, NULL, error);
}

/* Keeps what was written when all went well; else nothing has happened. */
static bool end_write(struct db *db, bool good, struct error *error)
{
	struct error ignored;

	if (good && run(db, "COMMIT", error))
		return true;
	if (!run(db, "ROLLBACK", &ignored))
		complain("%s", ignored.text);
	return false;
}

static bool begin_write(struct db *db, struct error *error)
{
	const char *const *statement = db->driver->begin_write;

	if (!run(db, *statement, error))
		return false;
	while (*++statement)
		if (!run(db, *statement, error))
			return end_write(db, false, error);
	return true;
}

static void keep_version(void *context, const char *const *columns)
{
	snprintf(context, 16, "%s", columns[0]);
}

static bool find_version(struct db *db, char version[16], struct error *error)
{
	version[0] = '\0';
	return db->driver->run(db->handle, "SELECT version FROM hbench_schema", NULL, 0, keep_version, version,
			       error);
}

static bool make_tables(struct db *db, struct error *error)
{
	bool good = begin_write(db, error);

	if (!good)
		return false;
	for (size_t i = 0; good && i < array_size(schema); i++)
		good = run(db, schema[i], error);
	return end_write(db, good, error);
}

static bool is_earlier(const char *version)
{
	long number = strtol(version, NULL, 10);

	return number >= SCHEMA_OLDEST && number < strtol(SCHEMA_VERSION, NULL, 10);
}

/* Who finds the tables needs no right to make any. */
static bool check_schema(struct db *db, struct error *error)
{
	char version[16];
	struct error ignored;

	if ((!find_version(db, version, &ignored) || !*version || is_earlier(version)) &&
	    (!make_tables(db, error) || !find_version(db, version, error)))
		return false;
	return !strcmp(version, SCHEMA_VERSION) ||
	       error_set(error, "the database has tables of version %s and this hbench knows " SCHEMA_VERSION,
			 version);
}

static bool is_postgres(const char *where)
{
	return !strncmp(where, "postgresql://", 13) || !strncmp(where, "postgres://", 11);
}

struct db *db_open(const char *where, struct error *error)
{
	struct db *db = xcalloc(1, sizeof(*db));

	db->driver = is_postgres(where) ? &db_postgres : &db_sqlite;
	db->handle = db->driver->open(where, error);
	if (db->handle && check_schema(db, error))
		return db;
	db_close(db);
	return NULL;
}

void db_close(struct db *db)
{
	if (db && db->handle)
		db->driver->close(db->handle);
	free(db);
}

char *db_default(void)
{
	const char *named = getenv("HBENCH_DB"), *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (named && *named)
		return strcmp(named, "none") ? xstrdup(named) : NULL;
	if (data && *data)
		return xasprintf("%s/hbench/history.db", data);
	return home && *home ? xasprintf("%s/.local/share/hbench/history.db", home) : NULL;
}

/* --- storing --- */

struct measurement_values {
	char value[32], min[24], p50[24], p99[24], max[24], n[24];
};

static void number(char out[24], uint64_t value)
{
	snprintf(out, 24, "%ju", (uintmax_t)value);
}

static struct measurement_values values_of(const struct metric *metric, const struct benchmark *b)
{
	const struct sample *s = &b->merged;
	struct measurement_values v;
	double value = metric->exact ? estimator_value(metric->estimator, s)
				     : estimator_mean(metric->estimator, b->boots, b->boot_count);

	snprintf(v.value, sizeof(v.value), "%.17g", value);
	number(v.min, sample_whole_ticks(s, s->min));
	number(v.p50, sample_whole_ticks(s, s->p50));
	number(v.p99, sample_whole_ticks(s, s->p99));
	number(v.max, sample_whole_ticks(s, s->max));
	number(v.n, s->n);
	return v;
}

static bool store_measurements(struct db *db, const char *id, const struct result *r, const struct metric *metric,
			       struct error *error)
{
	static const char sql[] = "INSERT INTO hbench_measurement (result, name, value, min, p50, p99, max, n)"
				  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

	for (size_t i = 0; i < r->count; i++) {
		struct measurement_values v = values_of(metric, &r->benchmarks[i]);
		const char *const values[] = {id, r->benchmarks[i].name, v.value, v.min, v.p50, v.p99, v.max, v.n};

		if (!db->driver->run(db->handle, sql, values, array_size(values), NULL, NULL, error))
			return false;
	}
	return true;
}

static bool store_result(struct db *db, const char *id, const struct result *r, const char *json, struct error *error)
{
	static const char sql[] = "INSERT INTO hbench_result (id, machine, suite, metric, measured, revision, "
				  "kernel, kernel_sha256, boots, json)"
				  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
	char boots[24];
	const char *const values[] = {id,
				      result_text(r, "machine"),
				      result_text(r, "suite"),
				      result_text(r, "metric"),
				      result_text(r, "date"),
				      result_text(r, "git_revision"),
				      result_text(r, "kernel_boot_line"),
				      result_text(r, "kernel_sha256"),
				      boots,
				      json};

	number(boots, (uint64_t)json_integer_value(json_object_get(r->context, "boots")));
	return db->driver->run(db->handle, sql, values, array_size(values), NULL, NULL, error);
}

static void note_found(void *context, const char *const *columns)
{
	(void)columns;
	*(bool *)context = true;
}

static bool is_there(struct db *db, const char *id, bool *there, struct error *error)
{
	*there = false;
	return db->driver->run(db->handle, "SELECT 1 FROM hbench_result WHERE id = $1", &id, 1, note_found, there,
			       error);
}

/* What was settled without knowing an older result is to be looked at again. */
static bool unsettle(struct db *db, const struct result *r, struct error *error)
{
	static const char sql[] = "DELETE FROM hbench_settled WHERE machine = $1 AND metric = $2 AND measured >= $3";
	const char *const values[] = {result_text(r, "machine"), result_text(r, "metric"), result_text(r, "date")};

	return db->driver->run(db->handle, sql, values, array_size(values), NULL, NULL, error);
}

/* All of it or nothing; nothing as well when another has stored it. */
static bool store_new(struct db *db, const char *id, const struct result *r, const char *json,
		      const struct metric *metric, bool *there, struct error *error)
{
	bool good = begin_write(db, error);

	if (!good)
		return false;
	good = is_there(db, id, there, error) &&
	       (*there || (store_result(db, id, r, json, error) && store_measurements(db, id, r, metric, error) &&
			   db_finding_store(db, id, r, error) && unsettle(db, r, error)));
	return end_write(db, good, error);
}

bool db_store(struct db *db, const struct result *result, bool *is_new, struct error *error)
{
	const struct metric *metric = metric_find(result_text(result, "metric"));
	json_t *root = result_to_json(result);
	char *json = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS), id[65];
	bool there = false, good = json && metric;

	if (!good)
		error_store(error, "the result cannot be stored: its metric is not known");
	if (good && result_traced(result))
		good = error_set(error, "the kernel was traced meanwhile: such numbers are no part of its history");
	good = good && (hash_sha256(json, strlen(json), id) || error_set(error, "cannot compute a SHA-256"));
	good = good && is_there(db, id, &there, error) &&
	       (there || store_new(db, id, result, json, metric, &there, error));
	if (is_new)
		*is_new = !there;
	free(json);
	json_decref(root);
	return good;
}

/* --- asking --- */

struct reading {
	void (*series)(void *context, const char *machine, const char *metric);
	void (*point)(void *context, const struct db_point *point);
	void *context;
};

static void series_row(void *context, const char *const *c)
{
	const struct reading *r = context;

	r->series(r->context, c[0], c[1]);
}

bool db_series(struct db *db, const char *machine, const char *name,
	       void (*series)(void *context, const char *machine, const char *metric), void *context,
	       struct error *error)
{
	static const char sql[] = "SELECT DISTINCT r.machine, r.metric FROM hbench_measurement m JOIN hbench_result "
				  "r ON r.id = m.result"
				  " WHERE m.name = $1 AND ($2 = '' OR r.machine = $3) ORDER BY r.machine, r.metric";
	const char *const values[] = {name, machine ? machine : "", machine ? machine : ""};
	struct reading reading = {.series = series, .context = context};

	return db->driver->run(db->handle, sql, values, array_size(values), series_row, &reading, error);
}

static void history_row(void *context, const char *const *c)
{
	const struct reading *r = context;
	struct db_point point = {
		.metric = c[0],
		.date = c[1],
		.revision = c[2],
		.kernel = c[3],
		.kernel_sha256 = c[4],
		.result_id = c[5],
		.value = strtod(c[6], NULL),
		.min = strtoull(c[7], NULL, 10),
		.p50 = strtoull(c[8], NULL, 10),
		.p99 = strtoull(c[9], NULL, 10),
		.max = strtoull(c[10], NULL, 10),
		.n = strtoull(c[11], NULL, 10),
		.boots = (unsigned)strtoul(c[12], NULL, 10),
	};

	r->point(r->context, &point);
}

bool db_history(struct db *db, const char *machine, const char *metric, const char *name, const struct db_place *from,
		void (*point)(void *context, const struct db_point *point), void *context, struct error *error)
{
	static const char sql[] =
		"SELECT r.metric, r.measured, r.revision, r.kernel, r.kernel_sha256, r.id, m.value, m.min, m.p50,"
		" m.p99, m.max, m.n, r.boots FROM hbench_measurement m JOIN hbench_result r ON r.id = m.result"
		" WHERE m.name = $1 AND r.machine = $2 AND r.metric = $3"
		" AND (r.measured > $4 OR (r.measured = $5 AND r.id >= $6)) ORDER BY r.measured, r.id";
	const char *const values[] = {name, machine, metric, from->measured, from->measured, from->result};
	struct reading reading = {.point = point, .context = context};

	return db->driver->run(db->handle, sql, values, array_size(values), history_row, &reading, error);
}

static void place_row(void *context, const char *const *c)
{
	struct db_place *place = context;

	snprintf(place->measured, sizeof(place->measured), "%s", c[0]);
	snprintf(place->result, sizeof(place->result), "%s", c[1]);
}

bool db_latest(struct db *db, const char *machine, const char *metric, const char *name, size_t last,
	       struct db_place *from, struct error *error)
{
	static const char sql[] =
		"SELECT r.measured, r.id FROM hbench_measurement m JOIN hbench_result r ON r.id = m.result"
		" WHERE m.name = $1 AND r.machine = $2 AND r.metric = $3"
		" ORDER BY r.measured DESC, r.id DESC LIMIT 1 OFFSET CAST($4 AS INTEGER)";
	char offset[24];
	const char *const values[] = {name, machine, metric, offset};

	*from = (struct db_place){0};
	number(offset, last ? last - 1 : 0);
	return db->driver->run(db->handle, sql, values, array_size(values), place_row, from, error);
}

static void count_row(void *context, const char *const *c)
{
	*(size_t *)context = strtoull(c[0], NULL, 10);
}

bool db_settle(struct db *db, const char *machine, const char *metric, const char *name,
	       const struct db_settled *settled, struct error *error)
{
	static const char count[] =
		"SELECT COUNT(*) FROM hbench_measurement m JOIN hbench_result r ON r.id = m.result"
		" WHERE r.machine = $1 AND r.metric = $2 AND m.name = $3"
		" AND (r.measured < $4 OR (r.measured = $5 AND r.id < $6))";
	static const char drop[] = "DELETE FROM hbench_settled WHERE machine = $1 AND metric = $2 AND name = $3",
			  add[] = "INSERT INTO hbench_settled (machine, metric, name, measured, result, results, "
				  "changes) VALUES ($1, $2, $3, $4, $5, $6, $7)";
	char results[24];
	const struct db_place *next = &settled->next;
	const char *const series[] = {machine, metric, name, next->measured, next->measured, next->result};
	const char *const values[] = {machine, metric, name, next->measured, next->result, results, settled->changes};
	size_t before = 0;
	bool good = begin_write(db, error);

	if (!good)
		return false;
	number(results, settled->results);
	good = db->driver->run(db->handle, count, series, array_size(series), count_row, &before, error);
	if (good && before == settled->results)
		good = db->driver->run(db->handle, drop, values, 3, NULL, NULL, error) &&
		       db->driver->run(db->handle, add, values, array_size(values), NULL, NULL, error);
	return end_write(db, good, error);
}

static void settled_row(void *context, const char *const *c)
{
	struct db_settled *settled = context;

	place_row(&settled->next, c);
	settled->results = strtoull(c[2], NULL, 10);
	settled->changes = xstrdup(c[3]);
}

bool db_settled(struct db *db, const char *machine, const char *metric, const char *name, struct db_settled *settled,
		struct error *error)
{
	static const char sql[] = "SELECT measured, result, results, changes FROM hbench_settled"
				  " WHERE machine = $1 AND metric = $2 AND name = $3";
	const char *const values[] = {machine, metric, name};

	*settled = (struct db_settled){0};
	return db->driver->run(db->handle, sql, values, array_size(values), settled_row, settled, error);
}

struct listing {
	void (*row)(void *context, const char *machine, const char *metric, const char *name, unsigned results,
		    const char *last);
	void *context;
};

static void list_row(void *context, const char *const *c)
{
	const struct listing *l = context;

	l->row(l->context, c[0], c[1], c[2], (unsigned)strtoul(c[3], NULL, 10), c[4]);
}

bool db_list(struct db *db, const char *suite,
	     void (*row)(void *context, const char *machine, const char *metric, const char *name, unsigned results,
			 const char *last),
	     void *context, struct error *error)
{
	static const char sql[] =
		"SELECT r.machine, r.metric, m.name, COUNT(*), MAX(r.measured) FROM hbench_measurement m"
		" JOIN hbench_result r ON r.id = m.result WHERE $1 = '' OR r.suite = $2"
		" GROUP BY r.machine, r.metric, m.name ORDER BY r.machine, r.metric, m.name";
	const char *const values[] = {suite ? suite : "", suite ? suite : ""};
	struct listing listing = {row, context};

	return db->driver->run(db->handle, sql, values, array_size(values), list_row, &listing, error);
}

static void keep_json(void *context, const char *const *columns)
{
	*(char **)context = xstrdup(columns[0]);
}

bool db_load(struct db *db, const char *result_id, struct result *result, struct error *error)
{
	char *json = NULL;
	json_t *root;
	bool good;

	*result = (struct result){0};
	if (!db->driver->run(db->handle, "SELECT json FROM hbench_result WHERE id = $1", &result_id, 1, keep_json,
			     &json, error))
		return false;
	if (!json)
		return error_set(error, "the database has no result %.80s", result_id);
	root = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	free(json);
	good = result_from_json(result, root, error);
	json_decref(root);
	return good;
}
