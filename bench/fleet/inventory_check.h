/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an inventory has to fulfil beyond its form. */
#pragma once

#include "fleet/inventory.h"
#include "fleet/places.h"

void inventory_check(const struct inventory *inventory, const struct places *places, const char *path,
		     struct inventory_problems *problems);
