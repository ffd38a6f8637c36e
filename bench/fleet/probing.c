/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/probing.h"

#include "host/file.h"
#include "host/mem.h"
#include "result/finding.h"
#include "stats/machine_identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *kept_path(const struct plan *plan, const struct inventory_machine *machine)
{
	return xasprintf("%s/%s.json", plan->inventory->lab.folders.probes, machine->name);
}

static bool load(const struct plan *plan, const struct inventory_machine *machine, struct result *found,
		 struct error *error)
{
	char *path = plan_path(plan, machine, FINDING_SUITE, "result.json");
	bool good = result_load(found, path, error);

	free(path);
	return good;
}

static bool save(const struct plan *plan, const struct inventory_machine *machine, const struct result *found,
		 struct error *error)
{
	char *path = plan_path(plan, machine, FINDING_SUITE, "result.json");
	bool good = result_save(found, path, error);

	free(path);
	return good;
}

bool probing_recall(const struct plan *plan, const struct inventory_machine *machine, struct outcome *outcome)
{
	char *path = kept_path(plan, machine);
	struct result found = {0};
	struct error error;
	bool good = machine->probe.when == LOOK_ONCE && !access(path, F_OK);

	if (good) {
		good = result_load(&found, path, &error) && save(plan, machine, &found, &error);
		if (!good)
			complain("%s: the machine is looked at again: %s", machine->name, error.text);
	}
	good = good && (machine->probe.unfit != UNFIT_REFUSE || probing_fit(plan, machine, &error));
	if (good) {
		*outcome = (struct outcome){.verdict = OUTCOME_OK};
		snprintf(outcome->why, sizeof(outcome->why), "found out at %.40s", result_text(&found, "date"));
	}
	result_free(&found);
	free(path);
	return good;
}

bool probing_keep(const struct plan *plan, const struct inventory_machine *machine, struct error *error)
{
	char *path = kept_path(plan, machine);
	struct result found = {0};
	bool good =
		machine->probe.when != LOOK_ONCE ||
		(load(plan, machine, &found, error) &&
		 file_make_folders(plan->inventory->lab.folders.probes, error) && result_save(&found, path, error));

	result_free(&found);
	free(path);
	return good;
}

/* The verdict, and behind it the obstacles. */
static void add_obstacle(void *context, const struct finding *f)
{
	struct error *why = context;
	size_t used = strlen(why->text);

	if (f->weight == FINDING_OBSTACLE)
		snprintf(why->text + used, sizeof(why->text) - used, "; %s", *f->why ? f->why : f->name);
}

bool probing_fit(const struct plan *plan, const struct inventory_machine *machine, struct error *why)
{
	size_t tally[FINDING_WEIGHTS];
	struct result found;
	finding_text verdict;
	bool fit;

	if (!load(plan, machine, &found, why))
		return false;
	finding_tally(&found, tally);
	finding_verdict(&found, verdict);
	fit = !tally[FINDING_OBSTACLE] || error_set(why, "%s", verdict);
	if (!fit)
		finding_each(&found, add_obstacle, why);
	result_free(&found);
	return fit;
}

bool probing_note(const struct plan *plan, const struct inventory_machine *machine, struct result *result,
		  struct error *error)
{
	char *path = plan_path(plan, machine, FINDING_SUITE, "result.json"), *kept = kept_path(plan, machine);
	struct result found = {0};
	bool good = true;

	if (!access(path, F_OK))
		good = result_load(&found, path, error) && machine_identity_take_findings(result, &found, error);
	if (!good && machine->probe.when == LOOK_ONCE)
		unlink(kept); /* the next run looks anew */
	result_free(&found);
	free(kept);
	free(path);
	return good;
}
