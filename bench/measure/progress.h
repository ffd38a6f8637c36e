/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells the user how far a measurement is: one line that renews itself on a terminal, plain lines elsewhere. */
#pragma once

#include "measure/session.h"

#include <stdbool.h>
#include <stddef.h>

struct progress {
	bool terminal, quiet;
	unsigned boot, boots; /* of all kernels */
	const char *label;    /* whose boot it is, "" when there is only one kernel */
	size_t expected;      /* cases of the suite; 0 when not known */
	bool suite_known;
	bool told_boot;
	size_t shown;     /* measurements that were printed */
	double refreshed; /* when */
	double start;     /* of the first boot */
	double boot_start;
};

void progress_start(struct progress *progress, unsigned boots, bool quiet);

/* The next boot begins. */
void progress_boot(struct progress *progress, const char *label);

void progress_update(struct progress *progress, const struct session *session);
void progress_finish(struct progress *progress, const struct session *session);
