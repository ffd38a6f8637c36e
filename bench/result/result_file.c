/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results to and from JSON. Files come from elsewhere (another machine, a CI cache): everything is checked. */
#include "host/file.h"
#include "host/json_file.h"
#include "host/mem.h"
#include "result/finding.h"
#include "result/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 256 << 20 };

/* The numbers of a sample, in the order of the file. */
#define SAMPLE_FIELDS(X) X(n) X(min) X(p50) X(p90) X(p99) X(p999) X(max) X(sum) X(batch) X(overhead)

static json_t *hist_to_json(const struct hist *hist)
{
	json_t *array = json_array();

	for (size_t i = 0; i < hist->used; i++) {
		const struct bin *bin = &hist->bins[i];

		json_array_append_new(array, json_pack("[I,I,I]", (json_int_t)bin->lower, (json_int_t)bin->width,
						       (json_int_t)bin->count));
	}
	return array;
}

static json_t *order_to_json(const struct sample *sample)
{
	json_t *array = json_array();

	for (size_t i = 0; i < sample->order_count; i++)
		json_array_append_new(array, json_integer((json_int_t)sample->order[i]));
	return array;
}

static void sample_into_json(json_t *object, const struct sample *sample)
{
#define PUT(field) json_object_set_new(object, #field, json_integer((json_int_t)sample->field));
	SAMPLE_FIELDS(PUT)
#undef PUT
	json_object_set_new(object, "hist", hist_to_json(&sample->hist));
	if (sample->per > 1)
		json_object_set_new(object, "per", json_integer((json_int_t)sample->per));
	if (sample->smi_known)
		json_object_set_new(object, "smi_hist", hist_to_json(&sample->smi));
	if (sample->order_count)
		json_object_set_new(object, "order", order_to_json(sample));
}

/* Length of "suite/case": the family, in Google Benchmark's words; parameters follow. */
static size_t family_length(const char *name)
{
	const char *slash = strchr(name, '/');
	const char *second = slash ? strchr(slash + 1, '/') : NULL;

	return second ? (size_t)(second - name) : strlen(name);
}

static bool same_family(const char *a, const char *b)
{
	size_t len = family_length(a);

	return len == family_length(b) && !strncmp(a, b, len);
}

static json_t *benchmark_to_json(const struct benchmark *b, const char *metric, int family, int instance)
{
	json_int_t min = (json_int_t)sample_whole_ticks(&b->merged, b->merged.min);
	json_t *boots = json_array();
	json_t *object =
		json_pack("{s:s, s:i, s:i, s:s, s:s, s:i, s:i, s:i, s:I, s:I, s:I, s:s, s:s}", "name", b->name,
			  "family_index", family, "per_family_instance_index", instance, "run_name", b->name,
			  "run_type", "iteration", "repetitions", 1, "repetition_index", 0, "threads", 1,
			  "iterations", (json_int_t)b->merged.n, "real_time", min, "cpu_time", min,
			  /* not a time: compare.py takes nothing else, the metric tells what it is */
			  "time_unit", "ns", "metric", metric);

	sample_into_json(object, &b->merged);
	for (size_t i = 0; i < b->boot_count; i++) {
		json_t *boot = json_object();

		sample_into_json(boot, &b->boots[i]);
		json_array_append_new(boots, boot);
	}
	json_object_set_new(object, "boots", boots);
	return object;
}

json_t *result_to_json(const struct result *result)
{
	json_t *array = json_array();
	int family = -1, instance = 0;

	for (size_t i = 0; i < result->count; i++) {
		const struct benchmark *b = &result->benchmarks[i];

		if (i && same_family(b->name, b[-1].name)) {
			instance++;
		} else {
			family++;
			instance = 0;
		}
		json_array_append_new(array, benchmark_to_json(b, result_text(result, "metric"), family, instance));
	}
	return json_pack("{s:O, s:o}", "context", result->context, "benchmarks", array);
}

static bool get_count(const json_t *object, const char *key, uint64_t *out, struct error *error)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return error_set(error, "the number \"%s\" is missing, negative or not an integer", key);
	*out = (uint64_t)json_integer_value(value);
	return true;
}

static bool hist_from_json(struct hist *hist, const json_t *array, struct error *error)
{
	hist->bins = xcalloc(json_array_size(array), sizeof(*hist->bins));
	for (; hist->used < json_array_size(array); hist->used++) {
		json_int_t lower, width, count;

		if (json_unpack(json_array_get(array, hist->used), "[I,I,I!]", &lower, &width, &count) || lower < 0 ||
		    width < 1 || count < 1)
			return error_set(error, "a bin of \"hist\" is not [lower, width, count]");
		hist->bins[hist->used] = (struct bin){(uint64_t)lower, (uint64_t)width, (uint64_t)count};
	}
	return true;
}

static bool extras_from_json(struct sample *sample, const json_t *object, struct error *error)
{
	const json_t *smi = json_object_get(object, "smi_hist"), *order = json_object_get(object, "order"), *value;
	size_t i;

	sample->smi_known = smi;
	if (json_object_get(object, "per") && !get_count(object, "per", &sample->per, error))
		return false;
	if (smi && !hist_from_json(&sample->smi, smi, error))
		return false;
	json_array_foreach((json_t *)order, i, value)
	{
		if (i == SAMPLE_ORDER_MAX || !json_is_integer(value) || json_integer_value(value) < 0)
			return error_set(error, "\"order\" is not an array of at most %d numbers", SAMPLE_ORDER_MAX);
		sample->order[sample->order_count++] = (uint64_t)json_integer_value(value);
	}
	return true;
}

