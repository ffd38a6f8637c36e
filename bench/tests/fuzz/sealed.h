/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines with right checksums for fuzzers, which do not guess them. */
#pragma once

#include "host/line_seal.h"
#include "host/mem.h"
#include "measure/protocol.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/*
 * A copy of the line, to be freed. One that begins with an exclamation mark is JSON without its last brace: it gets
 * the prefix and the seal.
 */
static inline char *sealed_copy(const char *line, size_t len, size_t *size)
{
	const size_t prefix = strlen(PROTOCOL_PREFIX);
	char *copy = xcalloc(prefix + len + LINE_SEAL_LENGTH + 1, 1);

	if (!len || *line != '!') {
		memcpy(copy, line, len);
		*size = len;
		return copy;
	}
	memcpy(copy, PROTOCOL_PREFIX, prefix);
	memcpy(copy + prefix, line + 1, len - 1);
	snprintf(copy + prefix + len - 1, LINE_SEAL_LENGTH + 1, LINE_SEAL_FORMAT, line_seal_crc(line + 1, len - 1));
	*size = prefix + len - 1 + LINE_SEAL_LENGTH;
	return copy;
}
