/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One revision, built and measured. What was done is kept in a folder, so it is done once. */
#pragma once

#include "host/error.h"
#include "host/verb.h"
#include "result/result.h"

struct question {
	const char *repo;
	const char *folder;   /* absolute; each revision has a folder in it */
	const char *name;     /* of the case, with the suite */
	char *suite;          /* to be freed */
	const char *build;    /* shell command in the revision's working tree */
	const char *kernel;   /* what it makes, seen from there */
	const char *roottask; /* the same, or absolute: then it is that one for all revisions */
	const char *program;  /* hbench itself */
	const char *target;
	struct texts run_options;    /* more words for `hbench run` */
	const char *fleet, *machine; /* an inventory and its machine, instead of a target; or NULL */
};

enum trial_end {
	TRIAL_MEASURED,
	TRIAL_SKIPPED, /* it does not build, or cannot be measured */
	TRIAL_STOPPED, /* by the user, or nothing can be done */
};

/* Measures with at least so many boots. Skipped, stopped: the error says why. */
enum trial_end trial_run(const struct question *q, const char *revision, unsigned boots, struct result *result,
			 struct error *error) must_check;

/* A file of a revision's folder, to be freed. */
char *trial_path(const struct question *q, const char *revision, const char *name);
