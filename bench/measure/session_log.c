/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/session_log.h"

#include "host/file.h"
#include "host/mem.h"
#include "measure/lines.h"

#include <stdlib.h>

#define LOG_MAX ((size_t)1 << 34) /* with traces of many CPUs */

static void on_line(void *context, const char *line, size_t len, bool cut)
{
	session_line(context, line, len, cut);
}

bool session_read_log(struct session *session, const char *path, struct error *error)
{
	struct lines *lines = xcalloc(1, sizeof(*lines));
	size_t size;
	char *data = file_read(path, LOG_MAX, &size, error);

	if (data) {
		lines_feed(lines, data, size, on_line, session);
		lines_finish(lines, on_line, session);
		session_finish(session);
	}
	free(lines);
	free(data);
	return data;
}
