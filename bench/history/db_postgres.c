/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The database in PostgreSQL, through libpq. */
#include "history/db_driver.h"

#include <libpq-fe.h>
#include <stddef.h>
#include <string.h>

static bool complain_about(struct error *error, PGconn *connection, const char *what)
{
	const char *message = PQerrorMessage(connection);

	return error_set(error, "the database: %.100s: %.*s", what, (int)strcspn(message, "\n"), message);
}

/* Notices ("relation exists already, skipping") are none of the user's business. */
static void ignore(void *context, const char *message)
{
	(void)context;
	(void)message;
}

static void *open(const char *where, struct error *error)
{
	PGconn *connection = PQconnectdb(where);

	if (PQstatus(connection) == CONNECTION_OK) {
		PQsetNoticeProcessor(connection, ignore, NULL);
		return connection;
	}
	complain_about(error, connection, "cannot connect"); /* the address may hold a password */
	PQfinish(connection);
	return NULL;
}

static void close(void *handle)
{
	PQfinish(handle);
}

static void give_rows(const PGresult *answer, void (*row)(void *context, const char *const *columns), void *context)
{
	for (int i = 0; i < PQntuples(answer); i++) {
		const char *columns[DB_COLUMNS_MAX] = {0};

		for (int k = 0; k < PQnfields(answer) && k < DB_COLUMNS_MAX; k++)
			columns[k] = PQgetvalue(answer, i, k);
		row(context, columns);
	}
}

static bool run(void *handle, const char *sql, const char *const *values, int count,
		void (*row)(void *context, const char *const *columns), void *context, struct error *error)
{
	PGresult *answer = PQexecParams(handle, sql, count, NULL, values, NULL, NULL, 0);
	ExecStatusType status = PQresultStatus(answer);
	bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;

	if (!good)
		complain_about(error, handle, sql);
	else if (row)
		give_rows(answer, row, context);
	PQclear(answer);
	return good;
}

/* Neither CREATE TABLE IF NOT EXISTS nor SELECT before INSERT see what others do meanwhile. The lock, whose number
 * means nothing but hbench, ends with the transaction. */
static const char *const begin_write[] = {"BEGIN", "SELECT pg_advisory_xact_lock(7454210346)", NULL};

const struct db_driver db_postgres = {open, close, begin_write, run};
