/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "result/google_benchmark.h"

#include "host/error.h"
#include "host/json_file.h"
#include "host/mem.h"
#include "result/metric.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 256 << 20 };

static const double picoseconds_max = 9e18; /* what a 64-bit integer holds */

/* --- export --- */

/* Nanoseconds of a value; a counted instruction passes for one, since Google Benchmark knows only times. */
static double nanoseconds(const struct result *r, double value)
{
	double khz = json_number_value(json_object_get(r->context, "tsc_khz"));
	const char *metric = result_text(r, "metric");

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

		times[i] = nanoseconds(r, estimator_value(estimator, s));
		object = entry(b, "", "iteration", times[i]);
		json_object_set_new(object, "repetition_index", json_integer((json_int_t)i));
		json_object_set_new(object, "iterations", json_integer((json_int_t)s->n * (json_int_t)s->batch));
		for (const struct estimator *const *e = estimators; *e; e++)
			json_object_set_new(object, (*e)->name, json_real(nanoseconds(r, estimator_value(*e, s))));
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

/* --- import --- */

static double unit_in_picoseconds(const char *unit)
{
	static const struct {
		const char *name;
		double picoseconds;
	} units[] = {{"ns", 1e3}, {"us", 1e6}, {"ms", 1e9}, {"s", 1e12}};

	for (size_t i = 0; unit && i < array_size(units); i++)
		if (!strcmp(unit, units[i].name))
			return units[i].picoseconds;
	return 0;
}

static bool is_repetition(const json_t *object)
{
	const char *type = json_string_value(json_object_get(object, "run_type"));

	return !type || !strcmp(type, "iteration"); /* old versions have no type */
}

static bool add_repetition(struct result *result, const char *name, const json_t *object, struct error *error)
{
	const json_t *time = json_object_get(object, "real_time");
	double value = json_number_value(time) *
		       unit_in_picoseconds(json_string_value(json_object_get(object, "time_unit")));
	json_int_t iterations = json_integer_value(json_object_get(object, "iterations"));
	struct sample s = {.batch = iterations > 0 ? (uint64_t)iterations : 1, .n = 1};

	if (!json_is_number(time) || !(value >= 0) || value > picoseconds_max ||
	    !unit_in_picoseconds(json_string_value(json_object_get(object, "time_unit"))))
		return error_set(error, "%s has no \"real_time\" with a \"time_unit\" of ns, us, ms or s", name);
	s.min = s.p50 = s.p90 = s.p99 = s.p999 = s.max = s.sum = (uint64_t)llround(value);
	hist_add(&s.hist, s.min, 1);
	result_add(result, name, &s);
	return true;
}

static bool add_entry(struct result *result, const char *suite, const json_t *object, struct error *error)
{
	const char *run = json_string_value(json_object_get(object, "run_name"));
	const char *name = run ? run : json_string_value(json_object_get(object, "name"));
	char *full;
	bool good = true;

	if (!name || !*name)
		return error_set(error, "a benchmark has no name");
	if (!is_repetition(object))
		return true;
	full = xasprintf("%s/%s", suite, name);
	if (json_is_true(json_object_get(object, "error_occurred")))
		result_add_skip(result, full, "it reported an error");
	else
		good = add_repetition(result, full, object, error);
	free(full);
	return good;
}

static void keep_text(struct result *result, const json_t *context, const char *key)
{
	const char *text = json_string_value(json_object_get(context, key));

	if (text)
		result_set_text(result, key, text);
}

static bool import_json(struct result *result, const json_t *root, const char *suite, const char *machine,
			struct error *error)
{
	const json_t *context = json_object_get(root, "context"), *array = json_object_get(root, "benchmarks"),
		     *object;
	const char *host = json_string_value(json_object_get(context, "host_name"));
	size_t i, most = 0;

	if (!json_is_object(context) || !json_is_array(array))
		return error_set(error, "not Google Benchmark's: \"context\" or \"benchmarks\" is missing");
	result_init(result, machine ? machine : host ? host : "unknown", suite, "picoseconds");
	keep_text(result, context, "date");
	keep_text(result, context, "executable");
	keep_text(result, context, "library_build_type");
	result_set_number(result, "num_cpus", json_integer_value(json_object_get(context, "num_cpus")));
	json_array_foreach((json_t *)array, i, object) if (!add_entry(result, suite, object, error)) return false;
	if (!result->count)
		return error_set(error, "it has no repetitions, only aggregates or nothing: run the program without "
					"--benchmark_report_aggregates_only");
	for (i = 0; i < result->count; i++)
		most = result->benchmarks[i].boot_count > most ? result->benchmarks[i].boot_count : most;
	result_set_number(result, "boots", (int64_t)most);
	result_set_text(result, "hbench_version", TOOLS_VERSION);
	result_merge(result);
	return true;
}

bool google_import(struct result *result, const char *path, const char *suite, const char *machine,
		   struct error *error)
{
	json_t *root = json_file_load(path, FILE_MAX, error);
	struct error why;
	bool good;

	*result = (struct result){0};
	if (!root)
		return false;
	good = import_json(result, root, suite, machine, &why) || json_file_error(error, path, &why);
	if (!good)
		result_free(result);
	json_decref(root);
	return good;
}
