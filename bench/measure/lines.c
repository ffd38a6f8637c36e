/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/lines.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static void hand_out(struct lines *lines, lines_fn *each, void *context)
{
	size_t len = lines->used;

	while (len && lines->buffer[len - 1] == '\r')
		len--;
	each(context, lines->buffer, len, lines->cut);
	lines->used = 0;
	lines->cut = false;
}

static void collect(struct lines *lines, const char *data, size_t len)
{
	size_t room = LINES_MAX - lines->used;

	if (len > room) {
		len = room;
		lines->cut = true;
	}
	memcpy(lines->buffer + lines->used, data, len);
	lines->used += len;
}

void lines_feed(struct lines *lines, const char *data, size_t len, lines_fn *each, void *context)
{
	while (len) {
		const char *end = memchr(data, '\n', len);
		size_t part = end ? (size_t)(end - data) : len;

		collect(lines, data, part);
		if (!end)
			break;
		hand_out(lines, each, context);
		data += part + 1;
		len -= part + 1;
	}
}

void lines_finish(struct lines *lines, lines_fn *each, void *context)
{
	if (lines->used)
		hand_out(lines, each, context);
}
