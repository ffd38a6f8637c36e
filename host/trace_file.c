/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/trace_file.h"

#include "host/file.h"
#include "host/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)5 << 30) /* rings of 32 MiB on all CPUs are 4 GiB */
#define CHUNK_TYPE(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

enum chunk_type {
	CHUNK_META = CHUNK_TYPE('H', 'T', 'R', 'C'), /* the first one, so that the file is known by it */
	CHUNK_RECORDS = CHUNK_TYPE('R', 'E', 'C', 'S'),
	CHUNK_PATHS = CHUNK_TYPE('P', 'A', 'T', 'H'),
	CHUNK_LOST = CHUNK_TYPE('L', 'O', 'S', 'T'),
	CHUNK_END = CHUNK_TYPE('E', 'N', 'D', '.'), /* the last one, so that nothing can be cut off */
};

/* The payload follows, then zeros up to a multiple of 8 bytes. Little endian, as the host and all targets are. */
struct chunk {
	uint32_t type, cpu;
	uint64_t bytes;
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are copies of memory");

struct input {
	const unsigned char *at;
	size_t left;
	bool ended;
};

void trace_init(struct trace *trace, uint32_t tsc_khz)
{
	memset(trace, 0, sizeof(*trace));
	trace->meta = json_object();
	json_object_set_new(trace->meta, "format", json_string(TRACE_FORMAT));
	json_object_set_new(trace->meta, "tsc_khz", json_integer(tsc_khz));
}

uint64_t trace_khz(const struct trace *trace)
{
	return (uint64_t)json_integer_value(json_object_get(trace->meta, "tsc_khz"));
}

const char *trace_text(const struct trace *trace, const char *key)
{
	const char *text = json_string_value(json_object_get(trace->meta, key));

	return text ? text : "";
}

unsigned trace_counters(const struct trace *trace)
{
	return (unsigned)json_array_size(json_object_get(trace->meta, "counters"));
}

enum trace_counter trace_counter(const struct trace *trace, unsigned index)
{
	const json_t *name = json_array_get(json_object_get(trace->meta, "counters"), index);

	return (enum trace_counter)trace_counter_find(json_string_value(name));
}

static bool check_counters(const json_t *meta, struct error *error)
{
	const json_t *list = json_object_get(meta, "counters");

	if (!list)
		return true;
	if (!json_is_array(list) || json_array_size(list) > TRACE_COUNTERS_MAX)
		return error_set(error, "\"counters\" is not an array of at most %d names", TRACE_COUNTERS_MAX);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));

		if (!name || trace_counter_find(name) < 0)
			return error_set(error, "\"counters\" names a counter that is not known");
	}
	return true;
}

/* When each case ran. */
static bool check_cases(const json_t *meta, struct error *error)
{
	const json_t *list = json_object_get(meta, "cases");

	if (list && !json_is_array(list))
		return error_set(error, "\"cases\" is not an array");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *c = json_array_get(list, i), *begin = json_object_get(c, "begin");
		const json_t *end = json_object_get(c, "end");

		if (!json_is_string(json_object_get(c, "name")) || !json_is_integer(begin) || !json_is_integer(end) ||
		    json_integer_value(begin) < 0 || json_integer_value(end) < json_integer_value(begin))
			return error_set(error, "a case has no name, or no time from when to when it ran");
	}
	return true;
}

static bool check_meta(const json_t *meta, struct error *error)
{
	const char *format = json_string_value(json_object_get(meta, "format"));
	const json_t *khz = json_object_get(meta, "tsc_khz");

	if (!format || strcmp(format, TRACE_FORMAT))
		return error_set(error, "it is of the format \"%.40s\", not \"" TRACE_FORMAT "\"",
				 format ? format : "");
	if (!json_is_integer(khz) || json_integer_value(khz) < 1 || json_integer_value(khz) > UINT32_MAX)
		return error_set(error, "\"tsc_khz\" is not the rate of a clock");
	if (json_object_get(meta, "period") && json_integer_value(json_object_get(meta, "period")) < 1)
		return error_set(error, "\"period\" is no number of cycles");
	return check_counters(meta, error) && check_cases(meta, error);
}

