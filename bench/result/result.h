/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A result file: Google Benchmark's JSON with our own members beside its own. `context` says what was measured where;
 * every benchmark keeps the sample of each boot, histogram included. Baselines are result files too.
 */
#pragma once

#include "host/error.h"
#include "result/sample.h"

#include <jansson.h>

#define RESULT_SCHEMA "hbench-2"
#define RESULT_SCHEMA_BEFORE "hbench-1" /* without "per", and with histograms of B = 32 and less; still read */

struct benchmark {
	char *name; /* "suite/case/param:value" */
	struct sample *boots;
	size_t boot_count;
	struct sample merged; /* of all boots */
};

struct result {
	json_t *context;
	struct benchmark *benchmarks;
	size_t count;
};

/* An empty result for a suite on a machine, counted in a metric ("instructions", "ticks"). */
void result_init(struct result *result, const char *machine, const char *suite, const char *metric);

/* True when the kernel was traced meanwhile: tracing takes time, so the numbers are no measure of the kernel. */
bool result_traced(const struct result *result);

/* Text of a member of the context, "" when there is none. */
const char *result_text(const struct result *result, const char *key);

void result_set_text(struct result *result, const char *key, const char *value);
void result_set_number(struct result *result, const char *key, int64_t value);

/* Adds one boot's sample to a benchmark, which is created when new. Takes the sample's histogram over. */
void result_add(struct result *result, const char *name, const struct sample *sample);

/* Recomputes the merged samples; to be called after the last result_add(). */
void result_merge(struct result *result);

const struct benchmark *result_find(const struct result *result, const char *name);

/* Why a case was skipped, or NULL. */
const char *result_skip_reason(const struct result *result, const char *name);
void result_add_skip(struct result *result, const char *name, const char *why);

json_t *result_to_json(const struct result *result);
bool result_from_json(struct result *result, const json_t *root, struct error *error) must_check;

bool result_load(struct result *result, const char *path, struct error *error) must_check;
bool result_save(const struct result *result, const char *path, struct error *error) must_check;

struct result result_copy(const struct result *result);
void result_free(struct result *result);
