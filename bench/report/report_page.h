/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results as one self-contained HTML page: summary, verdicts, distributions, histories, facts of the machine. */
#pragma once

#include "history/db.h"
#include "result/peers.h"
#include "stats/compare.h"

#include <stddef.h>
#include <stdio.h>

struct report_section {
	const struct result *result;
	const struct comparison *comparison; /* with its baseline as A; NULL: there is none */
	const struct suite *suite;           /* NULL: not known */
	const struct peers *peers;           /* other systems; NULL: none */
	struct db *db;                       /* for histories; NULL: none */
	size_t index;                        /* among all sections */
};

void report_page(FILE *out, const struct report_section *sections, size_t count);
