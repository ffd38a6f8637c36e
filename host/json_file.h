/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file of JSON: read whole, with errors that name file and line. */
#pragma once

#include "host/error.h"

#include <jansson.h>
#include <stddef.h>

/* NULL on error. */
json_t *json_file_load(const char *path, size_t max, struct error *error) must_check;

/* Stores an error that begins with the file's name; its value is false, so that a function can return it. */
bool json_file_error(struct error *error, const char *path, const struct error *why);

/* Copies a text of an object, without control characters; "" when it is not there. */
void json_file_text(const json_t *object, const char *key, char *out, size_t size);

/* A string without control characters and always valid UTF-8: what it replaces becomes a question mark. */
json_t *json_file_string(const char *text);

/* Copies a member that is a string of printable ASCII and fits; false when it is not. */
bool json_file_printable(const json_t *object, const char *key, char *out, size_t size,
			 struct error *error) must_check;