static bool check_records(const struct trace_cpu *cpu, unsigned number, struct error *error)
{
	for (size_t i = 0; i < cpu->count; i++) {
		const struct trace_record *r = &cpu->records[i];

		if (r->event >= TRACE_EVENTS)
			return error_set(error, "CPU %u: record %zu is of an event that is not known, %u", number, i,
					 r->event);
		/* Numbers wrap around; a gap is of records that were lost in between. */
		if (i && (int32_t)(r->seq - r[-1].seq) <= 0)
			return error_set(error, "CPU %u: record %zu has the number %u after %u", number, i, r->seq,
					 r[-1].seq);
	}
	return true;
}

bool trace_check(const struct trace *trace, struct error *error)
{
	if (!check_meta(trace->meta, error))
		return false;
	for (unsigned i = 0; i < HEDRON_CPU_MAX; i++)
		if (!check_records(&trace->cpus[i], i, error))
			return false;
	return true;
}

static bool take_meta(struct trace *trace, const struct chunk *chunk, const void *data, struct error *error)
{
	json_error_t where;

	if (trace->meta)
		return error_set(error, "it describes itself twice");
	trace->meta = json_loadb(data, chunk->bytes, JSON_REJECT_DUPLICATES, &where);
	if (!trace->meta)
		return error_set(error, "its description is not JSON: %s at column %d", where.text, where.column);
	return json_is_object(trace->meta) || error_set(error, "its description is no JSON object");
}

static void *copy_of(const struct chunk *chunk, const void *data)
{
	void *copy = xcalloc(1, chunk->bytes);

	if (chunk->bytes)
		memcpy(copy, data, chunk->bytes);
	return copy;
}

static bool take_records(struct trace_cpu *cpu, const struct chunk *chunk, const void *data, struct error *error)
{
	if (cpu->records || chunk->bytes % sizeof(*cpu->records))
		return error_set(error, "the records of CPU %u come twice or are cut off", chunk->cpu);
	cpu->records = copy_of(chunk, data);
	cpu->count = chunk->bytes / sizeof(*cpu->records);
	return true;
}

static bool take_paths(struct trace_cpu *cpu, const struct chunk *chunk, const void *data, struct error *error)
{
	if (cpu->paths || chunk->bytes != TRACE_PATHS * sizeof(*cpu->paths))
		return error_set(error, "the paths of CPU %u come twice or are not %d", chunk->cpu, TRACE_PATHS);
	cpu->paths = copy_of(chunk, data);
	return true;
}

static bool take_lost(struct trace_cpu *cpu, const struct chunk *chunk, const void *data, struct error *error)
{
	if (cpu->known || chunk->bytes != sizeof(cpu->lost))
		return error_set(error, "the lost records of CPU %u come twice or are no number", chunk->cpu);
	memcpy(&cpu->lost, data, sizeof(cpu->lost));
	cpu->known = true;
	return true;
}

static bool take_end(struct input *in, const struct chunk *chunk, struct error *error)
{
	in->ended = true;
	return (!chunk->bytes && !in->left) || error_set(error, "something follows its end");
}

static bool take(struct trace *trace, const struct chunk *chunk, const void *data, struct error *error)
{
	if (chunk->type == CHUNK_META)
		return take_meta(trace, chunk, data, error);
	if (chunk->cpu >= HEDRON_CPU_MAX)
		return error_set(error, "there is no CPU %u", chunk->cpu);
	switch ((enum chunk_type)chunk->type) {
	case CHUNK_RECORDS:
		return take_records(&trace->cpus[chunk->cpu], chunk, data, error);
	case CHUNK_PATHS:
		return take_paths(&trace->cpus[chunk->cpu], chunk, data, error);
	case CHUNK_LOST:
		return take_lost(&trace->cpus[chunk->cpu], chunk, data, error);
	default:
		return error_set(error, "it has a part of an unknown kind, %08x", chunk->type);
	}
}

static bool only_zeros(const unsigned char *data, size_t size)
{
	while (size)
		if (data[--size])
			return false;
	return true;
}

