/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "result/google_benchmark.h"

#include "host/mem.h"
#include "result/metric.h"
#include "result/name.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nanoseconds of a value; a counted instruction, or whatever the processor counted, passes for one, since Google
 * Benchmark knows only times. */
static double nanoseconds(const struct result *r, const struct benchmark *b, double value)
{
	double khz = json_number_value(json_object_get(r->context, "tsc_khz"));
	const char *metric = result_text(r, "metric");

	if (name_of_counter(b->name))
		return value;
	if (!strcmp(metric, "ticks") && khz > 0)
		return value / khz * 1e6;
	return strcmp(metric, "picoseconds") ? value : value / 1000;
}

static json_t *entry(const struct benchmark *b, const char *suffix, const char *type, double time)
{
	json_t *object =
		json_pack("{s:o, s:s, s:s, s:i, s:i, s:f, s:f, s:s}", "name", json_sprintf("%s%s", b->name, suffix),
			  "run_name", b->name, "run_type", type, "repetitions", (int)b->boot_count, "threads", 1,
			  "real_time", time, "cpu_time", time, "time_unit", "ns");

	return object;
}

static void add_boots(json_t *array, const struct result *r, const struct benchmark *b, const struct metric *metric,
		      double *times)
{
	const struct estimator *estimator = metric ? metric->estimator : estimator_find("min");

	for (size_t i = 0; i < b->boot_count; i++) {
		const struct sample *s = &b->boots[i];
		json_t *object;

		times[i] = nanoseconds(r, b, estimator_value(estimator, s));
		object = entry(b, "", "iteration", times[i]);
		json_object_set_new(object, "repetition_index", json_integer((json_int_t)i));
		json_object_set_new(object, "iterations", json_integer((json_int_t)s->n * (json_int_t)s->batch));
		for (const struct estimator *const *e = estimators; *e; e++)
			json_object_set_new(object, (*e)->name, json_real(nanoseconds(r, b, estimator_value(*e, s))));
		json_array_append_new(array, object);
	}
}

static void add_aggregate(json_t *array, const struct benchmark *b, const char *name, const char *unit, double value)
{
	char suffix[16];
	json_t *object;

	snprintf(suffix, sizeof(suffix), "_%s", name);
	object = entry(b, suffix, "aggregate", value);
	json_object_set_new(object, "aggregate_name", json_string(name));
	json_object_set_new(object, "aggregate_unit", json_string(unit));
	json_object_set_new(object, "iterations", json_integer((json_int_t)b->boot_count));
	json_array_append_new(array, object);
}

static void add_aggregates(json_t *array, const struct benchmark *b, double *times)
{
	double mean = gsl_stats_mean(times, 1, b->boot_count);
	double deviation = b->boot_count > 1 ? gsl_stats_sd(times, 1, b->boot_count) : 0;

	gsl_sort(times, 1, b->boot_count);
	add_aggregate(array, b, "mean", "time", mean);
	add_aggregate(array, b, "median", "time", gsl_stats_median_from_sorted_data(times, 1, b->boot_count));
	add_aggregate(array, b, "stddev", "time", deviation);
	add_aggregate(array, b, "cv", "percentage", mean > 0 ? deviation / mean : 0);
}

json_t *google_export(const struct result *result)
{
	const struct metric *metric = metric_find(result_text(result, "metric"));
	json_t *array = json_array();

	for (size_t i = 0; i < result->count; i++) {
		const struct benchmark *b = &result->benchmarks[i];
		double *times = xcalloc(b->boot_count, sizeof(*times));

		add_boots(array, result, b, metric, times);
		if (b->boot_count > 1)
			add_aggregates(array, b, times);
		free(times);
	}
	return json_pack("{s:O, s:o}", "context", result->context, "benchmarks", array);
}
