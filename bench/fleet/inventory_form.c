/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/inventory_form.h"

#include "fleet/inventory_schema.h"
#include "host/mem.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBER_DIGITS_MAX = 9 }; /* far above any limit, and it fits */

struct form {
	const struct places *places;
	const char *path; /* of the file */
	struct inventory_problems *problems;
};

static void look(const struct form *f, const char *place, const cyaml_schema_value_t *schema);

/* The last step of a place that is a name; "" for the whole file. */
static const char *name_of(const char *place, size_t *len)
{
	const char *end = place + strlen(place), *start;

	for (;;) {
		for (start = end; start > place && start[-1] != '/'; start--)
			;
		*len = (size_t)(end - start);
		if (start == place || *start < '0' || *start > '9')
			return start;
		end = start - 1; /* the number of an entry */
	}
}

static void tell(const struct form *f, unsigned line, const char *place, const char *text)
{
	size_t len;
	const char *name = name_of(place, &len);

	inventory_problem(f->problems, "%s:%u: %.*s%s%s", f->path, line, (int)len, name, len ? ": " : "", text);
}

/* --- keys --- */

static const cyaml_schema_field_t *find_field(const cyaml_schema_value_t *schema, const char *key)
{
	const cyaml_schema_field_t *field = schema->mapping.fields;

	while (field->key && strcmp(field->key, key))
		field++;
	return field->key ? field : NULL;
}

static char *add_word(char *list, const char *word)
{
	char *longer = xasprintf("%s%s%s", list, *list ? ", " : "", word);

	free(list);
	return longer;
}

static void tell_unknown(const struct form *f, const char *place, const cyaml_schema_value_t *schema, const char *key,
			 unsigned line)
{
	char *list = xstrdup(""), *text;

	for (const cyaml_schema_field_t *field = schema->mapping.fields; field->key; field++)
		list = add_word(list, field->key);
	text = xasprintf("there is no `%.80s`; there are: %s", key, list);
	tell(f, line, place, text);
	free(text);
	free(list);
}

static void look_at_mapping(const struct form *f, const char *place, const cyaml_schema_value_t *schema)
{
	unsigned line;
	const char *key;

	for (unsigned i = 0; (key = places_key(f->places, place, i, &line)); i++) {
		const cyaml_schema_field_t *field = find_field(schema, key);
		char *below = xasprintf("%s%s%s", place, *place ? "/" : "", key);

		if (field)
			look(f, below, &field->value);
		else
			tell_unknown(f, place, schema, key, line);
		free(below);
	}
}

static void look_at_sequence(const struct form *f, const char *place, const cyaml_schema_value_t *schema)
{
	unsigned count = places_count(f->places, place);

	for (unsigned i = 0; i < count; i++) {
		char *below = xasprintf("%s/%u", place, i);

		look(f, below, schema->sequence.entry);
		free(below);
	}
}

/* --- values --- */

/* libcyaml takes what strtoull() takes, which reads 3 in `3m`, 1 in `1e3`, and 8 in `010`. */
static bool is_number(const char *text)
{
	size_t len = strspn(text, "0123456789");

	return len && !text[len] && (*text != '0' || len == 1);
}

/* Where people think of a unit. */
static bool is_time(const char *place)
{
	return strstr(place, "timeouts/") || strstr(place, "seconds");
}

static void look_at_number(const struct form *f, const char *place, const cyaml_schema_value_t *schema)
{
	const char *value = places_text(f->places, place);
	unsigned line = places_line(f->places, place);
	char *text;

	if (!value)
		return;
	/* A number that is not behind a pointer has a default, which it gets if it is 0. */
	if (!strcmp(value, "0") && !(schema->flags & CYAML_FLAG_POINTER)) {
		tell(f, line, place, "it cannot be 0; without it the default counts");
	} else if (!is_number(value)) {
		text = xasprintf("`%.40s` is no whole number%s", value,
				 is_time(place) ? "; times are in seconds, without a unit" : "");
		tell(f, line, place, text);
		free(text);
	} else if (strlen(value) > NUMBER_DIGITS_MAX) {
		text = xasprintf("%.40s is too large", value);
		tell(f, line, place, text);
		free(text);
	}
}

static void look_at_choice(const struct form *f, const char *place, const cyaml_schema_value_t *schema)
{
	const char *value = places_text(f->places, place);
	char *list = xstrdup(""), *text;
	bool found = !value;

	for (uint32_t i = 0; i < schema->enumeration.count; i++) {
		found = found || !strcmp(value, schema->enumeration.strings[i].str);
		list = add_word(list, schema->enumeration.strings[i].str);
	}
	text = xasprintf("`%.40s` is none of: %s", value ? value : "", list);
	if (!found)
		tell(f, places_line(f->places, place), place, text);
	free(text);
	free(list);
}

/* Where the kind of a node is another than it should be, libcyaml says so. */
static void look(const struct form *f, const char *place, const cyaml_schema_value_t *schema)
{
	switch (schema->type) {
	case CYAML_MAPPING:
		look_at_mapping(f, place, schema);
		break;
	case CYAML_SEQUENCE:
		look_at_sequence(f, place, schema);
		break;
	case CYAML_UINT:
		look_at_number(f, place, schema);
		break;
	case CYAML_ENUM:
		look_at_choice(f, place, schema);
		break;
	default:
		break;
	}
}

void inventory_form(const struct places *places, const char *path, struct inventory_problems *problems)
{
	const struct form form = {places, path, problems};

	look(&form, "", &inventory_schema);
}
