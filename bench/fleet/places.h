/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where in a YAML file something stands: lines for messages, found by paths such as "machines/3/power/type". */
#pragma once

#include "host/error.h"

#include <stddef.h>

struct places;

/* NULL, with the line and what is wrong, when the text is not well-formed YAML or a key is there twice. */
struct places *places_read(const char *data, size_t size, struct error *error) must_check;

/* The line of the value, or of the last step on the way that there is. */
unsigned places_line(const struct places *places, const char *path);

/* The line of the first key of this name; 0 when there is none. */
unsigned places_key_line(const struct places *places, const char *key);

void places_free(struct places *places);
