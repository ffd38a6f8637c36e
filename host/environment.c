/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/environment.h"

#include <stdlib.h>

const char *environment(const char *name, const char *fallback)
{
	const char *value = getenv(name);

	return value && *value ? value : fallback;
}
