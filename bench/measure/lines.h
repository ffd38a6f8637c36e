/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cuts a stream of bytes into lines. */
#pragma once

#include "measure/protocol.h"

#include <stdbool.h>
#include <stddef.h>

enum { LINES_MAX = PROTOCOL_LINE_MAX + 4096 };

struct lines {
	size_t used;
	bool cut; /* the line is longer than the buffer; the rest of it was dropped */
	char buffer[LINES_MAX];
};

/* Called with each line, without LF and the CRs before it; cut: the end of the line is missing. */
typedef void lines_fn(void *context, const char *line, size_t len, bool cut);

void lines_feed(struct lines *lines, const char *data, size_t len, lines_fn *each, void *context);

/* The stream is over: passes on a last line that has no LF. */
void lines_finish(struct lines *lines, lines_fn *each, void *context);
