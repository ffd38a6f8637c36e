/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From Google Benchmark's JSON, of version 1.0 to today's. A benchmark's names and counters are free text of whoever
 * wrote the program, so only what is needed is looked at, and what is kept can be read again.
 */
#include "host/error.h"
#include "host/file.h"
#include "host/hash.h"
#include "host/json_file.h"
#include "host/mem.h"
#include "result/google_benchmark.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 256 << 20, HASH_TEXT = 65 };

static const double picoseconds_max = 9e18; /* what a 64-bit integer holds */

/* Repetitions of a benchmark that measured nothing. */
struct lost {
	char *name;
	size_t count;
	char *why; /* of the first */
};

struct import {
	struct result *result;
	const char *suite;
	const char *machine;   /* or NULL: the host's name */
	const json_t *entries; /* of the file that is being read */
	struct lost *lost;
	size_t lost_count;
	char (*hashes)[HASH_TEXT]; /* of the files that were read */
	size_t hash_count;
};

/* --- reading --- */

/* How long the word for what is not a number is that begins here, 0 when there is none. */
static size_t odd_number(const char *data, size_t size)
{
	static const char *const words[] = {"Infinity", "infinity", "nan(ind)", "NaN", "nan", "inf"};
	size_t sign = size && *data == '-';

	for (size_t i = 0; i < array_size(words); i++) {
		size_t len = strlen(words[i]);

		if (sign + len <= size && !memcmp(data + sign, words[i], len))
			return sign + len;
	}
	return 0;
}

/* The library writes counters that are no numbers as such words, which JSON does not have. An empty text takes their
 * place: where a number is needed, it is none. */
static void blank_odd_numbers(char *data, size_t size)
{
	bool quoted = false;

	for (size_t i = 0; i < size; i++) {
		size_t len = quoted ? 0 : odd_number(data + i, size - i);

		if (len) {
			memset(data + i, ' ', len);
			memset(data + i, '"', 2);
			i += len - 1;
		} else if (quoted && data[i] == '\\') {
			i++;
		} else if (data[i] == '"') {
			quoted = !quoted;
		}
	}
}

/* The same file twice is not twice the data. */
static bool note_hash(struct import *import, const char *data, size_t size, struct error *error)
{
	char *hash;

	import->hashes = xreallocarray(import->hashes, import->hash_count + 1, sizeof(*import->hashes));
	hash = import->hashes[import->hash_count];
	if (!hash_sha256(data, size, hash))
		return error_set(error, "cannot compute a SHA-256");
	for (size_t i = 0; i < import->hash_count; i++)
		if (!strcmp(import->hashes[i], hash))
			return error_set(error, "the same repetitions are in a file before this one: each counts "
						"once");
	import->hash_count++;
	return true;
}

static json_t *parse(struct import *import, char *data, size_t size, struct error *error)
{
	json_error_t where;
	json_t *root;

	if (!note_hash(import, data, size, error))
		return NULL;
	blank_odd_numbers(data, size);
	root = json_loadb(data, size, JSON_REJECT_DUPLICATES, &where);
	if (!root)
		error_store(error, "line %d: not JSON: %s", where.line, where.text);
	return root;
}

/* --- entries --- */

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

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static const char *name_of(const json_t *object)
{
	const char *run = text_of(object, "run_name");

	return run ? run : text_of(object, "name");
}

/* Whether the file has an entry whose name is the first `len` bytes of a name, and then the suffix. */
static bool has_entry(const struct import *import, const char *name, size_t len, const char *suffix)
{
	const json_t *object;
	size_t i;

	json_array_foreach(import->entries, i, object)
	{
		const char *other = name_of(object);

		if (other && !strncmp(other, name, len) && !strcmp(other + len, suffix))
			return true;
	}
	return false;
}

/* Versions before 1.5 tell aggregates by their names only, which a benchmark may have as well: then there is no other
 * that they could be of. */
static bool named_as_aggregate(const struct import *import, const char *name)
{
	static const char *const suffixes[] = {"_mean", "_median", "_stddev", "_cv", "_BigO", "_RMS"};
	size_t len = strlen(name);

	for (size_t i = 0; i < array_size(suffixes); i++) {
		size_t tail = strlen(suffixes[i]);

		if (len <= tail || strcmp(name + len - tail, suffixes[i]))
			continue;
		return has_entry(import, name, len - tail, "") || (has_entry(import, name, len - tail, "_mean") &&
								   has_entry(import, name, len - tail, "_stddev"));
	}
	return false;
}

