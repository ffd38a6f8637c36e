/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/json_file.h"

#include "host/file.h"
#include "host/mem.h"
#include "host/text.h"

#include <stdlib.h>
#include <string.h>

json_t *json_file_load(const char *path, size_t max, struct error *error)
{
	size_t size;
	char *data = file_read(path, max, &size, error);
	json_error_t where;
	json_t *root;

	if (!data)
		return NULL;
	root = json_loadb(data, size, JSON_REJECT_DUPLICATES, &where);
	free(data);
	if (!root)
		error_store(error, "%s:%d: not JSON: %s", path, where.line, where.text);
	return root;
}

bool json_file_error(struct error *error, const char *path, const struct error *why)
{
	return error_set(error, "%s: %.900s", path, why->text);
}

void json_file_text(const json_t *object, const char *key, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(object, key));

	snprintf(out, size, "%s", text ? text : "");
	text_mask(out);
}

json_t *json_file_string(const char *text)
{
	char *copy = xstrdup(text);
	json_t *string;

	for (char *c = copy; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	string = json_string(copy);
	for (char *c = copy; !string && *c; c++)
		if ((unsigned char)*c > '~')
			*c = '?';
	if (!string)
		string = json_string(copy);
	free(copy);
	return string;
}

bool json_file_printable(const json_t *object, const char *key, char *out, size_t size, struct error *error)
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);

	if (!text)
		return error_set(error, "the string \"%s\" is missing", key);
	if (json_string_length(value) >= size)
		return error_set(error, "\"%s\" is longer than %zu characters", key, size - 1);
	for (const char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			return error_set(error, "\"%s\" has characters other than printable ASCII", key);
	strcpy(out, text);
	return true;
}
