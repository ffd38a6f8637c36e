/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which machine a result is of, beyond its name: results of different machines must not be compared. */
#pragma once

#include "result/result.h"

#include <stdio.h>

/* False, with the fields that differ, when the results are of different machines. Fields only one side has do not
 * count. */
bool machine_identity_same(const struct result *a, const struct result *b, struct error *error) must_check;

/* Writes a line for each thing that does not make it another machine, but is worth knowing when numbers differ. */
void machine_identity_print_differences(FILE *out, const char *bullet, const struct result *a,
					const struct result *b);

/* What is known of a result's machine, in words: calls back for each fact. */
void machine_identity_facts(const struct result *result,
			    void (*fact)(void *context, const char *label, const char *value), void *context);
