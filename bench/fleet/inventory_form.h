/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What libcyaml is too lenient or too brief about: keys that it does not know, and numbers and choices that are none.
 * All of them are told, each with its line and what would be right.
 */
#pragma once

#include "fleet/inventory.h"
#include "fleet/places.h"

/* path: the file's name in messages. */
void inventory_form(const struct places *places, const char *path, struct inventory_problems *problems);
