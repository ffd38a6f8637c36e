/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `hbench store`: adds results to the database. */
#include "cmd/verbs.h"
#include "history/db.h"
#include "host/error.h"
#include "host/exit_code.h"

#include <stdint.h>
#include <stdio.h>

static struct {
	const char *db;
} o;

static const struct option_spec options[] = {
	OPTION_DB(o.db),
	OPTION_END,
};

static bool store_one(struct db *db, const char *file)
{
	struct result result;
	struct error error;
	bool is_new, good;

	if (!result_load(&result, file, &error)) {
		complain("%s", error.text);
		return false;
	}
	good = db_store(db, &result, &is_new, &error);
	if (good)
		printf("%s: %s\n", is_new ? "stored" : "there already", file);
	else
		complain("%s: %s", file, error.text);
	result_free(&result);
	return good;
}

static int run(char **args, unsigned count)
{
	struct db *db = verb_open_db(o.db);
	bool good = db;

	for (unsigned i = 0; db && i < count; i++)
		good = store_one(db, args[i]) && good;
	db_close(db);
	return good ? EXIT_SAME_OR_BETTER : EXIT_RUN_INVALID;
}

const struct verb verb_store = {
	.name = "store",
	.summary = "keep results in the database of all results",
	.args = "RESULT...",
	.doc = "Keep results in the database that `hbench history` looks at. What `run` and `import` make is kept by "
	       "itself; this is for files that came from elsewhere. A result that is there already is not stored "
	       "again.",
	.examples = "  hbench store results/*/*.json\n"
		    "  hbench store --db postgresql://hbench@lab/hbench new.json\n",
	.options = options,
	.args_min = 1,
	.args_max = UINT32_MAX,
	.args_needed = "at least one result file is needed",
	.run = run,
};
