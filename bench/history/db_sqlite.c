/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The database in a file of SQLite. */
#include "history/db_driver.h"
#include "host/file.h"
#include "host/mem.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { BUSY_MS = 60000 };

static bool make_parent(const char *path, struct error *error)
{
	char *folder = xstrdup(path), *slash = strrchr(folder, '/');
	bool good = true;

	if (slash && slash != folder) {
		*slash = '\0';
		good = file_make_folders(folder, error);
	}
	free(folder);
	return good;
}

static bool complain_about(struct error *error, sqlite3 *handle, const char *what)
{
	return error_set(error, "the database: %.100s: %.500s", what, sqlite3_errmsg(handle));
}

static void *open(const char *where, struct error *error)
{
	sqlite3 *handle = NULL;

	if (!make_parent(where, error))
		return NULL;
	if (sqlite3_open(where, &handle) == SQLITE_OK && sqlite3_busy_timeout(handle, BUSY_MS) == SQLITE_OK &&
	    sqlite3_exec(handle, "PRAGMA foreign_keys = ON", NULL, NULL, NULL) == SQLITE_OK)
		return handle;
	complain_about(error, handle, where);
	sqlite3_close(handle);
	return NULL;
}

static void close(void *handle)
{
	sqlite3_close(handle);
}

static void give_row(sqlite3_stmt *statement, void (*row)(void *context, const char *const *columns), void *context)
{
	const char *columns[DB_COLUMNS_MAX] = {0};

	for (int i = 0; i < sqlite3_column_count(statement) && i < DB_COLUMNS_MAX; i++) {
		const unsigned char *text = sqlite3_column_text(statement, i);

		columns[i] = text ? (const char *)text : "";
	}
	row(context, columns);
}

static bool run(void *handle, const char *sql, const char *const *values, int count,
		void (*row)(void *context, const char *const *columns), void *context, struct error *error)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(handle, sql, -1, &statement, NULL);

	/* $1 is a name here, and numbered in order of appearance, which is the order of the values */
	for (int i = 0; i < count && code == SQLITE_OK; i++)
		code = sqlite3_bind_text(statement, i + 1, values[i], -1, SQLITE_STATIC);
	if (code == SQLITE_OK)
		while ((code = sqlite3_step(statement)) == SQLITE_ROW)
			if (row)
				give_row(statement, row, context);
	if (code != SQLITE_DONE)
		complain_about(error, handle, sql);
	sqlite3_finalize(statement);
	return code == SQLITE_DONE;
}

/* Who reads first and writes then would find the data changed in between, and fail without waiting. */
static const char *const begin_write[] = {"BEGIN IMMEDIATE", NULL};

const struct db_driver db_sqlite = {open, close, begin_write, run};
