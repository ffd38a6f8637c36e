/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The histogram of a path as hbench's statistics take them. */
#pragma once

#include "result/sample.h"
#include "host/trace_file.h"

struct path_sample {
	struct sample sample; /* min and max are those of the bins */
	double mean;
	double counters[TRACE_COUNTERS_MAX]; /* for each time */
};

/* Of one CPU, or of all with cpu = HEDRON_CPU_MAX. False when it was never taken. */
bool path_sample(struct path_sample *out, const struct trace *trace, unsigned path, unsigned cpu);

void path_sample_free(struct path_sample *sample);
