/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recorded consoles: data/<name>.log. */
#pragma once

#include "test.h"

#include "host/file.h"
#include "host/mem.h"

#include <stdlib.h>

/* A whole console, to be freed. */
static inline char *recorded(const char *name, size_t *size)
{
	char *path = xasprintf(TEST_DATA "/%s.log", name);
	struct error error;
	char *data = file_read(path, 1 << 24, size, &error);

	assert_non_null(data);
	free(path);
	return data;
}
