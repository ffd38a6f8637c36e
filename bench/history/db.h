/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results of all times: SQLite in a file, or PostgreSQL for a lab with several machines. Both have the same tables
 * and are asked the same questions; a result that is stored twice is there once.
 */
#pragma once

#include "host/error.h"
#include "result/result.h"

#include <stdint.h>

struct db;

/* postgresql://... or the path of an SQLite file, which is created with its folder. NULL on error. */
struct db *db_open(const char *where, struct error *error) must_check;
void db_close(struct db *db);

/* $HBENCH_DB, else a file in the user's data folder; NULL when HBENCH_DB is "none" or there is no such folder. To be
 * freed. */
char *db_default(void);

/* Stores a result with all its boots. *is_new (or NULL): whether it was not there yet. */
bool db_store(struct db *db, const struct result *result, bool *is_new, struct error *error) must_check;

/* One result's number for a benchmark. Texts are valid during the call only. */
struct db_point {
	const char *metric, *date, *revision, *kernel, *kernel_sha256, *result_id;
	double value;
	uint64_t min, p50, p99, max, n;
	unsigned boots;
};

/* A place in the series of a benchmark's results: at this one. "" and "": before all. Texts are up to 64 characters.
 */
struct db_place {
	char measured[65], result[65];
};

/* What was found out about the beginning of a series and does not change any more. */
struct db_settled {
	struct db_place next; /* from where on it is still to be looked at */
	size_t results;       /* before that */
	char *changes;        /* as JSON; to be freed */
};

/* The series of a benchmark: one for each machine and metric. machine: NULL for all, in the order of their names. */
bool db_series(struct db *db, const char *machine, const char *name,
	       void (*series)(void *context, const char *machine, const char *metric), void *context,
	       struct error *error) must_check;

/* The points of a series from a place on, oldest first. */
bool db_history(struct db *db, const char *machine, const char *metric, const char *name, const struct db_place *from,
		void (*point)(void *context, const struct db_point *point), void *context,
		struct error *error) must_check;

/* Where the latest `last` points of a series begin. */
bool db_latest(struct db *db, const char *machine, const char *metric, const char *name, size_t last,
	       struct db_place *from, struct error *error) must_check;

/* Keeps what is settled, unless there are more results before that place by now. One that is stored later makes it
 * void: then there is none. */
bool db_settle(struct db *db, const char *machine, const char *metric, const char *name,
	       const struct db_settled *settled, struct error *error) must_check;
bool db_settled(struct db *db, const char *machine, const char *metric, const char *name, struct db_settled *settled,
		struct error *error) must_check;

/* What there is: machines, suites and names with the number of results. */
bool db_list(struct db *db, const char *suite,
	     void (*row)(void *context, const char *machine, const char *metric, const char *name, unsigned results,
			 const char *last),
	     void *context, struct error *error) must_check;

/* Loads a result as it was stored. */
bool db_load(struct db *db, const char *result_id, struct result *result, struct error *error) must_check;
