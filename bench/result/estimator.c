/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "result/estimator.h"

#include <string.h>

#define QUANTILE(name, q, meaning)                                                     \
	{                                                                              \
#name, "mean of the boots' " meaning, q, offsetof(struct sample, name) \
	}

/* Not told by the roottask. */
#define OF_HISTOGRAM SIZE_MAX

static const struct estimator all[] = {
	QUANTILE(min, 0, "minima"),
	{"p1", "mean of the boots' 1st percentiles", 0.01, OF_HISTOGRAM},
	QUANTILE(p50, 0.5, "medians"),
	QUANTILE(p90, 0.9, "90th percentiles"),
	QUANTILE(p99, 0.99, "99th percentiles"),
	QUANTILE(p999, 0.999, "99.9th percentiles"),
	QUANTILE(max, 1, "maxima"),
};

const struct estimator *const estimators[] = {&all[0], &all[1], &all[2], &all[3], &all[4], &all[5], &all[6], NULL};

const struct estimator *estimator_find(const char *name)
{
	for (size_t i = 0; i < array_size(all); i++)
		if (!strcmp(all[i].name, name))
			return &all[i];
	return NULL;
}

uint64_t estimator_count(const struct estimator *estimator, const struct sample *sample)
{
	uint64_t value;

	if (estimator->offset != OF_HISTOGRAM)
		return *(const uint64_t *)((const char *)sample + estimator->offset);
	value = hist_quantile(&sample->hist, estimator->quantile);
	return value < sample->min ? sample->min : value > sample->max ? sample->max : value;
}

double estimator_value(const struct estimator *estimator, const struct sample *sample)
{
	return (double)estimator_count(estimator, sample);
}

double estimator_mean(const struct estimator *estimator, const struct sample *boots, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += estimator_value(estimator, &boots[i]);
	return count ? sum / (double)count : 0;
}
