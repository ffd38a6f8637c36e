/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One machine's part of a fleet run, in a process of its own: all suites, all boots, as many attempts as allowed; at
 * the end the machine is left as the inventory says, also when SIGTERM comes.
 */
#pragma once

#include "fleet/plan.h"

/* Runs what is not done yet; what came of it is in the run's folder. False when the machine could not be left as it
 * should. */
bool worker_run(const struct plan *plan, const struct inventory_machine *machine);

/* Lets the machine boot by itself again, and leaves it off, on or as it is, as the inventory says. */
bool worker_leave(const struct plan *plan, const struct inventory_machine *machine, struct error *error);