static bool next(struct input *in, struct trace *trace, struct error *error)
{
	struct chunk chunk;
	uint64_t padding;

	if (in->left < sizeof(chunk))
		return error_set(error, "it is cut off");
	memcpy(&chunk, in->at, sizeof(chunk));
	in->at += sizeof(chunk);
	in->left -= sizeof(chunk);
	padding = -chunk.bytes & 7;
	if (chunk.bytes > in->left || padding > in->left - chunk.bytes)
		return error_set(error, "it is cut off: %zu bytes follow where %ju should", in->left,
				 (uintmax_t)chunk.bytes);
	if (!only_zeros(in->at + chunk.bytes, padding))
		return error_set(error, "there is something where nothing should be");
	if (chunk.type == CHUNK_END)
		return take_end(in, &chunk, error);
	if (!take(trace, &chunk, in->at, error))
		return false;
	in->at += chunk.bytes + padding;
	in->left -= chunk.bytes + padding;
	return true;
}

/* A CPU has all of its parts or none. */
static bool check_parts(const struct trace *trace, struct error *error)
{
	for (unsigned i = 0; i < HEDRON_CPU_MAX; i++) {
		const struct trace_cpu *cpu = &trace->cpus[i];

		if (cpu->known != (cpu->records != NULL) || (cpu->paths && !cpu->known))
			return error_set(error, "parts of CPU %u are missing", i);
	}
	return true;
}

bool trace_parse(struct trace *trace, const void *data, size_t size, struct error *error)
{
	struct input in = {.at = data, .left = size};
	uint32_t type = 0;
	bool good = true;

	memset(trace, 0, sizeof(*trace));
	if (size >= sizeof(type))
		memcpy(&type, data, sizeof(type));
	if (type != CHUNK_META)
		return error_set(error, "it is no trace");
	while (good && !in.ended)
		good = next(&in, trace, error);
	good = good && check_parts(trace, error) && trace_check(trace, error);
	if (!good)
		trace_free(trace);
	return good;
}

bool trace_load(struct trace *trace, const char *path, struct error *error)
{
	size_t size;
	char *data = file_read(path, FILE_MAX, &size, error);
	struct error why;
	bool good = data && trace_parse(trace, data, size, &why);

	if (data && !good)
		error_store(error, "%s: %.900s", path, why.text);
	free(data);
	return good;
}

static void put(FILE *out, enum chunk_type type, unsigned cpu, const void *data, size_t bytes)
{
	const struct chunk chunk = {type, cpu, bytes};
	const char zeros[8] = {0};

	fwrite(&chunk, sizeof(chunk), 1, out);
	fwrite(data, 1, bytes, out);
	fwrite(zeros, 1, -bytes & 7, out);
}

static void put_cpu(FILE *out, unsigned number, const struct trace_cpu *cpu)
{
	put(out, CHUNK_LOST, number, &cpu->lost, sizeof(cpu->lost));
	put(out, CHUNK_RECORDS, number, cpu->count ? (const void *)cpu->records : "",
	    cpu->count * sizeof(*cpu->records));
	if (cpu->paths)
		put(out, CHUNK_PATHS, number, cpu->paths, TRACE_PATHS * sizeof(*cpu->paths));
}

static void put_trace(FILE *out, const struct trace *trace)
{
	char *meta = json_dumps(trace->meta, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);

	put(out, CHUNK_META, 0, meta ? meta : "", meta ? strlen(meta) : 0);
	free(meta);
	for (unsigned i = 0; i < HEDRON_CPU_MAX; i++)
		if (trace->cpus[i].known)
			put_cpu(out, i, &trace->cpus[i]);
	put(out, CHUNK_END, 0, "", 0);
}

bool trace_write(const struct trace *trace, char **data, size_t *size, struct error *error)
{
	FILE *out = open_memstream(data, size);

	if (!out)
		return error_set(error, "out of memory");
	put_trace(out, trace);
	return !fclose(out) || error_set(error, "out of memory");
}

bool trace_save(const struct trace *trace, const char *path, struct error *error)
{
	char *data = NULL;
	size_t size = 0;
	bool good = trace_write(trace, &data, &size, error) && file_replace(path, data, size, error);

	free(data);
	return good;
}

void trace_free(struct trace *trace)
{
	json_decref(trace->meta);
	for (unsigned i = 0; i < HEDRON_CPU_MAX; i++) {
		free(trace->cpus[i].records);
		free(trace->cpus[i].paths);
	}
	memset(trace, 0, sizeof(*trace));
}
