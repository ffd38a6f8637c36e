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

/* All points of a benchmark on a machine, oldest first. machine: NULL for all machines' (in the order of their
 * names). */
bool db_history(struct db *db, const char *machine, const char *name,
		void (*point)(void *context, const char *machine, const struct db_point *point), void *context,
		struct error *error) must_check;

/* What there is: machines, suites and names with the number of results. */
bool db_list(struct db *db, const char *suite,
	     void (*row)(void *context, const char *machine, const char *metric, const char *name, unsigned results,
			 const char *last),
	     void *context, struct error *error) must_check;

/* Loads a result as it was stored. */
bool db_load(struct db *db, const char *result_id, struct result *result, struct error *error) must_check;
