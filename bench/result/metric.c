/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "result/metric.h"

#include "result/name.h"

#include <math.h>
#include <string.h>

const struct metric *metric_find(const char *name)
{
	static struct metric metrics[] = {
		{"instructions", "executed instructions per operation", NULL, "minimum", "exact", true, 0, 1},
		{"ticks", "time-stamp counter ticks per operation", NULL, "mean of the boots' medians", "with noise",
		 false, 2, 100},
		{"cycles", "cycles of the core per operation", NULL, "mean of the boots' medians", "with noise",
		 false, 2, 100},
		{"picoseconds", "picoseconds per operation", NULL, "mean of the repetitions", "with noise", false, 2,
		 3},
	};

	for (size_t i = 0; i < array_size(metrics); i++)
		if (!strcmp(metrics[i].name, name)) {
			metrics[i].estimator = estimator_find(metrics[i].exact ? "min" : "p50");
			return &metrics[i];
		}
	return NULL;
}

const struct metric *metric_of_case(const struct metric *of_result, const char *name)
{
	return of_result && !of_result->exact && name_of_cycles(name) ? metric_find("cycles") : of_result;
}

double metric_number(const struct metric *metric, const struct estimator *estimator,
		     const struct benchmark *benchmark)
{
	if (metric->exact)
		return (double)estimator_count(estimator, &benchmark->merged);
	return estimator_mean(estimator, benchmark->boots, benchmark->boot_count);
}

uint64_t metric_value(const struct metric *metric, const struct estimator *estimator,
		      const struct benchmark *benchmark)
{
	if (metric->exact)
		return estimator_count(estimator, &benchmark->merged);
	return (uint64_t)llround(metric_number(metric, estimator, benchmark));
}
