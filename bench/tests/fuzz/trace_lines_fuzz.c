/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of a trace: never a crash, and a whole trace is a good one. Checksums, which a fuzzer does not guess, are
 * put right in half of the lines.
 */
#include "host/error.h"
#include "host/line_seal.h"
#include "host/mem.h"
#include "host/trace_file.h"
#include "host/trace_lines.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool take(struct trace_lines *lines, const char *text, size_t len)
{
	struct error error = {""};
	bool mine, good;
	char *line;

	if (len && text[0] == '!') /* what follows is JSON without its last brace */
		line = xasprintf(TRACE_PREFIX "%.*s" LINE_SEAL_FORMAT, (int)len - 1, text + 1,
				 line_seal_crc(text + 1, strnlen(text + 1, len - 1)));
	else
		line = xasprintf("%.*s", (int)len, text);
	good = trace_lines_take(lines, line, strlen(line), &mine, &error);
	if (!good && !error.text[0])
		abort();
	free(line);
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	struct trace_lines lines = {0};
	struct error error = {""};
	struct trace *trace;
	bool good = true;

	while (good && at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		stop = stop ? stop : end;
		good = take(&lines, at, (size_t)(stop - at));
		at = stop + 1;
	}
	trace = good ? trace_lines_finish(&lines, &error) : NULL;
	if (trace) {
		if (!trace_check(trace, &error))
			abort();
		trace_free(trace);
		free(trace);
	}
	trace_lines_free(&lines);
	return 0;
}
