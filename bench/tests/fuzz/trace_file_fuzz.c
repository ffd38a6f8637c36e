/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A trace file: never a crash, and what is accepted survives being written and read again. */
#include "host/error.h"
#include "host/trace_file.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(const struct trace *a, const struct trace *b)
{
	if (!json_equal(a->meta, b->meta))
		abort();
	for (unsigned i = 0; i < HEDRON_CPU_MAX; i++) {
		const struct trace_cpu *x = &a->cpus[i], *y = &b->cpus[i];

		if (x->known != y->known || x->lost != y->lost || x->count != y->count || !x->paths != !y->paths)
			abort();
		if (x->count && memcmp(x->records, y->records, x->count * sizeof(*x->records)))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace trace, again;
	struct error error = {""};
	char *written = NULL;
	size_t length = 0;

	if (!trace_parse(&trace, data, size, &error)) {
		if (!error.text[0])
			abort();
		return 0;
	}
	if (!trace_write(&trace, &written, &length, &error) || !trace_parse(&again, written, length, &error))
		abort();
	compare(&trace, &again);
	trace_free(&again);
	trace_free(&trace);
	free(written);
	return 0;
}
