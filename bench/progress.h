/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells the user how far a run is: one status line on a terminal, one plain line per case elsewhere (CI logs). */
#pragma once

#include "session.h"

struct progress {
	bool terminal, quiet;
	unsigned boot, boots;
	bool suite_known;
	size_t expected; /* cases in the suite, 0 when not known */
	double start;
	size_t shown;     /* cases told so far */
	bool told_boot;   /* the boot line was told */
	double refreshed; /* when the status line was drawn */
};

void progress_start(struct progress *progress, unsigned boot, unsigned boots, bool quiet);

/* Looks at the session and tells what is new. */
void progress_update(struct progress *progress, const struct session *session);

void progress_finish(struct progress *progress, const struct session *session);
