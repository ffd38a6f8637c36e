/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole console: never a crash, and a session without fault has everything a result needs. Checksums, which a
 * fuzzer does not guess, are put right in lines that begin with an exclamation mark.
 */
#include "measure/lines.h"
#include "measure/session.h"

#include "sealed.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_line(void *context, const char *line, size_t len, bool cut)
{
	size_t size;
	char *copy = sealed_copy(line, len, &size);

	session_line(context, copy, size, cut);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lines *lines = calloc(1, sizeof(*lines));
	struct session session;

	session_init(&session, NULL, false);
	session.wants_trace = size % 2;
	for (size_t at = 0; at < size; at += 1000)
		lines_feed(lines, (const char *)data + at, size - at < 1000 ? size - at : 1000, on_line, &session);
	lines_finish(lines, on_line, &session);
	session_finish(&session);
	if (session.fault == FAULT_NONE &&
	    !(session.seen_end && ((session.measured_count && session.calibration.stable) || session.finding_count)))
		abort();
	session_free(&session);
	free(lines);
	return 0;
}
