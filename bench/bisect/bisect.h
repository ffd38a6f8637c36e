/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which commit changed what a case costs? The history is halved until one is left. */
#pragma once

#include "bisect/trial.h"
#include "result/suite.h"

struct bisection {
	const struct question *question;
	const struct suite *suite;      /* for thresholds; or NULL */
	unsigned boots, boots_max;      /* of a revision: at first, and at most */
	void (*tell)(const char *text); /* each step, as it is done */
	char *good, *bad;               /* hashes; from here on the search's, to be freed with bisect_free() */
	char **goods;                   /* all that are known to be */
	size_t good_count;
	char **doubtful; /* may be the first as well: they could not be measured */
	size_t doubtful_count;
	char *before;                       /* the commit before the one that was found */
	uint64_t value_before, value_after; /* what the case costs there */
};

enum bisect_end {
	BISECT_FOUND,     /* bad is the first, or it is one of the doubtful */
	BISECT_NO_CHANGE, /* between the two revisions that were given */
	BISECT_STOPPED,   /* interrupted, or an error */
};

/* good and bad are set. Measures both, then what lies between. */
enum bisect_end bisect_run(struct bisection *b, struct error *error) must_check;

void bisect_free(struct bisection *b);
