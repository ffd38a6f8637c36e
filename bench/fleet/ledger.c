/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/ledger.h"

#include "host/exit_code.h"
#include "host/mem.h"
#include "result/baseline.h"
#include "stats/machine_identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void conclude(struct ledger_row *row, enum exit_code code, const char *gate, const char *why)
{
	row->code = code;
	row->gate = gate;
	snprintf(row->why, sizeof(row->why), "%s", why);
}

/* What measuring again has shown. */
static void note_rounds(struct ledger_row *row)
{
	char *before;

	if (!row->outcome.rounds || !row->compared)
		return;
	before = xstrdup(row->why);
	if (row->code == EXIT_REGRESSED)
		snprintf(row->why, sizeof(row->why), "%s, and so in %u measurements", before,
			 row->outcome.rounds + 1);
	else
		snprintf(row->why, sizeof(row->why),
			 "%s%sa regression of %u earlier measurement%s was not found again", before,
			 *before ? "; " : "", row->outcome.rounds, row->outcome.rounds == 1 ? "" : "s");
	free(before);
}

static void judge(struct ledger_row *row)
{
	char why[128];

	row->compared = true;
	snprintf(why, sizeof(why), "%zu of %zu cases worse, %zu better, %zu missing",
		 row->comparison.tally[VERDICT_WORSE], row->comparison.count, row->comparison.tally[VERDICT_BETTER],
		 row->comparison.tally[VERDICT_MISSING]);
	if (compare_drifted(&row->comparison)) {
		conclude(row, EXIT_RUN_INVALID, "lab drift", "the same programs gave other numbers");
		return;
	}
	switch (compare_exit_code(&row->comparison)) {
	case EXIT_REGRESSED:
		conclude(row, EXIT_REGRESSED, "REGRESSED", why);
		break;
	case EXIT_BENCHMARK_MISSING:
		conclude(row, EXIT_BENCHMARK_MISSING, "MISSING", why);
		break;
	case EXIT_NOT_ENOUGH_DATA:
		conclude(row, EXIT_NOT_ENOUGH_DATA, "undecided", "not enough data: more --boots");
		break;
	default:
		if (row->comparison.tally[VERDICT_BETTER])
			conclude(row, EXIT_SAME_OR_BETTER, "better", why);
		else
			conclude(row, EXIT_SAME_OR_BETTER, "same", "");
	}
}

/* Machines of one kind share a baseline; which of them gave it, and under which name, does not matter. */
static bool same_kind(struct ledger_row *row, struct error *error)
{
	const char *name = baseline_name(&row->baseline);

	result_set_text(&row->judged, "machine", name);
	result_set_text(&row->judged, "baseline", name);
	return machine_identity_same(&row->baseline, &row->judged, error);
}

static void gate(struct ledger_row *row, const char *folder)
{
	char *path = xasprintf("%s/%s/%s.json", folder, row->machine->baseline, row->suite);
	struct error error;

	row->judged = result_copy(&row->result);
	if (access(path, F_OK)) {
		snprintf(error.text, sizeof(error.text), "there is no %.900s", path);
		conclude(row, EXIT_RUN_INVALID, "no baseline", error.text);
	} else if (!result_load(&row->baseline, path, &error)) {
		conclude(row, EXIT_RUN_INVALID, "no baseline", error.text);
	} else if (!same_kind(row, &error)) {
		conclude(row, EXIT_RUN_INVALID, "other machine", error.text);
	} else if (!compare_results(&row->comparison, &row->baseline, &row->judged,
				    row->has_suite ? &row->suite_data : NULL, &error)) {
		conclude(row, EXIT_RUN_INVALID, "not comparable", error.text);
	} else {
		judge(row);
		note_rounds(row);
	}
	free(path);
}

static void load_result(struct ledger_row *row, const struct plan *plan)
{
	const char *folder = plan->inventory->lab.folders.baselines;
	char *path = plan_path(plan, row->machine, row->suite, "result.json");
	struct error error;

	row->has_result = result_load(&row->result, path, &error);
	free(path);
	if (!row->has_result) {
		conclude(row, EXIT_RUN_INVALID, "", error.text);
		return;
	}
	row->has_suite = suite_load(&row->suite_data, row->suite, &error);
	if (folder)
		gate(row, folder);
}

static void load_row(struct ledger_row *row, const struct plan *plan)
{
	char *path = plan_path(plan, row->machine, row->suite, "outcome.json");
	struct error error;
	bool good = outcome_load(&row->outcome, path, &error);
	enum outcome_verdict verdict = row->outcome.verdict;
	bool left = verdict == OUTCOME_OPEN || verdict == OUTCOME_INTERRUPTED;

	conclude(row, EXIT_SAME_OR_BETTER, "", row->outcome.why);
	if (!good)
		conclude(row, EXIT_RUN_INVALID, "", error.text);
	else if (verdict == OUTCOME_OK)
		load_result(row, plan);
	else
		row->code = left ? EXIT_INTERRUPTED : EXIT_RUN_INVALID;
	if (row->note->text[0] && !row->why[0])
		snprintf(row->why, sizeof(row->why), "%s", row->note->text);
	if (row->note->text[0])
		row->code = EXIT_RUN_INVALID;
	free(path);
}

void ledger_open(struct ledger *ledger, const struct plan *plan, const struct fleet_note *notes)
{
	*ledger = (struct ledger){.plan = plan};
	ledger->rows = xcalloc((size_t)plan->machine_count * plan->suite_count, sizeof(*ledger->rows));
	for (unsigned m = 0; m < plan->machine_count; m++)
		for (unsigned s = 0; s < plan->suite_count; s++) {
			struct ledger_row *row = &ledger->rows[ledger->count];

			if (!inventory_allows(plan->machines[m], plan->suites[s]))
				continue;
			ledger->count++;
			row->machine = plan->machines[m];
			row->suite = plan->suites[s];
			row->note = &notes[m];
			load_row(row, plan);
		}
}

enum exit_code ledger_code(const struct ledger *ledger)
{
	enum exit_code code = EXIT_SAME_OR_BETTER;

	for (unsigned i = 0; i < ledger->count; i++)
		code = compare_graver(code, ledger->rows[i].code);
	return code;
}

static void free_row(struct ledger_row *row)
{
	compare_free(&row->comparison);
	result_free(&row->result);
	result_free(&row->judged);
	result_free(&row->baseline);
	if (row->has_suite)
		suite_free(&row->suite_data);
}

enum exit_code ledger_look(const struct plan *plan, const struct inventory_machine *machine, const char *suite)
{
	static const struct fleet_note nothing;
	struct ledger_row row = {.machine = machine, .suite = suite, .note = &nothing};

	load_row(&row, plan);
	free_row(&row);
	return row.code;
}

void ledger_free(struct ledger *ledger)
{
	for (unsigned i = 0; i < ledger->count; i++)
		free_row(&ledger->rows[i]);
	free(ledger->rows);
	*ledger = (struct ledger){0};
}
