/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/environment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *environment(const char *name, const char *fallback)
{
	const char *value = getenv(name);

	return value && *value ? value : fallback;
}

void environment_host(char name[ENVIRONMENT_HOST_SIZE])
{
	if (gethostname(name, ENVIRONMENT_HOST_SIZE))
		strcpy(name, "localhost");
	name[ENVIRONMENT_HOST_SIZE - 1] = '\0';
}
