/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What db.c needs of a database: statements with text parameters $1, $2, ... and rows of texts. */
#pragma once

#include "host/error.h"

struct db_driver {
	void *(*open)(const char *where, struct error *error);
	void (*close)(void *handle);
	/* Statements that begin a transaction which may read and then write, one such at a time; NULL at the end. */
	const char *const *begin_write;
	/* row is called for each row of the answer; a NULL value comes as "". row may be NULL. */
	bool (*run)(void *handle, const char *sql, const char *const *values, int count,
		    void (*row)(void *context, const char *const *columns), void *context, struct error *error);
};

struct db {
	const struct db_driver *driver;
	void *handle;
};

extern const struct db_driver db_sqlite, db_postgres;

enum { DB_COLUMNS_MAX = 16 };
