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
	const struct payload *kernel;    /* that the machine boots from the network; or NULL */
	const struct payload *collector; /* that it boots after that, for its log; or NULL */
	struct watch *watch;             /* as of watch_init() */
	FILE *log;                       /* gets the raw console */
};

/* The verdict, also in the watch with its reason. OUTCOME_INTERRUPTED when the user ended it. */
enum outcome_verdict attempt_run(const struct attempt *attempt);
