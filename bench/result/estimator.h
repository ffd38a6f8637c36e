/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one number that stands for a boot's values. Which one depends on the question: the minimum for the length of a
 * code path, the median for its usual cost, high quantiles for the tail.
 */
#pragma once

#include "result/sample.h"

struct estimator {
	const char *name;    /* "p99" */
	const char *meaning; /* "mean of the boots' 99th percentiles" */
	double quantile;     /* 0: the minimum, 1: the maximum */
	size_t offset;       /* of its value in struct sample, if it has one */
};

/* NULL when there is none of that name. */
const struct estimator *estimator_find(const char *name);

/* All of them, from min to max, NULL at the end. */
extern const struct estimator *const estimators[];

/* Whole ticks or instructions of one operation. */
uint64_t estimator_count(const struct estimator *estimator, const struct sample *sample);

/* The same to a fraction of a tick: a median lies between the values on both sides of it, as their numbers say. */
double estimator_value(const struct estimator *estimator, const struct sample *sample);

/*
 * By how much estimator_value() may be off because the counter has steps. A counter that noise takes over several
 * steps tells a median between them; one that nearly always says the same may be half a step off.
 */
double estimator_doubt(const struct estimator *estimator, const struct sample *sample);

/* Mean of the boots' values. */
double estimator_mean(const struct estimator *estimator, const struct sample *boots, size_t count);