static bool is_repetition(const struct import *import, const json_t *object)
{
	const char *type = text_of(object, "run_type");

	return type ? !strcmp(type, "iteration") : !named_as_aggregate(import, name_of(object));
}

/* Why an entry measured nothing, to be freed; NULL when it did. The times of such an entry are 0. */
static char *why_lost(const json_t *object)
{
	const char *error = text_of(object, "error_message"), *skip = text_of(object, "skip_message");
	const json_t *iterations = json_object_get(object, "iterations");

	if (json_is_true(json_object_get(object, "error_occurred")))
		return error && *error ? xasprintf("it reported an error: %s", error)
				       : xstrdup("it reported an error");
	if (json_is_true(json_object_get(object, "skipped")))
		return skip && *skip ? xasprintf("it skipped itself: %s", skip) : xstrdup("it skipped itself");
	return json_is_number(iterations) && json_number_value(iterations) <= 0 ? xstrdup("it ran no iteration")
										: NULL;
}

static void add_lost(struct import *import, const char *name, char *why)
{
	struct lost *lost = NULL;

	for (size_t i = 0; i < import->lost_count; i++)
		if (!strcmp(import->lost[i].name, name))
			lost = &import->lost[i];
	if (lost) {
		lost->count++;
		free(why);
		return;
	}
	import->lost = xreallocarray(import->lost, import->lost_count + 1, sizeof(*import->lost));
	import->lost[import->lost_count++] = (struct lost){xstrdup(name), 1, why};
}

static bool add_repetition(struct result *result, const char *name, const json_t *object, struct error *error)
{
	const json_t *time = json_object_get(object, "real_time");
	double unit = unit_in_picoseconds(text_of(object, "time_unit")), value = json_number_value(time) * unit;
	json_int_t iterations = json_integer_value(json_object_get(object, "iterations"));
	struct sample s = {.batch = iterations > 0 ? (uint64_t)iterations : 1, .n = 1};

	if (!json_is_number(time) || !(value >= 0) || value > picoseconds_max || !(unit > 0))
		return error_set(error, "%s has no \"real_time\" with a \"time_unit\" of ns, us, ms or s", name);
	s.min = s.p50 = s.p90 = s.p99 = s.p999 = s.max = s.sum = (uint64_t)llround(value);
	hist_add(&s.hist, s.min, 1);
	result_add(result, name, &s);
	return true;
}

/* Names are kept with control characters spelled out: a terminal must not obey them, and two names stay two. */
static char *full_name(const char *suite, const char *name)
{
	char *full = xcalloc(strlen(suite) + 4 * strlen(name) + sizeof("/"), 1), *at = full;

	at += sprintf(at, "%s/", suite);
	for (; *name; name++)
		if (iscntrl((unsigned char)*name))
			at += sprintf(at, "\\x%02x", (unsigned)(unsigned char)*name);
		else
			*at++ = *name;
	return full;
}

static bool add_entry(struct import *import, const json_t *object, struct error *error)
{
	const char *name = name_of(object);
	char *full, *why;
	bool good = true;

	if (!name || !*name)
		return error_set(error, "a benchmark has no name");
	if (!is_repetition(import, object))
		return true;
	full = full_name(import->suite, name);
	why = why_lost(object);
	if (why)
		add_lost(import, full, why);
	else
		good = add_repetition(import->result, full, object, error);
	free(full);
	return good;
}

/* --- files --- */

static void keep(struct result *result, const json_t *context, const char *key)
{
	json_t *value = json_object_get(context, key);

	if (json_is_string(value))
		result_set_text(result, key, json_string_value(value));
	else if (json_is_integer(value) || json_is_boolean(value))
		json_object_set(result->context, key, value);
}

