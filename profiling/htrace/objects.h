/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers for the addresses of kernel objects, in the order in which they are first seen. */
#pragma once

#include "view.h"

struct objects *objects_create(void);
void objects_add(struct objects *objects, enum object_kind kind, uint64_t address);
unsigned objects_find(const struct objects *objects, enum object_kind kind, uint64_t address); /* 0: not there */
void objects_free(struct objects *objects);
