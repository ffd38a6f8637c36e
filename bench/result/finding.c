/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "result/finding.h"

#include "host/json_file.h"
#include "host/mem.h"
#include "result/name.h"

#include <stdio.h>
#include <string.h>

#define KEY "findings" /* in the context of a result: an object, by name */

static const char *const weights[FINDING_WEIGHTS] = {"fact", "note", "doubt", "obstacle"};

const char *finding_weight_name(enum finding_weight weight)
{
	return weights[weight];
}

void finding_value_text(const struct finding *f, finding_text out)
{
	if (f->counted)
		snprintf(out, sizeof(finding_text), "%ju", (uintmax_t)f->amount);
	else
		strcpy(out, f->state);
}

bool finding_agrees(const struct finding *a, const struct finding *b)
{
	bool matters = a->weight >= FINDING_DOUBT || b->weight >= FINDING_DOUBT;

	if (a->counted && b->counted)
		return a->weight == b->weight || !matters;
	return a->weight == b->weight && !strcmp(a->state, b->state);
}

/* --- one finding --- */

static bool get_text(const json_t *object, const char *key, finding_text out, struct error *error)
{
	return json_file_printable(object, key, out, sizeof(finding_text), error);
}

static bool get_weight(struct finding *f, const json_t *object, struct error *error)
{
	finding_text word;

	if (!get_text(object, "weight", word, error))
		return false;
	for (size_t i = 0; i < array_size(weights); i++)
		if (!strcmp(word, weights[i])) {
			f->weight = (enum finding_weight)i;
			return true;
		}
	return error_set(error, "the weight \"%s\" is not known", word);
}

static bool get_value(struct finding *f, const json_t *object, struct error *error)
{
	const json_t *amount = json_object_get(object, "amount");

	f->counted = amount;
	if (f->counted == !!json_object_get(object, "state"))
		return error_set(error, "a finding has either a \"state\" or an \"amount\"");
	if (!f->counted)
		return get_text(object, "state", f->state, error);
	if (!json_is_integer(amount) || json_integer_value(amount) < 0)
		return error_set(error, "\"amount\" is negative or not an integer");
	f->amount = (uint64_t)json_integer_value(amount);
	return true;
}

/* They ascend, none is empty, and together they are what was counted. */
static bool add_size(struct finding *f, const json_t *triple, uint64_t *from, uint64_t *left)
{
	json_int_t lower, width, count;
	bool whole = !json_unpack((json_t *)triple, "[I,I,I!]", &lower, &width, &count);

	if (!whole || lower < 0 || width < 1 || count < 1 || (uint64_t)lower < *from || (uint64_t)count > *left ||
	    f->size_count == FINDING_SIZES_MAX)
		return false;
	f->sizes[f->size_count++] = (struct bin){(uint64_t)lower, (uint64_t)width, (uint64_t)count};
	*from = (uint64_t)lower + (uint64_t)width;
	*left -= (uint64_t)count;
	return true;
}

static bool get_sizes(struct finding *f, const json_t *object, struct error *error)
{
	const json_t *sizes = json_object_get(object, "sizes"), *triple;
	uint64_t from = 0, left = f->amount;
	size_t i;

	if (!sizes)
		return true;
	if (!f->counted || !json_is_array(sizes))
		return error_set(error, "\"sizes\" is not an array, or there is no \"amount\"");
	json_array_foreach((json_t *)sizes, i, triple) if (!add_size(f, triple, &from, &left)) return error_set(
		error, "\"sizes\" is not of [lower, width, count], ascending");
	return !left || error_set(error, "\"sizes\" are of fewer than the \"amount\"");
}

bool finding_from_json(struct finding *f, const char *name, const json_t *object, struct error *error)
{
	*f = (struct finding){0};
	if (!json_is_object(object))
		return error_set(error, "a finding is not an object");
	if (!name_valid(name) || strlen(name) > FINDING_TEXT_MAX)
		return error_set(error, "the name of a finding must be of a-z, 0-9 and _");
	strcpy(f->name, name);
	return get_weight(f, object, error) && get_value(f, object, error) && get_sizes(f, object, error) &&
	       (!json_object_get(object, "why") || get_text(object, "why", f->why, error));
}

static json_t *to_json(const struct finding *f)
{
	json_t *object = json_pack("{s:s}", "weight", weights[f->weight]), *sizes;

	if (f->counted)
		json_object_set_new(object, "amount", json_integer((json_int_t)f->amount));
	else
		json_object_set_new(object, "state", json_string(f->state));
	if (*f->why)
		json_object_set_new(object, "why", json_string(f->why));
	if (!f->size_count)
		return object;
	sizes = json_array();
	for (size_t i = 0; i < f->size_count; i++)
		json_array_append_new(sizes, json_pack("[I,I,I]", (json_int_t)f->sizes[i].lower,
						       (json_int_t)f->sizes[i].width, (json_int_t)f->sizes[i].count));
	json_object_set_new(object, "sizes", sizes);
	return object;
}

/* --- those of a result --- */

static json_t *all_of(const struct result *result)
{
	return json_object_get(result->context, KEY);
}

void finding_keep(struct result *result, const struct finding *f)
{
	struct finding before;

	if (finding_of(result, f->name, &before) && before.weight > f->weight)
		return;
	if (!all_of(result))
		json_object_set_new(result->context, KEY, json_object());
	json_object_set_new(all_of(result), f->name, to_json(f));
}

bool finding_check(const struct result *result, struct error *error)
{
	json_t *all = all_of(result), *object;
	const char *name;
	struct finding f;
	struct error why;

	if (all && (!json_is_object(all) || json_object_size(all) > FINDING_COUNT_MAX))
		return error_set(error, "\"" KEY "\" is not an object of at most %d", FINDING_COUNT_MAX);
	json_object_foreach(all, name, object) if (!finding_from_json(&f, name, object, &why)) return error_set(
		error, "the finding \"%.80s\": %.300s", name, why.text);
	return true;
}

bool finding_of(const struct result *result, const char *name, struct finding *f)
{
	const json_t *object = json_object_get(all_of(result), name);
	struct error ignored;

	return object && finding_from_json(f, name, object, &ignored);
}

void finding_each(const struct result *result, void (*each)(void *context, const struct finding *f), void *context)
{
	const char *name;
	json_t *object;
	struct finding f;
	struct error ignored;

	json_object_foreach(all_of(result), name, object) if (finding_from_json(&f, name, object, &ignored))
		each(context, &f);
}

static void count(void *tally, const struct finding *f)
{
	((size_t *)tally)[f->weight]++;
}

size_t finding_tally(const struct result *result, size_t tally[FINDING_WEIGHTS])
{
	size_t sum = 0;

	memset(tally, 0, FINDING_WEIGHTS * sizeof(*tally));
	finding_each(result, count, tally);
	for (size_t i = 0; i < FINDING_WEIGHTS; i++)
		sum += tally[i];
	return sum;
}

void finding_verdict(const struct result *result, finding_text out)
{
	size_t tally[FINDING_WEIGHTS], obstacles, doubts;

	finding_tally(result, tally);
	obstacles = tally[FINDING_OBSTACLE];
	doubts = tally[FINDING_DOUBT];
	snprintf(out, sizeof(finding_text), "%sfit to measure: %zu obstacle%s, %zu doubt%s", obstacles ? "not " : "",
		 obstacles, obstacles == 1 ? "" : "s", doubts, doubts == 1 ? "" : "s");
}

void finding_copy(struct result *to, const struct result *from)
{
	if (all_of(from))
		json_object_set_new(to->context, KEY, json_deep_copy(all_of(from)));
}
