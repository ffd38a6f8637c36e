/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What hbench can be told to do: each verb is described and carried out in cmd/<verb>.c. */
#pragma once

#include "host/verb.h"
#include "result/peers.h"
#include "result/result.h"
#include "result/suite.h"

#include <stdbool.h>
#include <stddef.h>

extern const struct verb verb_list, verb_run_machine, verb_import, verb_show, verb_compare, verb_gate, verb_baseline,
	verb_export, verb_store, verb_history, verb_report, verb_fleet, verb_bisect;

/* The suite of a result, for goals and thresholds: NULL when it is not known here. Free with suite_free(). */
const struct suite *verb_suite_of(const struct result *result, struct suite *storage);

/* Other systems beside ours: the folder results/peers, or one of its files. */
#define OPTION_PEERS(out)                                                                                        \
	{                                                                                                        \
		"peers", 0, OPTION_TEXT, "FILE|DIR",                                                             \
			"Show what other systems need for the same, as results/peers has it", &(out), 0, 0, NULL \
	}

/* Loads what that option names, or nothing; false after a message. Free with peers_free() in either case. */
bool verb_peers(struct peers *peers, const char *path);

#define OPTION_PROBE(out)                                                                                          \
	{                                                                                                          \
		"probe", 0, OPTION_TEXT, "FILE",                                                                   \
			"Result of the probe on this machine: what it found out is kept with this result", &(out), \
			0, 0, NULL                                                                                 \
	}

/* Takes over what the probe of that option found out (NULL: nothing); without a result it only looks whether it can
 * be read. False after a message. */
bool verb_take_probe(const char *path, struct result *result);

/* Options of verbs that make results. */
struct verb_storage {
	const char *db;
	bool none;
};

#define OPTION_DB(out)                                                                                             \
	{                                                                                                          \
		"db", 0, OPTION_TEXT, "URL|FILE",                                                                  \
			"Database of all results: postgresql://..., or a file of SQLite ($HBENCH_DB, else one in " \
			"the user's data folder)",                                                                 \
			&(out), 0, 0, NULL                                                                         \
	}

#define OPTION_NO_DB(out, doc)                                         \
	{                                                              \
		"no-db", 0, OPTION_FLAG, NULL, doc, &(out), 0, 0, NULL \
	}

#define OPTIONS_STORAGE(s) OPTION_DB((s).db), OPTION_NO_DB((s).none, "Keep the result in its file only")

/* Keeps a result in the database; false, after a message, when one that the user named cannot be used. */
bool verb_keep(const struct verb_storage *storage, const struct result *result);

/* Opens the database of an option (NULL: the default one); NULL after a message. */
struct db *verb_open_db(const char *where);
