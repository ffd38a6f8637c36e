/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/trace_lines.h"

#include "host/line_seal.h"
#include "host/mem.h"
#include "host/trace_file.h"

#include <stdlib.h>
#include <string.h>

#define DATA_MAX 8192 /* bytes in a line; hexadecimal digits are twice as many */
#define RECORDS_MAX (1u << TRACE_ORDER_MAX)
#define NAME_MAX_LENGTH 255

struct data {
	unsigned char bytes[DATA_MAX];
	size_t size;
};

static bool check_seal(const char *text, size_t len, struct error *error)
{
	if (len < LINE_SEAL_LENGTH)
		return error_set(error, "a line of the trace is cut off");
	return line_seal_whole(text, len) ||
	       error_set(error, "a line of the trace is damaged: its checksum is wrong");
}

static bool get_number(const json_t *object, const char *key, uint64_t max, uint64_t *out, struct error *error)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0 || (uint64_t)json_integer_value(value) > max)
		return error_set(error, "the number \"%s\" of a trace is missing or out of range", key);
	*out = (uint64_t)json_integer_value(value);
	return true;
}

static bool get_text(const json_t *object, const char *key, size_t max, const char **out, struct error *error)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_string(value) || json_string_length(value) > max)
		return error_set(error, "the text \"%s\" of a trace is missing or too long", key);
	*out = json_string_value(value);
	return true;
}

