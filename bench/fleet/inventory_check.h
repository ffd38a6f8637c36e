/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must hold in an inventory beyond its form: names, addresses and references fit together. */
#pragma once

#include "fleet/inventory.h"
#include "fleet/places.h"

/* Adds what is wrong to `problems`. path: the file's name in messages; places: where in it the fields are. */
void inventory_check(const struct inventory *inventory, const struct places *places, const char *path,
		     struct inventory_problems *problems);