/* The name of a machine is that of a folder as well. */
static char *machine_name(const json_t *context)
{
	const char *host = text_of(context, "host_name");
	char *name = xstrdup(host && *host ? host : "unknown");

	for (char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_-", *c) && (*c != '.' || c == name))
			*c = '-';
	return name;
}

static const char *const kept[] = {"date",     "executable",         "library_version", "library_build_type",
				   "num_cpus", "cpu_scaling_enabled"};

static void start(struct import *import, const json_t *context)
{
	char *host = machine_name(context);

	result_init(import->result, import->machine ? import->machine : host, import->suite, "picoseconds");
	free(host);
	for (size_t i = 0; i < array_size(kept); i++)
		keep(import->result, context, kept[i]);
	result_set_text(import->result, "hbench_version", TOOLS_VERSION);
}

/* Repetitions of several files are of one thing, or they must not be one benchmark's. */
static bool agrees(const struct import *import, const json_t *context, struct error *error)
{
	static const char *const keys[] = {"machine", "library_version", "library_build_type", "num_cpus"};
	struct result other = {0};
	struct import second = {.result = &other, .suite = import->suite, .machine = import->machine};
	bool good = true;

	start(&second, context);
	for (size_t i = 0; good && i < array_size(keys); i++) {
		json_t *a = json_object_get(import->result->context, keys[i]);
		json_t *b = json_object_get(other.context, keys[i]);

		if (a && b && !json_equal(a, b))
			good = error_set(error, "the files are not of the same thing: their \"%s\" differ", keys[i]);
	}
	result_free(&other);
	return good;
}

static bool add_root(struct import *import, const json_t *root, struct error *error)
{
	const json_t *context = json_object_get(root, "context"), *object;
	size_t i;

	import->entries = json_object_get(root, "benchmarks");
	if (!json_is_object(context) || !json_is_array(import->entries))
		return error_set(error, "not Google Benchmark's: \"context\" or \"benchmarks\" is missing");
	if (json_object_get(json_array_get(import->entries, 0), "boots"))
		return error_set(error, "it is a result of hbench already: nothing needs to be imported");
	if (import->result->context && !agrees(import, context, error))
		return false;
	if (!import->result->context)
		start(import, context);
	json_array_foreach(import->entries, i, object)
	{
		if (!add_entry(import, object, error))
			return false;
	}
	return true;
}

static bool add_file(struct import *import, const char *path, struct error *error)
{
	size_t size;
	char *data = file_read(path, FILE_MAX, &size, error);
	struct error why;
	json_t *root;
	bool good;

	if (!data)
		return false;
	root = parse(import, data, size, &why);
	free(data);
	good = (root && add_root(import, root, &why)) || json_file_error(error, path, &why);
	json_decref(root);
	return good;
}

/* Of some benchmarks only a part of the repetitions was lost: how many, is part of the reason. */
static void tell_lost(const struct import *import)
{
	for (size_t i = 0; i < import->lost_count; i++) {
		const struct lost *lost = &import->lost[i];
		const struct benchmark *b = result_find(import->result, lost->name);
		char *text = xasprintf("%zu of %zu repetitions: %s", lost->count,
				       lost->count + (b ? b->boot_count : 0), lost->why);

		result_add_skip(import->result, lost->name, b ? text : lost->why);
		free(text);
	}
}

static bool finish(const struct import *import, struct error *error)
{
	struct result *result = import->result;
	size_t most = 0;

	tell_lost(import);
	if (!result->count)
		return error_set(error,
				 import->lost_count
					 ? "nothing was measured: every benchmark failed or skipped itself"
					 : "there are no repetitions, only aggregates or nothing: run the program "
					   "without --benchmark_report_aggregates_only");
	for (size_t i = 0; i < result->count; i++)
		most = result->benchmarks[i].boot_count > most ? result->benchmarks[i].boot_count : most;
	result_set_number(result, "boots", (int64_t)most);
	result_merge(result);
	return true;
}

static void free_import(struct import *import)
{
	for (size_t i = 0; i < import->lost_count; i++) {
		free(import->lost[i].name);
		free(import->lost[i].why);
	}
	free(import->lost);
	free(import->hashes);
}

bool google_import(struct result *result, char *const *paths, size_t count, const char *suite, const char *machine,
		   struct error *error)
{
	struct import import = {.result = result, .suite = suite, .machine = machine};
	struct error why;
	bool good = true;

	*result = (struct result){0};
	for (size_t i = 0; good && i < count; i++)
		good = add_file(&import, paths[i], error);
	good = good && (finish(&import, &why) || json_file_error(error, paths[0], &why));
	if (!good)
		result_free(result);
	free_import(&import);
	return good;
}
