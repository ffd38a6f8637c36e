/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "result/result.h"

#include "host/json_file.h"
#include "host/mem.h"

#include <stdlib.h>
#include <string.h>

void result_init(struct result *result, const char *machine, const char *suite, const char *metric)
{
	*result = (struct result){.context = json_object()};
	result_set_text(result, "schema", RESULT_SCHEMA);
	result_set_text(result, "machine", machine);
	result_set_text(result, "suite", suite);
	result_set_text(result, "metric", metric);
}

const char *result_text(const struct result *result, const char *key)
{
	const char *text = json_string_value(json_object_get(result->context, key));

	return text ? text : "";
}

bool result_traced(const struct result *result)
{
	return json_is_true(json_object_get(result->context, "traced"));
}

void result_set_text(struct result *result, const char *key, const char *value)
{
	json_object_set_new(result->context, key, json_file_string(value));
}

void result_set_number(struct result *result, const char *key, int64_t value)
{
	json_object_set_new(result->context, key, json_integer(value));
}

static struct benchmark *find(const struct result *result, const char *name)
{
	for (size_t i = 0; i < result->count; i++)
		if (!strcmp(result->benchmarks[i].name, name))
			return &result->benchmarks[i];
	return NULL;
}

const struct benchmark *result_find(const struct result *result, const char *name)
{
	return find(result, name);
}

static struct benchmark *create(struct result *result, const char *name)
{
	struct benchmark *b;

	result->benchmarks = xreallocarray(result->benchmarks, result->count + 1, sizeof(*b));
	b = &result->benchmarks[result->count++];
	*b = (struct benchmark){.name = xstrdup(name)};
	return b;
}

void result_add(struct result *result, const char *name, const struct sample *sample)
{
	struct benchmark *b = find(result, name);

	if (!b)
		b = create(result, name);
	b->boots = xreallocarray(b->boots, b->boot_count + 1, sizeof(*b->boots));
	b->boots[b->boot_count++] = *sample;
}

void result_merge(struct result *result)
{
	for (size_t i = 0; i < result->count; i++) {
		struct benchmark *b = &result->benchmarks[i];

		sample_free(&b->merged);
		b->merged = sample_merge(b->boots, b->boot_count);
	}
}

const char *result_skip_reason(const struct result *result, const char *name)
{
	json_t *skipped = json_object_get(result->context, "skipped");

	return json_string_value(json_object_get(skipped, name));
}

void result_add_skip(struct result *result, const char *name, const char *why)
{
	json_t *skipped = json_object_get(result->context, "skipped");

	if (!skipped) {
		skipped = json_object();
		json_object_set_new(result->context, "skipped", skipped);
	}
	json_object_set_new(skipped, name, json_file_string(why));
}

struct result result_copy(const struct result *result)
{
	struct result copy = {.context = json_deep_copy(result->context)};

	for (size_t i = 0; i < result->count; i++) {
		const struct benchmark *b = &result->benchmarks[i];

		for (size_t k = 0; k < b->boot_count; k++) {
			struct sample sample = sample_copy(&b->boots[k]);

			result_add(&copy, b->name, &sample);
		}
	}
	result_merge(&copy);
	return copy;
}

void result_free(struct result *result)
{
	for (size_t i = 0; i < result->count; i++) {
		struct benchmark *b = &result->benchmarks[i];

		for (size_t k = 0; k < b->boot_count; k++)
			sample_free(&b->boots[k]);
		sample_free(&b->merged);
		free(b->boots);
		free(b->name);
	}
	free(result->benchmarks);
	json_decref(result->context);
	*result = (struct result){0};
}
