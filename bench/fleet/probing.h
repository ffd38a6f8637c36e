/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the probe found out about a machine before its suites run: kept in the run's folder like the result of a
 * suite, and, for inventories that have the probe look once, in a folder of its own for later runs.
 */
#pragma once

#include "fleet/outcome.h"
#include "fleet/plan.h"
#include "result/result.h"

/*
 * Takes what an earlier run has kept for this one. True, with the outcome, when there is something that does not
 * speak against measuring; else the machine has to be booted, as it may have been mended.
 */
bool probing_recall(const struct plan *plan, const struct inventory_machine *machine, struct outcome *outcome);

/* Keeps it for later runs, if the inventory wants that. */
bool probing_keep(const struct plan *plan, const struct inventory_machine *machine, struct error *error) must_check;

/* True when the machine is fit to measure, or false with why it is not. */
bool probing_fit(const struct plan *plan, const struct inventory_machine *machine, struct error *why) must_check;

/*
 * Adds what was found out in this run, if anything was, to a result of the machine. False when it does not hold for
 * the machine as it is now; what was kept for later runs is dropped then.
 */
bool probing_note(const struct plan *plan, const struct inventory_machine *machine, struct result *result,
		  struct error *error) must_check;
