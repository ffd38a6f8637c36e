/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One boot of a machine, from launch to the last line of its console. */
#pragma once

#include "measure/progress.h"
#include "measure/target.h"

#include <stdio.h>

enum run_end {
	RUN_GOOD,
	RUN_INVALID,     /* session.fault says why */
	RUN_NOT_STARTED, /* error says why */
	RUN_INTERRUPTED, /* by the user */
};

/* From now on SIGINT, SIGTERM and SIGHUP make run_interrupted() true; runs then end in order, emulator included. */
void run_catch_signals(void);

/* True once such a signal came. */
bool run_interrupted(void);

/*
 * Starts what was prepared and listens until the machine is done, dies or `timeout` seconds are over. The raw console
 * goes to log.
 */
enum run_end run_boot(const struct launch *launch, unsigned timeout, FILE *log, struct session *session,
		      struct progress *progress, struct error *error);
