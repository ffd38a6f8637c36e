/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the probe found out about the machines of stored results. */
#pragma once

#include "history/db.h"

/* Part of storing a result, within its transaction. */
bool db_finding_store(struct db *db, const char *id, const struct result *result, struct error *error) must_check;

/* How two results' machines differ, by what the probe found out: calls back for each state or weight that is not the
 * same, in the order of names. Results without findings differ in nothing. */
bool db_finding_differences(struct db *db, const char *result_a, const char *result_b,
			    void (*differs)(void *context, const char *name, const char *a, const char *b),
			    void *context, struct error *error) must_check;
