/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recorded trace, and the file it is kept in (docs/tracing.md, "The file"). What is in it: <hedron/trace.h>. Files
 * and consoles come from elsewhere, so whoever fills a trace has it checked; what is checked can be relied on.
 */
#pragma once

#include "host/error.h"

#include <hedron/trace.h>
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_FORMAT "htrace-1"

struct trace_cpu {
	bool known;                   /* it has been traced, maybe without any record */
	uint64_t lost;                /* records that were overwritten before they were read */
	struct trace_record *records; /* oldest first */
	size_t count;
	struct trace_path *paths; /* TRACE_PATHS of them, or NULL */
};

struct trace {
	json_t *meta;
	struct trace_cpu cpus[HEDRON_CPU_MAX];
};

/* An empty trace: `meta` has the format and the clock. */
void trace_init(struct trace *trace, uint32_t tsc_khz);

uint64_t trace_khz(const struct trace *trace);

/* Text of a member of `meta`, "" when there is none. */
const char *trace_text(const struct trace *trace, const char *key);

/* What TRACE_CTRL_COUNTERS had chosen: their number, and by index. */
unsigned trace_counters(const struct trace *trace);
enum trace_counter trace_counter(const struct trace *trace, unsigned index);

/* "hypercall_end" -> TRACE_HYPERCALL_END; the same for paths ("vm_exit", "call", "sm_ctrl") and counters; -1: no. */
int trace_event_find(const char *name);
int trace_path_find(const char *name);
int trace_counter_find(const char *name);

/* The other way round; "" where there is no path of this number. Static. */
const char *trace_event_name(unsigned event);
const char *trace_path_name(unsigned path);
const char *trace_counter_name(unsigned counter);

/* False when something in it cannot be. */
bool trace_check(const struct trace *trace, struct error *error) must_check;

/* Both check. */
bool trace_parse(struct trace *trace, const void *data, size_t size, struct error *error) must_check;
bool trace_load(struct trace *trace, const char *path, struct error *error) must_check;

/* As a file has it; to be freed. */
bool trace_write(const struct trace *trace, char **data, size_t *size, struct error *error) must_check;
bool trace_save(const struct trace *trace, const char *path, struct error *error) must_check;

void trace_free(struct trace *trace);
