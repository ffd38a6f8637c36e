/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The form of an inventory file, for libcyaml. */
#pragma once

#include <cyaml/cyaml.h>

extern const cyaml_schema_value_t inventory_schema;
