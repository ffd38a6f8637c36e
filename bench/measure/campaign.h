/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All boots of one invocation. Several kernels take turns, boot by boot, so that what changes on the machine in the
 * meantime (temperature, other load) does to all of them alike.
 */
#pragma once

#include "host/error.h"
#include "host/exit_code.h"
#include "host/verb.h"
#include "measure/progress.h"
#include "measure/target.h"
#include "result/result.h"

struct campaign_kernel {
	const char *path;   /* NULL: the machine has one of its own */
	const char *output; /* of its result; logs go beside it */
	bool is_64;
	struct result result;
	unsigned boots_done;
};

struct campaign {
	const struct target *target;
	const char *machine, *suite, *revision; /* suite, revision: or NULL */
	struct machine_config config;
	struct campaign_kernel kernels[TEXTS_MAX];
	unsigned kernel_count;
	const char *const *consoles; /* one for each boot; NULL: config's for all */
	unsigned boots, timeout;
	bool traced;
	const char *trace_file; /* NULL: beside the result */
	struct progress progress;
};

/* Checks the images; false with what is wrong with them. */
bool campaign_check(struct campaign *c, struct error *error) must_check;

/* Boots and measures; the results are complete then. */
enum exit_code campaign_run(struct campaign *c);

void campaign_free(struct campaign *c);
