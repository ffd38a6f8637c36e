/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The results of a fleet run: for each machine and suite the outcome, the measured result, and its comparison with
 * the machine's baseline.
 */
#pragma once

#include "fleet/fleet.h"
#include "fleet/outcome.h"
#include "host/exit_code.h"
#include "stats/compare.h"

struct ledger_row {
	const struct inventory_machine *machine;
	const char *suite;
	const struct fleet_note *note;
	struct outcome outcome;
	struct result result, judged, baseline; /* judged: a copy of the result, as if of the baseline's machine */
	struct result base;                     /* the baseline's kernel, measured in turns with the result */
	struct suite suite_data;
	struct comparison comparison;
	bool has_result, has_base, has_suite, compared;
	const char *gate; /* a constant: "same", "REGRESSED", ... in a word or two */
	char why[1024];   /* of the outcome, or of the gate */
	enum exit_code code;
};

struct ledger {
	const struct plan *plan;
	struct ledger_row *rows;
	unsigned count;
};

/* Reads what lies in the run's folder. Plan and notes (one for each machine of the plan) have to stay. */
void ledger_open(struct ledger *ledger, const struct plan *plan, const struct fleet_note *notes);

/* The exit code of a single row, as ledger_open() would find it now: one suite on one machine. */
enum exit_code ledger_look(const struct plan *plan, const struct inventory_machine *machine, const char *suite);

/* The most serious exit code of all rows, as compare_graver() orders them. */
enum exit_code ledger_code(const struct ledger *ledger);

void ledger_free(struct ledger *ledger);
