/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where in a YAML file something stands: lines for messages, found by paths such as "machines/3/power/type". */
#pragma once

#include "host/error.h"

#include <stddef.h>

struct places;

/* To be freed by places_free(). NULL, with the line and what is wrong, if it is no YAML or has a key twice. */
struct places *places_read(const char *data, size_t size, struct error *error) must_check;

/* The line of the value; if there is none, that of the longest beginning of the path that there is. */
unsigned places_line(const struct places *places, const char *path);

/* The text of a value that is neither list nor mapping; NULL when there is none. Belongs to `places`. */
const char *places_text(const struct places *places, const char *path);

/* How many entries a list has; 0 when it is none. */
unsigned places_count(const struct places *places, const char *path);

/* A mapping's key by its number, from 0 on, with its line; NULL after the last, and when it is no mapping. */
const char *places_key(const struct places *places, const char *path, unsigned number, unsigned *line);

void places_free(struct places *places);
