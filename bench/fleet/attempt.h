/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One attempt to boot a machine and to let it measure: switches it on, listens, and gives up when a time is over. */
#pragma once

#include "fleet/payload.h"
#include "fleet/power.h"
#include "fleet/watch.h"

#include <stdio.h>

struct attempt {
	const struct inventory *inventory;
	const struct inventory_machine *machine;
	const struct power_context *context;
	const struct payload *kernel;    /* what the machine boots from the network; NULL: it boots by itself */
	const struct payload *collector; /* what it boots next, to send its log in RAM; NULL: it has a console */
	struct watch *watch;             /* as of watch_init() */
	FILE *log;                       /* gets the console's bytes as they come */
};

/*
 * Returns the verdict, which is also left in the watch, with its reason. When the user ended it, OUTCOME_INTERRUPTED
 * is returned and the watch is left without a verdict.
 */
enum outcome_verdict attempt_run(const struct attempt *attempt);
