/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The environment of the process: variables, and the host it runs on. */
#pragma once

enum { ENVIRONMENT_HOST_SIZE = 65 }; /* Linux has names of up to 64 characters */

/* The name of this host, "localhost" when it cannot be told. */
void environment_host(char name[ENVIRONMENT_HOST_SIZE]);

/* Value of an environment variable, or the fallback when it is not set or empty. */
const char *environment(const char *name, const char *fallback);
