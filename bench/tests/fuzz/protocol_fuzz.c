/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One console line: never a crash, and what is accepted holds what the rest of hbench relies on. */
#include "measure/protocol.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record record;
	struct error error = {""};

	if (!protocol_parse((const char *)data, size, &record, &error)) {
		if (!error.text[0])
			abort();
		return 0;
	}
	if (record.type == RECORD_SAMPLE && (!record.sample.n || hist_total(&record.sample.hist) != record.sample.n))
		abort();
	if (strlen(record.name) >= sizeof(record.name))
		abort();
	record_free(&record);
	return 0;
}