/* A CPU that has been announced. */
static bool get_cpu(const struct trace_lines *lines, const json_t *object, struct trace_cpu **cpu, uint64_t *number,
		    struct error *error)
{
	if (!get_number(object, "cpu", HEDRON_CPU_MAX - 1, number, error))
		return false;
	*cpu = &lines->trace->cpus[*number];
	return (*cpu)->known || error_set(error, "the trace has data of CPU %ju before its head", (uintmax_t)*number);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool get_data(const json_t *object, struct data *out, struct error *error)
{
	const char *hex;

	if (!get_text(object, "data", 2 * DATA_MAX, &hex, error))
		return false;
	for (out->size = 0; *hex; hex += 2, out->size++) {
		int high = digit(hex[0]), low = high < 0 ? -1 : digit(hex[1]);

		if (low < 0)
			return error_set(error, "the data of a trace are not in hexadecimal digits");
		out->bytes[out->size] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static void name_bits(json_t *meta, const char *key, uint64_t bits, const char *(*name)(unsigned), unsigned count)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < count; i++)
		if (bits >> i & 1 && *name(i))
			json_array_append_new(list, json_string(name(i)));
	json_object_set_new(meta, key, list);
}

/* As TRACE_CTRL_COUNTERS takes them. */
static bool name_counters(json_t *meta, uint64_t counters, struct error *error)
{
	json_t *list = json_array();
	bool good = true;

	for (; counters && good; counters >>= 8) {
		unsigned counter = (unsigned)(counters & 0xff) - 1;

		good = counter < TRACE_COUNTER_KINDS && json_array_size(list) < TRACE_COUNTERS_MAX;
		json_array_append_new(list, json_string(trace_counter_name(counter)));
	}
	json_object_set_new(meta, "counters", list);
	return good || error_set(error, "the trace has counters that are not known");
}

static bool on_begin(struct trace_lines *lines, const json_t *object, struct error *error)
{
	uint64_t version, khz, events, paths, counters, period;
	json_t *meta;

	if (!get_number(object, "version", UINT32_MAX, &version, error))
		return false;
	if (version != TRACE_VERSION)
		return error_set(error, "the trace is of version %ju, and version %d is known", (uintmax_t)version,
				 TRACE_VERSION);
	if (!get_number(object, "tsc_khz", UINT32_MAX, &khz, error) ||
	    !get_number(object, "events", (1ull << TRACE_EVENTS) - 1, &events, error) ||
	    !get_number(object, "paths", (1ull << TRACE_PATHS) - 1, &paths, error) ||
	    !get_number(object, "counters", UINT32_MAX, &counters, error) ||
	    !get_number(object, "period", TRACE_PERIOD_MAX, &period, error))
		return false;
	lines->trace = xcalloc(1, sizeof(*lines->trace));
	trace_init(lines->trace, (uint32_t)khz);
	meta = lines->trace->meta;
	if (period)
		json_object_set_new(meta, "period", json_integer((json_int_t)period));
	name_bits(meta, "events", events, trace_event_name, TRACE_EVENTS);
	name_bits(meta, "paths", paths, trace_path_name, TRACE_PATHS);
	return name_counters(meta, counters, error);
}

static bool on_cpu(struct trace_lines *lines, const json_t *object, struct error *error)
{
	uint64_t number, written, records;
	struct trace_cpu *cpu;

	if (!get_number(object, "cpu", HEDRON_CPU_MAX - 1, &number, error) ||
	    !get_number(object, "written", INT64_MAX, &written, error) ||
	    !get_number(object, "records", RECORDS_MAX, &records, error))
		return false;
	cpu = &lines->trace->cpus[number];
	if (cpu->known || records > written)
		return error_set(error, "the trace has CPU %ju twice, or more records than were written",
				 (uintmax_t)number);
	cpu->known = true;
	cpu->lost = written - records;
	lines->announced[number] = records;
	return true;
}

static bool on_records(struct trace_lines *lines, const json_t *object, struct error *error)
{
	const size_t size = sizeof(struct trace_record);
	struct trace_cpu *cpu;
	uint64_t number;
	struct data data;

	if (!get_cpu(lines, object, &cpu, &number, error) || !get_data(object, &data, error))
		return false;
	if (!data.size || data.size % size || data.size / size > lines->announced[number] - cpu->count)
		return error_set(error, "the trace has no records or parts of them, or more than CPU %ju announced",
				 (uintmax_t)number);
	if (cpu->count + data.size / size > lines->gathered[number]) {
		lines->gathered[number] = 2 * (cpu->count + data.size / size);
		cpu->records = xreallocarray(cpu->records, lines->gathered[number], size);
	}
	memcpy(cpu->records + cpu->count, data.bytes, data.size);
	cpu->count += data.size / size;
	return true;
}

/* Zeros at the end are not sent. */
static bool on_path(struct trace_lines *lines, const json_t *object, struct error *error)
{
	struct trace_cpu *cpu;
	uint64_t number, path;
	struct data data;

	if (!get_cpu(lines, object, &cpu, &number, error) ||
	    !get_number(object, "path", TRACE_PATHS - 1, &path, error) || !get_data(object, &data, error))
		return false;
	if (data.size > sizeof(*cpu->paths))
		return error_set(error, "the trace has a path of %zu bytes", data.size);
	if (!cpu->paths)
		cpu->paths = xcalloc(TRACE_PATHS, sizeof(*cpu->paths));
	if (cpu->paths[path].count)
		return error_set(error, "the trace has path %ju of CPU %ju twice", (uintmax_t)path,
				 (uintmax_t)number);
	memcpy(&cpu->paths[path], data.bytes, data.size);
	return true;
}

static bool on_case(struct trace_lines *lines, const json_t *object, struct error *error)
{
	json_t *cases = json_object_get(lines->trace->meta, "cases");
	uint64_t begin, end;
	const char *name;

	if (!get_text(object, "name", NAME_MAX_LENGTH, &name, error) ||
	    !get_number(object, "begin", INT64_MAX, &begin, error) ||
	    !get_number(object, "end", INT64_MAX, &end, error))
		return false;
	if (!cases) {
		cases = json_array();
		json_object_set_new(lines->trace->meta, "cases", cases);
	}
	json_array_append_new(
		cases, json_pack("{s:s,s:I,s:I}", "name", name, "begin", (json_int_t)begin, "end", (json_int_t)end));
	return true;
}

static bool on_end(struct trace_lines *lines, const json_t *object, struct error *error)
{
	(void)object;
	for (unsigned i = 0; i < HEDRON_CPU_MAX; i++)
		if (lines->announced[i] != lines->trace->cpus[i].count)
			return error_set(error, "the trace has %zu of %zu records of CPU %u",
					 lines->trace->cpus[i].count, lines->announced[i], i);
	lines->ended = true;
	return trace_check(lines->trace, error);
}

static bool on_none(struct trace_lines *lines, const json_t *object, struct error *error)
{
	const char *why;

	if (!get_text(object, "why", sizeof(lines->why) - 1, &why, error))
		return false;
	strcpy(lines->why, *why ? why : "it does not say why");
	return true;
}

static bool take(struct trace_lines *lines, const json_t *object, struct error *error)
{
	static const struct {
		const char *name;
		bool first;
		bool (*take)(struct trace_lines *lines, const json_t *object, struct error *error);
	} types[] = {{"begin", true, on_begin},      {"none", true, on_none},  {"cpu", false, on_cpu},
		     {"records", false, on_records}, {"path", false, on_path}, {"case", false, on_case},
		     {"end", false, on_end}};
	uint64_t number;
	const char *type;

	if (!get_text(object, "type", NAME_MAX_LENGTH, &type, error) ||
	    !get_number(object, "line", INT64_MAX, &number, error))
		return false;
	if (number != lines->lines)
		return error_set(error, "lines of the trace are missing: %ju came after %ju lines", (uintmax_t)number,
				 (uintmax_t)lines->lines);
	for (size_t i = 0; i < array_size(types); i++)
		if (!strcmp(type, types[i].name) && types[i].first == !lines->trace && !lines->ended && !*lines->why)
			return types[i].take(lines, object, error);
	return error_set(error, "a line of the trace is out of order, or of an unknown type: %s", type);
}

bool trace_lines_take(struct trace_lines *lines, const char *line, size_t len, bool *mine, struct error *error)
{
	const char *start = memmem(line, len, TRACE_PREFIX, strlen(TRACE_PREFIX));
	json_error_t where;
	json_t *object;
	bool good;

	*mine = start;
	if (!start)
		return true;
	start += strlen(TRACE_PREFIX);
	len -= (size_t)(start - line);
	if (!check_seal(start, len, error))
		return false;
	object = json_loadb(start, len, JSON_REJECT_DUPLICATES, &where);
	if (!object)
		return error_set(error, "a line of the trace is not JSON: %s at column %d", where.text, where.column);
	good = take(lines, object, error);
	json_decref(object);
	lines->lines++;
	return good;
}

struct trace *trace_lines_finish(struct trace_lines *lines, struct error *error)
{
	struct trace *trace = lines->trace;

	if (*lines->why)
		error_store(error, "the roottask cannot trace: %s", lines->why);
	else if (!trace)
		error_store(error, "no trace came: is the roottask one that can?");
	else if (!lines->ended)
		error_store(error, "the trace is cut off after %ju lines", (uintmax_t)lines->lines);
	if (!lines->ended)
		return NULL;
	lines->trace = NULL;
	return trace;
}

void trace_lines_free(struct trace_lines *lines)
{
	if (lines->trace)
		trace_free(lines->trace);
	free(lines->trace);
	memset(lines, 0, sizeof(*lines));
}
