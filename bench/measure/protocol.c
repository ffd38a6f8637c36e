/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/protocol.h"

#include "host/error.h"
#include "host/json_file.h"
#include "host/line_seal.h"
#include "host/mem.h"
#include "result/build_id.h"
#include "result/name.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool get_string(const json_t *object, const char *key, protocol_string out, struct error *error)
{
	return json_file_printable(object, key, out, sizeof(protocol_string), error);
}

static bool get_count(const json_t *object, const char *key, uint64_t *out, struct error *error)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return error_set(error, "the number \"%s\" is missing, negative or not an integer", key);
	*out = (uint64_t)json_integer_value(value);
	return true;
}

static bool get_number(const json_t *object, const char *key, int64_t *out, struct error *error)
{
	uint64_t value;

	if (!get_count(object, key, &value, error))
		return false;
	*out = (int64_t)value;
	return true;
}

static bool get_bool(const json_t *object, const char *key, bool *out, struct error *error)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_boolean(value))
		return error_set(error, "\"%s\" is neither true nor false", key);
	*out = json_is_true(value);
	return true;
}

static bool param_value_valid(const char *value)
{
	size_t len = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-");

	return len && len <= PROTOCOL_STRING_MAX && !value[len];
}

static bool append(char *name, const char *text, struct error *error)
{
	if (strlen(name) + strlen(text) >= PROTOCOL_NAME_MAX)
		return error_set(error, "the case's name with its parameters is longer than %d characters",
				 PROTOCOL_NAME_MAX - 1);
	strcat(name, text);
	return true;
}

