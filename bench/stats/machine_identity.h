/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which machine a result is of, beyond its name: results of different machines must not be compared. */
#pragma once

#include "result/finding.h"
#include "result/result.h"

#include <stdio.h>

/* False, with the fields that differ, when the results are of different machines. Fields only one side has do not
 * count. */
bool machine_identity_same(const struct result *a, const struct result *b, struct error *error) must_check;

/* Writes a line for each thing that does not make it another machine, but is worth knowing when numbers differ. */
void machine_identity_print_differences(FILE *out, const char *bullet, const struct result *a,
					const struct result *b);

/*
 * What the probe found out about both machines, or about one on two days, and does not agree: calls back for each
 * state, or weight of an amount, that differs. The result is how many there are.
 */
size_t machine_identity_findings(const struct result *a, const struct result *b,
				 void (*differs)(void *context, const struct finding *a, const struct finding *b),
				 void *context);

/* The same as a line of warning each. */
void machine_identity_print_findings(FILE *out, const char *bullet, const struct result *a, const struct result *b);

/* Takes over what a probe found out, if it was on this machine, in the state in which it is; false, with the fields
 * that differ, when it was not. */
bool machine_identity_take_findings(struct result *to, const struct result *probe, struct error *error) must_check;

/* What is known of a result's machine, in words: calls back for each fact. */
void machine_identity_facts(const struct result *result,
			    void (*fact)(void *context, const char *label, const char *value), void *context);
