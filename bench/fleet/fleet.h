/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fleet run as a whole: takes the locks, starts a process for each machine, and sees to it that every machine is
 * left as the inventory says.
 */
#pragma once

#include "fleet/plan.h"

#include <stdbool.h>

/* What the report says about a machine itself, not about a suite on it; "" when it was left in order. */
struct fleet_note {
	char text[512];
};

/* Runs what is not done yet, at most `jobs` machines at a time; notes has one for each machine of the plan, in its
 * order. False when the user interrupted it. */
bool fleet_run(const struct plan *plan, unsigned jobs, struct fleet_note *notes);