static bool sample_from_json(struct sample *sample, const json_t *object, struct error *error)
{
	*sample = (struct sample){0};
#define GET(field)                                             \
	if (!get_count(object, #field, &sample->field, error)) \
		return false;
	SAMPLE_FIELDS(GET)
#undef GET
	return hist_from_json(&sample->hist, json_object_get(object, "hist"), error) &&
	       extras_from_json(sample, object, error) && sample_check(sample, error);
}

static bool boots_from_json(struct result *result, const char *name, const json_t *boots, struct error *error)
{
	struct sample sample;
	const json_t *boot;
	size_t i;

	if (!json_array_size(boots))
		return error_set(error, "\"boots\" is missing or empty");
	json_array_foreach(boots, i, boot)
	{
		if (!sample_from_json(&sample, boot, error)) {
			sample_free(&sample);
			return false;
		}
		result_add(result, name, &sample);
	}
	return true;
}

static bool benchmark_from_json(struct result *result, const json_t *object, struct error *error)
{
	const char *name = json_string_value(json_object_get(object, "name"));
	const char *metric = json_string_value(json_object_get(object, "metric"));
	struct error why;

	if (!name || !*name)
		return error_set(error, "a benchmark has no name");
	if (!metric || strcmp(metric, result_text(result, "metric")))
		return error_set(error, "%s: its \"metric\" is not that of the context", name);
	if (result_find(result, name))
		return error_set(error, "%s is there twice", name);
	if (!boots_from_json(result, name, json_object_get(object, "boots"), &why))
		return error_set(error, "%s: %s", name, why.text);
	return true;
}

/* The figures other programs read must be those of the boots: a file edited by hand is not a measurement. */
static bool figures_agree(const struct benchmark *b, const json_t *object, struct error *error)
{
	uint64_t min, time;

	if (!get_count(object, "min", &min, error) || !get_count(object, "real_time", &time, error))
		return false;
	if (min != b->merged.min || time != sample_whole_ticks(&b->merged, b->merged.min))
		return error_set(error, "%s: the file was changed by hand (its minimum is not that of its boots)",
				 b->name);
	return true;
}

static bool context_from_json(struct result *result, const json_t *root, struct error *error)
{
	static const char *const needed[] = {"machine", "suite", "metric"};
	const json_t *context = json_object_get(root, "context");

	if (!json_is_object(context))
		return error_set(error, "not a result: it has no \"context\"");
	result->context = json_deep_copy(context);
	if (strcmp(result_text(result, "schema"), RESULT_SCHEMA) &&
	    strcmp(result_text(result, "schema"), RESULT_SCHEMA_BEFORE))
		return error_set(error, "not a result of hbench (its schema is \"%.40s\" and not \"%s\")",
				 result_text(result, "schema"), RESULT_SCHEMA);
	for (size_t i = 0; i < array_size(needed); i++)
		if (!*result_text(result, needed[i]))
			return error_set(error, "the context has no \"%s\"", needed[i]);
	return finding_check(result, error);
}

static bool benchmarks_from_json(struct result *result, const json_t *array, struct error *error)
{
	const json_t *object;
	size_t i;

	if (!json_is_array(array))
		return error_set(error, "not a result: it has no \"benchmarks\"");
	json_array_foreach(array, i, object) if (!benchmark_from_json(result, object, error)) return false;
	result_merge(result);
	json_array_foreach(array, i, object) if (!figures_agree(&result->benchmarks[i], object, error)) return false;
	return true;
}

static bool printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

/* No text anywhere in the file may drive a terminal. */
static bool harmless(const json_t *value)
{
	const char *key;
	json_t *inner;
	size_t i;

	if (json_is_string(value))
		return printable(json_string_value(value));
	json_array_foreach(value, i, inner)
	{
		if (!harmless(inner))
			return false;
	}
	json_object_foreach((json_t *)value, key, inner)
	{
		if (!printable(key) || !harmless(inner))
			return false;
	}
	return true;
}

bool result_from_json(struct result *result, const json_t *root, struct error *error)
{
	*result = (struct result){0};
	if (!harmless(root))
		return error_set(error, "a text in it has control characters");
	if (context_from_json(result, root, error) &&
	    benchmarks_from_json(result, json_object_get(root, "benchmarks"), error))
		return true;
	result_free(result);
	return false;
}

bool result_load(struct result *result, const char *path, struct error *error)
{
	json_t *root = json_file_load(path, FILE_MAX, error);
	struct error why;
	bool good;

	*result = (struct result){0};
	if (!root)
		return false;
	good = result_from_json(result, root, &why) || json_file_error(error, path, &why);
	json_decref(root);
	return good;
}

/* One line for each benchmark: small, and a change shows as such in a diff. */
static bool print(FILE *out, const json_t *root)
{
	const json_t *benchmarks = json_object_get(root, "benchmarks"), *benchmark;
	const char *separator = "";
	bool good;
	size_t i;

	fputs("{\n\"context\": ", out);
	good = !json_dumpf(json_object_get(root, "context"), out, JSON_INDENT(1));
	fputs(",\n\"benchmarks\": [", out);
	json_array_foreach(benchmarks, i, benchmark)
	{
		fprintf(out, "%s\n", separator);
		good = good && !json_dumpf(benchmark, out, JSON_COMPACT);
		separator = ",";
	}
	fputs("\n]\n}\n", out);
	return good;
}

bool result_save(const struct result *result, const char *path, struct error *error)
{
	json_t *root = result_to_json(result);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool good = out && print(out, root);

	if (out && fclose(out))
		good = false;
	json_decref(root);
	if (!good)
		error_store(error, "cannot encode %s as JSON", path);
	good = good && file_replace(path, text, size, error);
	free(text);
	return good;
}