static bool append_param(char *name, const char *key, const json_t *value, struct error *error)
{
	char number[32];
	const char *text = json_string_value(value);

	if (json_is_integer(value)) {
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		text = number;
	}
	if (!name_valid(key) || !text || !param_value_valid(text))
		return error_set(error, "a parameter is neither an integer nor a plain word");
	return append(name, "/", error) && append(name, key, error) && append(name, ":", error) &&
	       append(name, text, error);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool append_params(char *name, json_t *params, struct error *error)
{
	const char *keys[NAME_PARAMS_MAX], *key;
	json_t *value;
	size_t count = 0;

	if (!json_is_object(params))
		return error_set(error, "\"params\" is not an object");
	if (json_object_size(params) > NAME_PARAMS_MAX)
		return error_set(error, "more than %d parameters", NAME_PARAMS_MAX);
	json_object_foreach(params, key, value) keys[count++] = key;
	qsort(keys, count, sizeof(*keys), by_name);
	for (size_t i = 0; i < count; i++)
		if (!append_param(name, keys[i], json_object_get(params, keys[i]), error))
			return false;
	return true;
}

/* "suite", "case" and "params", which sample, skip and fail begin with. */
static bool get_identity(json_t *object, struct record *record, struct error *error)
{
	protocol_string name;

	if (!get_string(object, "suite", record->suite, error) || !get_string(object, "case", name, error))
		return false;
	if (!name_valid(record->suite) || !name_valid(name))
		return error_set(error, "\"suite\" and \"case\" must be of a-z, 0-9 and _");
	record->name[0] = '\0';
	return append(record->name, name, error) &&
	       append_params(record->name, json_object_get(object, "params"), error);
}

static bool get_bin(const json_t *triple, struct bin *bin, struct error *error)
{
	uint64_t *parts[] = {&bin->lower, &bin->width, &bin->count};

	if (json_array_size(triple) != array_size(parts))
		return error_set(error, "a bin of the histogram is not [lower, width, count]");
	for (size_t i = 0; i < array_size(parts); i++) {
		const json_t *number = json_array_get(triple, i);

		if (!json_is_integer(number) || json_integer_value(number) < 0)
			return error_set(error, "a bin of the histogram is not of three numbers");
		*parts[i] = (uint64_t)json_integer_value(number);
	}
	return true;
}

static bool get_hist(const json_t *array, struct hist *hist, struct error *error)
{
	if (!json_is_array(array))
		return error_set(error, "the array of bins is missing");
	hist->bins = xcalloc(json_array_size(array), sizeof(*hist->bins));
	for (; hist->used < json_array_size(array); hist->used++)
		if (!get_bin(json_array_get(array, hist->used), &hist->bins[hist->used], error))
			return false;
	return true;
}

static bool get_order(const json_t *array, struct sample *s, struct error *error)
{
	const json_t *value;
	size_t i;

	if (!json_is_array(array) || json_array_size(array) > SAMPLE_ORDER_MAX)
		return error_set(error, "\"order\" is not an array of at most %d numbers", SAMPLE_ORDER_MAX);
	json_array_foreach((json_t *)array, i, value)
	{
		if (!json_is_integer(value) || json_integer_value(value) < 0)
			return error_set(error, "\"order\" has something else than numbers");
		s->order[s->order_count++] = (uint64_t)json_integer_value(value);
	}
	return true;
}

/* Members that came later: absent is good, wrong is not. */
static bool get_sample_extras(const json_t *object, struct sample *s, struct error *error)
{
	const json_t *order = json_object_get(object, "order"), *smi = json_object_get(object, "smi_hist");

	s->smi_known = smi;
	if (json_object_get(object, "per") && !get_count(object, "per", &s->per, error))
		return false;
	return (!order || get_order(order, s, error)) && (!smi || get_hist(smi, &s->smi, error));
}

/* Ticks, or events that the processor counts, by which the case is called then: nobody takes one for the other. */
static bool get_unit(json_t *object, struct error *error)
{
	static const char *const counters[] = {"cycles", "instructions", "misses"};
	const json_t *params = json_object_get(object, "params");
	const char *counter = json_string_value(json_object_get(params, "counter"));
	protocol_string unit;

	if (!get_string(object, "unit", unit, error))
		return false;
	if (!strcmp(unit, "tsc"))
		return !json_object_get(params, "counter") ||
		       error_set(error, "the unit is \"tsc\" and the parameter \"counter\" says something else");
	for (size_t i = 0; i < array_size(counters); i++)
		if (!strcmp(unit, counters[i]))
			return (counter && !strcmp(counter, unit)) ||
			       error_set(error, "the unit is \"%s\" and the parameter \"counter\" does not say so",
					 unit);
	return error_set(error, "unit \"%s\" is not known (\"tsc\", \"cycles\", \"instructions\", \"misses\" are)",
			 unit);
}

static bool parse_sample(json_t *object, struct record *record, struct error *error)
{
	struct sample *s = &record->sample;
	const struct {
		const char *key;
		uint64_t *value;
	} numbers[] = {
		{"batch", &s->batch}, {"n", &s->n},     {"overhead", &s->overhead}, {"min", &s->min},
		{"p50", &s->p50},     {"p90", &s->p90}, {"p99", &s->p99},           {"p999", &s->p999},
		{"max", &s->max},     {"sum", &s->sum},
	};

	if (!get_identity(object, record, error) || !get_unit(object, error))
		return false;
	for (size_t i = 0; i < array_size(numbers); i++)
		if (!get_count(object, numbers[i].key, numbers[i].value, error))
			return false;
	return get_hist(json_object_get(object, "hist"), &s->hist, error) && get_sample_extras(object, s, error) &&
	       sample_check(s, error);
}

static bool get_build_id(const json_t *object, protocol_string out, struct error *error)
{
	if (!json_object_get(object, "kernel_build_id"))
		return true;
	if (!get_string(object, "kernel_build_id", out, error))
		return false;
	return build_id_valid(out) || error_set(error, "\"kernel_build_id\" is no build id: `%s`", out);
}

/* Members that came later: absent is good, wrong is not. */
static bool get_optional(json_t *object, struct run_record *r, struct error *error)
{
	const struct {
		const char *key;
		char *out;
	} texts[] = {{"features", r->features},     {"arch_capabilities", r->arch_capabilities},
		     {"microcode", r->microcode},   {"firmware", r->firmware},
		     {"hypervisor", r->hypervisor}, {"frequency", r->frequency}};
	bool smt;

	if (!get_build_id(object, r->kernel_build_id, error))
		return false;
	for (size_t i = 0; i < array_size(texts); i++)
		if (json_object_get(object, texts[i].key) && !get_string(object, texts[i].key, texts[i].out, error))
			return false;
	if (json_object_get(object, "memory_mb") && !get_number(object, "memory_mb", &r->memory_mb, error))
		return false;
	if (json_object_get(object, "placement") && !get_number(object, "placement", &r->placement, error))
		return false;
	if (json_object_get(object, "traced") && !get_bool(object, "traced", &r->traced, error))
		return false;
	if (!json_object_get(object, "smt"))
		return true;
	if (!get_bool(object, "smt", &smt, error))
		return false;
	r->smt = smt ? 1 : -1;
	return true;
}

bool protocol_version_known(int64_t version)
{
	return version >= PROTOCOL_UNSEALED && version <= PROTOCOL_VERSION;
}

static bool parse_run(json_t *object, struct record *record, struct error *error)
{
	struct run_record *r = &record->run;

	/* Another protocol may have other members: its number is all that can be read from it. */
	if (!get_number(object, "protocol", &r->protocol, error) || !protocol_version_known(r->protocol))
		return json_is_integer(json_object_get(object, "protocol"));
	if (!get_string(object, "suite", r->suite, error))
		return false;
	if (!name_valid(r->suite))
		return error_set(error, "\"suite\" must be of a-z, 0-9 and _");
	return get_string(object, "kernel", r->kernel, error) && get_string(object, "cpu", r->cpu, error) &&
	       get_string(object, "vendor", r->vendor, error) && get_string(object, "cmdline", r->cmdline, error) &&
	       get_number(object, "api", &r->api, error) && get_number(object, "family", &r->family, error) &&
	       get_number(object, "model", &r->model, error) && get_number(object, "stepping", &r->stepping, error) &&
	       get_number(object, "tsc_khz", &r->tsc_khz, error) && get_number(object, "cpus", &r->cpus, error) &&
	       get_bool(object, "tsc_invariant", &r->tsc_invariant, error) && get_optional(object, r, error);
}

/* Optional: what empty measurements took. */
static bool get_empty(const json_t *object, struct calibration_record *c, struct error *error)
{
	const json_t *hist = json_object_get(object, "hist");

	if (!hist)
		return true;
	if (!get_hist(hist, &c->hist, error))
		return false;
	if (!hist_adopt(&c->hist) || !c->hist.used || c->hist.bins[0].lower != hist_lower(&c->hist, c->overhead))
		return error_set(error, "the histogram of the calibration is not one of empty measurements");
	return true;
}

static bool parse_calibration(json_t *object, struct record *record, struct error *error)
{
	struct calibration_record *c = &record->calibration;
	protocol_string unit;

	if (!get_string(object, "unit", unit, error))
		return false;
	if (strcmp(unit, "tsc"))
		return error_set(error, "unit \"%s\" is not known (only \"tsc\" is)", unit);
	return get_count(object, "overhead", &c->overhead, error) &&
	       get_count(object, "overhead_max", &c->overhead_max, error) &&
	       get_bool(object, "stable", &c->stable, error) &&
	       (!json_object_get(object, "clock") || get_count(object, "clock", &c->clock, error)) &&
	       (!json_object_get(object, "skew_bound") || (get_count(object, "skew", &c->skew, error) &&
							   get_count(object, "skew_bound", &c->skew_bound, error))) &&
	       get_empty(object, c, error);
}

static bool parse_why(json_t *object, struct record *record, struct error *error)
{
	return get_identity(object, record, error) && get_string(object, "why", record->why, error);
}

static bool parse_finding(json_t *object, struct record *record, struct error *error)
{
	protocol_string name;

	return get_string(object, "name", name, error) && finding_from_json(&record->finding, name, object, error);
}

static bool parse_end(json_t *object, struct record *record, struct error *error)
{
	return get_count(object, "lines", &record->lines, error) &&
	       (!json_object_get(object, "drift") || get_count(object, "drift", &record->drift, error));
}

static bool parse_object(json_t *object, struct record *record, struct error *error)
{
	static const struct {
		const char *name;
		enum record_type type;
		bool (*parse)(json_t *object, struct record *record, struct error *error);
	} types[] = {
		{"run", RECORD_RUN, parse_run},          {"calibration", RECORD_CALIBRATION, parse_calibration},
		{"sample", RECORD_SAMPLE, parse_sample}, {"skip", RECORD_SKIP, parse_why},
		{"fail", RECORD_FAIL, parse_why},        {"finding", RECORD_FINDING, parse_finding},
		{"end", RECORD_END, parse_end},
	};
	protocol_string type;

	if (!get_string(object, "type", type, error))
		return false;
	for (size_t i = 0; i < array_size(types); i++) {
		if (strcmp(type, types[i].name))
			continue;
		record->type = types[i].type;
		return types[i].parse(object, record, error);
	}
	return error_set(error, "the type \"%s\" is not known", type);
}

/*
 * The text as JSON, NULL if it is damaged. Roottasks write whole objects that are not too long, so that it is damage,
 * too, when they do not arrive as such.
 */
static json_t *load(const char *text, size_t len, bool *sealed, struct error *error)
{
	json_error_t where;
	json_t *object;

	*sealed = false;
	if (len > PROTOCOL_LINE_MAX) {
		error_store(error, "longer than %d bytes", PROTOCOL_LINE_MAX);
		return NULL;
	}
	if (line_seal_present(text, len)) {
		*sealed = line_seal_whole(text, len);
		if (!*sealed) {
			error_store(error, "its checksum is wrong");
			return NULL;
		}
	}
	object = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
	if (!object)
		error_store(error, "not JSON: %s at column %d", where.text, where.column);
	return object;
}

bool protocol_parse(const char *line, size_t len, struct record *record, struct error *error)
{
	const size_t prefix = strlen(PROTOCOL_PREFIX);
	const char *start = memmem(line, len, PROTOCOL_PREFIX, prefix);
	json_t *object;
	bool good;

	memset(record, 0, sizeof(*record));
	if (!start)
		return true;
	start += prefix;
	object = load(start, len - (size_t)(start - line), &record->sealed, error);
	record->damaged = !object;
	if (!object)
		return false;
	good = json_is_object(object) ? parse_object(object, record, error) : error_set(error, "not a JSON object");
	if (good && record->sealed)
		good = get_count(object, "line", &record->line, error);
	json_decref(object);
	if (!good)
		record_free(record);
	return good;
}

void record_free(struct record *record)
{
	sample_free(&record->sample);
	hist_free(&record->calibration.hist);
	record->type = RECORD_NONE;
}
