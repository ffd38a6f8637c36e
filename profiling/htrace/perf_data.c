/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Manual: perf_event_open(2) for attributes and records, tools/perf/Documentation/perf.data-file-format.txt of Linux
 * for the file around them.
 */
#include "perf_data.h"

#include "host/exit_code.h"
#include "host/file.h"
#include "host/mem.h"
#include "host/trace_file.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 0x32454c4946524550ull /* "PERFILE2" */
#define SAMPLE_TYPE                                                                                       \
	(PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | \
	 PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN)
#define EVENT_ID 1
#define KERNEL_PROCESS UINT32_MAX
#define NO_KERNEL_ADDRESS 0xfffffffffffff000 /* nothing runs there */

struct section {
	uint64_t offset, size;
};

struct file_header {
	uint64_t magic, size, attribute_size;
	struct section attributes, data, event_types;
	uint64_t features[4];
};

/* What stands before the data: one event, one identifier. */
struct prefix {
	struct file_header header;
	uint64_t id;
	struct perf_event_attr attribute;
	struct section ids;
};

struct sample_record {
	struct perf_event_header header;
	uint64_t id, ip;
	uint32_t pid, tid;
	uint64_t time;
	uint32_t cpu, reserved;
	uint64_t period;
	uint64_t depth, context, frame; /* a stack of one, so that tools for stacks take it */
};

struct mapping_record {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t address, length, offset;
};

struct name_record {
	struct perf_event_header header;
	uint32_t pid, tid;
};

struct perf_data {
	FILE *out;
	char *bytes;
	size_t size;
	uint64_t period;
	uint32_t *threads;
	size_t thread_count;
};

/* A record that ends in a text, padded to 8 bytes. */
static void put_named(struct perf_data *data, void *record, size_t size, const char *name)
{
	struct perf_event_header *header = record;
	size_t length = strlen(name) + 1, padded = (length + 7) & ~(size_t)7;
	const char zeros[8] = {0};

	header->size = (uint16_t)(size + padded);
	fwrite(record, size, 1, data->out);
	fwrite(name, length, 1, data->out);
	fwrite(zeros, 1, padded - length, data->out);
}

void perf_data_thread(struct perf_data *data, unsigned thread, const char *name)
{
	struct name_record record = {{PERF_RECORD_COMM, PERF_RECORD_MISC_COMM_EXEC, 0}, thread, thread};

	data->threads = xreallocarray(data->threads, data->thread_count + 1, sizeof(*data->threads));
	data->threads[data->thread_count++] = thread;
	put_named(data, &record, sizeof(record), name);
}

/* Without a kernel perf warns that it lacks the symbols of one, and looks for those of the machine it runs on. */
static void put_no_kernel(struct perf_data *data)
{
	struct mapping_record record = {
		.header = {PERF_RECORD_MMAP, PERF_RECORD_MISC_KERNEL, 0},
		.pid = KERNEL_PROCESS,
		.address = NO_KERNEL_ADDRESS,
		.length = 1,
	};

	put_named(data, &record, sizeof(record), "[kernel.kallsyms]_text");
}

static void put_mapping(struct perf_data *data, uint32_t process, const struct symbols_code *code, const char *path)
{
	bool kernel = process == KERNEL_PROCESS;
	struct mapping_record record = {
		.header = {PERF_RECORD_MMAP, kernel ? PERF_RECORD_MISC_KERNEL : PERF_RECORD_MISC_USER, 0},
		.pid = process,
		.tid = kernel ? 0 : process,
		.address = code->address,
		.length = code->size,
		.offset = code->offset,
	};

	put_named(data, &record, sizeof(record), path);
}

struct perf_data *perf_data_create(uint64_t period)
{
	struct perf_data *data = xcalloc(1, sizeof(*data));

	data->period = period;
	data->out = open_memstream(&data->bytes, &data->size);
	if (!data->out) {
		complain("out of memory");
		exit(EXIT_RUN_INVALID);
	}
	put_no_kernel(data);
	return data;
}

void perf_data_code(struct perf_data *data, bool kernel, const struct symbols *symbols)
{
	for (size_t i = 0; i < symbols->code_count; i++) {
		if (kernel) {
			put_mapping(data, KERNEL_PROCESS, &symbols->code[i], symbols->path);
			continue;
		}
		for (size_t k = 0; k < data->thread_count; k++)
			put_mapping(data, data->threads[k], &symbols->code[i], symbols->path);
	}
}

void perf_data_sample(struct perf_data *data, const struct perf_sample *sample)
{
	bool kernel = sample->mode == TRACE_MODE_KERNEL;
	const struct sample_record record = {
		/* No code is mapped for guests. */
		.header = {PERF_RECORD_SAMPLE, kernel ? PERF_RECORD_MISC_KERNEL : PERF_RECORD_MISC_USER,
			   sizeof(record)},
		.id = EVENT_ID,
		.ip = sample->ip,
		.pid = sample->thread,
		.tid = sample->thread,
		.time = sample->ns,
		.cpu = sample->cpu,
		.period = data->period,
		.depth = 2,
		.context = kernel ? PERF_CONTEXT_KERNEL : PERF_CONTEXT_USER,
		.frame = sample->ip,
	};

	fwrite(&record, sizeof(record), 1, data->out);
}

static void fill_prefix(struct prefix *p, uint64_t data_size, uint64_t period)
{
	memset(p, 0, sizeof(*p));
	p->header.magic = MAGIC;
	p->header.size = sizeof(p->header);
	p->header.attribute_size = sizeof(p->attribute) + sizeof(p->ids);
	p->header.attributes = (struct section){offsetof(struct prefix, attribute), p->header.attribute_size};
	p->header.data = (struct section){sizeof(*p), data_size};
	p->id = EVENT_ID;
	p->ids = (struct section){offsetof(struct prefix, id), sizeof(p->id)};
	p->attribute.type = PERF_TYPE_HARDWARE;
	p->attribute.config = PERF_COUNT_HW_CPU_CYCLES;
	p->attribute.size = sizeof(p->attribute);
	p->attribute.sample_period = period;
	p->attribute.sample_type = SAMPLE_TYPE;
	p->attribute.exclude_guest = 1; /* what perf sets by default, and so does not mention */
}

bool perf_data_finish(struct perf_data *data, const char *path, struct error *error)
{
	struct prefix prefix;
	char *all = NULL;
	bool good = !fclose(data->out) || error_set(error, "out of memory");

	if (good) {
		fill_prefix(&prefix, data->size, data->period);
		all = xcalloc(1, sizeof(prefix) + data->size);
		memcpy(all, &prefix, sizeof(prefix));
		memcpy(all + sizeof(prefix), data->bytes, data->size);
		good = file_replace(path, all, sizeof(prefix) + data->size, error);
	}
	free(all);
	free(data->bytes);
	free(data->threads);
	free(data);
	return good;
}
