/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One console line: never a crash, and what is accepted holds what the rest of hbench relies on. Checksums, which a
 * fuzzer does not guess, are put right in lines that begin with an exclamation mark.
 */
#include "measure/protocol.h"

#include "sealed.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const char *line, size_t len)
{
	struct record record;
	struct error error = {""};

	if (!protocol_parse(line, len, &record, &error)) {
		if (!error.text[0])
			abort();
		return;
	}
	if (record.type == RECORD_SAMPLE && (!record.sample.n || hist_total(&record.sample.hist) != record.sample.n))
		abort();
	if (strlen(record.name) >= sizeof(record.name))
		abort();
	record_free(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len;
	char *line = sealed_copy((const char *)data, size, &len);

	judge(line, len);
	free(line);
	return 0;
}
