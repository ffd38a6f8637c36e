/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/ledger.h"

#include "host/exit_code.h"
#include "host/mem.h"
#include "result/baseline.h"
#include "result/finding.h"
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

	if (!row->outcome.rounds || !row->compared || row->code == EXIT_RUN_INVALID)
		return;
	before = xstrdup(row->why);
	if (row->code == EXIT_REGRESSED)
		snprintf(row->why, sizeof(row->why), "%s, and so in %u measurements%s", before,
			 row->outcome.rounds + 1, row->has_base ? ", beside the baseline's kernel" : "");
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

/* Side by side the kernels are alike: then both differ from what is stored, or the alarm was false. */
static void judge_machine(struct ledger_row *row, const struct suite *suite)
{
	struct comparison c;
	struct error error;

	if (!row->has_base || row->code != EXIT_SAME_OR_BETTER)
		return;
	if (!compare_results(&c, &row->baseline, &row->base, suite, &error))
		conclude(row, EXIT_RUN_INVALID, "not comparable", error.text);
	else if (compare_drifted(&c) || compare_exit_code(&c) != EXIT_SAME_OR_BETTER)
		conclude(row, EXIT_RUN_INVALID, "lab drift",
			 "the baseline's kernel, measured now, is not what its baseline says either");
	compare_free(&c);
}

/* The baseline's kernel of the same hour, if that ran, tells more than the stored numbers. */
static void gate(struct ledger_row *row, const char *folder)
{
	char *path = xasprintf("%s/%s/%s.json", folder, row->machine->baseline, row->suite);
	const struct suite *suite = row->has_suite ? &row->suite_data : NULL;
	struct error error;

	row->judged = result_copy(&row->result);
	if (access(path, F_OK)) {
		snprintf(error.text, sizeof(error.text), "there is no %.900s", path);
		conclude(row, EXIT_RUN_INVALID, "no baseline", error.text);
	} else if (!result_load(&row->baseline, path, &error)) {
		conclude(row, EXIT_RUN_INVALID, "no baseline", error.text);
	} else if (!same_kind(row, &error)) {
		conclude(row, EXIT_RUN_INVALID, "other machine", error.text);
	} else if (!compare_results(&row->comparison, row->has_base ? &row->base : &row->baseline, &row->judged,
				    suite, &error)) {
		conclude(row, EXIT_RUN_INVALID, "not comparable", error.text);
	} else {
		judge(row);
		judge_machine(row, suite);
		note_rounds(row);
	}
	free(path);
}

/* What the probe found out has no baseline: it says itself what it means. */
static void judge_fitness(struct ledger_row *row)
{
	size_t tally[FINDING_WEIGHTS];
	finding_text verdict;
	char *why;

	finding_tally(&row->result, tally);
	finding_verdict(&row->result, verdict);
	why = xasprintf("%s%s%s", verdict, *row->outcome.why ? "; " : "", row->outcome.why);
	conclude(row, EXIT_SAME_OR_BETTER, tally[FINDING_OBSTACLE] ? "not fit" : "fit", why);
	free(why);
}

static void load_result(struct ledger_row *row, const struct plan *plan)
{
	const char *folder = plan->inventory->lab.folders.baselines;
	char *path = plan_path(plan, row->machine, row->suite, "result.json");
	char *base = plan_path(plan, row->machine, row->suite, "base.json");
	struct error error;

	row->has_base = !access(base, F_OK);
	row->has_result =
		result_load(&row->result, path, &error) && (!row->has_base || result_load(&row->base, base, &error));
	free(base);
	free(path);
	if (!row->has_result) {
		conclude(row, EXIT_RUN_INVALID, "", error.text);
		return;
	}
	if (!strcmp(row->suite, FINDING_SUITE)) {
		judge_fitness(row);
		return;
	}
	row->has_suite = suite_load_for(&row->suite_data, row->suite, result_text(&row->result, "machine"), &error);
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

static void add_row(struct ledger *ledger, unsigned machine, const char *suite, const struct fleet_note *notes)
{
	struct ledger_row *row = &ledger->rows[ledger->count++];

	row->machine = ledger->plan->machines[machine];
	row->suite = suite;
	row->note = &notes[machine];
	load_row(row, ledger->plan);
}

void ledger_open(struct ledger *ledger, const struct plan *plan, const struct fleet_note *notes)
{
	*ledger = (struct ledger){.plan = plan};
	ledger->rows = xcalloc((size_t)plan->machine_count * (plan->suite_count + 1), sizeof(*ledger->rows));
	for (unsigned m = 0; m < plan->machine_count; m++) {
		if (plan_looks_first(plan, plan->machines[m]))
			add_row(ledger, m, FINDING_SUITE, notes);
		for (unsigned s = 0; s < plan->suite_count; s++)
			if (inventory_allows(plan->machines[m], plan->suites[s]))
				add_row(ledger, m, plan->suites[s], notes);
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
	result_free(&row->base);
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
