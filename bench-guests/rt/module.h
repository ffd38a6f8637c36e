/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boot modules: number 0 is the roottask itself. */
#pragma once

#include "rt/attr.h"

#include <stdbool.h>
#include <stddef.h>

struct rt_module {
	const void *data; /* mapped, read only */
	size_t size;
};

unsigned rt_module_count(void);
bool rt_module(unsigned n, struct rt_module *module) RT_MUST_CHECK; /* false: there are not as many */

/*
 * The words behind the module's name, "" if there are none. False: there are more than fit, or no such module; the
 * text ends in a NUL in any case.
 */
bool rt_module_words(unsigned n, char *to, size_t size) RT_MUST_CHECK;
