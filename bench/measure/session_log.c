/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/session_log.h"

#include "host/file.h"
#include "host/hash.h"
#include "host/mem.h"
#include "measure/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_MAX ((size_t)1 << 34) /* with traces of many CPUs */

/* The part of a line from the protocol's prefix on; NULL when there is none. */
static const char *protocol_part(const char *line, size_t len)
{
	return memmem(line, len, PROTOCOL_PREFIX, strlen(PROTOCOL_PREFIX));
}

static bool is_end(const char *line, size_t len)
{
	struct record record;
	struct error ignored;
	bool end = protocol_parse(line, len, &record, &ignored) && record.type == RECORD_END;

	record_free(&record);
	return end;
}

static void add_start(struct session_log *log, size_t at)
{
	log->starts = xreallocarray(log->starts, log->boots + 1, sizeof(*log->starts));
	log->starts[log->boots++] = at;
}

static size_t line_length(const struct session_log *log, size_t at)
{
	const char *end = memchr(log->data + at, '\n', log->size - at);

	return end ? (size_t)(end - log->data) - at : log->size - at;
}

/* What comes before the kernel's line, be it of firmware or of a boot loader, is of no boot in particular. */
static void find_boots(struct session_log *log)
{
	bool reported = false, ended = false;
	size_t len;

	add_start(log, 0);
	for (size_t at = 0; at < log->size; at += len + 1) {
		const char *line = log->data + at;

		len = line_length(log, at);
		if ((reported && session_boots(line, len)) || (ended && protocol_part(line, len))) {
			add_start(log, at);
			reported = ended = false;
		}
		reported = reported || protocol_part(line, len);
		ended = ended || is_end(line, len);
	}
}

bool session_log_open(struct session_log *log, const char *path, struct error *error)
{
	*log = (struct session_log){0};
	log->data = file_read(path, LOG_MAX, &log->size, error);
	if (log->data)
		find_boots(log);
	return log->data;
}

void session_log_close(struct session_log *log)
{
	free(log->starts);
	free(log->data);
	*log = (struct session_log){0};
}

static size_t end_of(const struct session_log *log, size_t boot)
{
	return boot + 1 < log->boots ? log->starts[boot + 1] : log->size;
}

bool session_log_hash(const struct session_log *log, size_t boot, char out[65], struct error *error)
{
	char *text = NULL;
	size_t size = 0, len;
	FILE *stream = open_memstream(&text, &size);
	bool good;

	if (!stream)
		return error_set(error, "out of memory");
	for (size_t at = log->starts[boot]; at < end_of(log, boot); at += len + 1) {
		const char *line = log->data + at, *part;

		len = line_length(log, at);
		part = protocol_part(line, len);
		if (part)
			fwrite(part, 1, len - (size_t)(part - line) - (line[len - 1] == '\r'), stream);
	}
	good = !fclose(stream) && hash_sha256(text, size, out);
	free(text);
	return good || error_set(error, "cannot compute a SHA-256");
}

static void on_line(void *context, const char *line, size_t len, bool cut)
{
	session_line(context, line, len, cut);
}

static void play(const char *data, size_t size, struct session *session)
{
	struct lines *lines = xcalloc(1, sizeof(*lines));

	lines_feed(lines, data, size, on_line, session);
	lines_finish(lines, on_line, session);
	session_finish(session);
	free(lines);
}

void session_log_play(const struct session_log *log, size_t boot, struct session *session)
{
	play(log->data + log->starts[boot], end_of(log, boot) - log->starts[boot], session);
}

bool session_read_log(struct session *session, const char *path, struct error *error)
{
	size_t size;
	char *data = file_read(path, LOG_MAX, &size, error);

	if (data)
		play(data, size, session);
	free(data);
	return data;
}
