/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What several verbs do alike. */
#include "cmd/verbs.h"

#include "history/db.h"
#include "host/error.h"
#include "host/mem.h"
#include "stats/machine_identity.h"

#include <stdlib.h>

const struct suite *verb_suite_of(const struct result *result, struct suite *storage)
{
	struct error ignored;

	return suite_load_for(storage, result_text(result, "suite"), result_text(result, "machine"), &ignored)
		       ? storage
		       : NULL;
}

bool verb_peers(struct peers *peers, const char *path)
{
	struct error error;

	*peers = (struct peers){0};
	if (!path || peers_load(peers, path, &error))
		return true;
	complain("%s", error.text);
	return false;
}

struct db *verb_open_db(const char *where)
{
	char *fallback = where ? NULL : db_default();
	struct db *db = NULL;
	struct error error;

	if (where || fallback)
		db = db_open(where ? where : fallback, &error);
	else
		error_store(&error, "there is no database: say which with --db or HBENCH_DB");
	if (!db)
		complain("%s", error.text);
	free(fallback);
	return db;
}

static bool keep_in(const char *where, const struct result *result, struct error *error)
{
	struct db *db = db_open(where, error);
	bool good = db && db_store(db, result, NULL, error);

	db_close(db);
	return good;
}

bool verb_take_probe(const char *path, struct result *result)
{
	size_t tally[FINDING_WEIGHTS];
	struct result probe;
	struct error error;
	bool good;

	if (!path)
		return true;
	good = result_load(&probe, path, &error);
	if (good && !finding_tally(&probe, tally))
		good = error_set(&error, "%s is no result of the probe", path);
	if (good && result)
		good = machine_identity_take_findings(result, &probe, &error);
	if (!good)
		complain("--probe: %s", error.text);
	result_free(&probe);
	return good;
}

/* Who did not ask for a database gets a note when it cannot be used, not an error: the result has its file. */
bool verb_keep(const struct verb_storage *storage, const struct result *result)
{
	bool none = storage->none || result_traced(result);
	char *where = none ? NULL : storage->db ? xstrdup(storage->db) : db_default();
	struct error error;
	bool good = !where || keep_in(where, result, &error);

	if (storage->db && !storage->none && none)
		complain("note: results of traced runs are not kept in the database");
	if (!good)
		complain("%sthe result is in its file only: %.900s", storage->db ? "" : "note: ", error.text);
	free(where);
	return good || !storage->db;
}
