/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The samples of a trace, counted by function. */
#pragma once

#include "view.h"

struct sample_row {
	unsigned mode;  /* enum trace_mode */
	char name[128]; /* of the function, else the address */
	size_t count;
};

struct sample_rows {
	struct sample_row *rows; /* most frequent first */
	size_t count, total;
};

/* The name of what a sample or NMI met: function, or address. */
void samples_name(const struct view *view, const struct trace_record *record, char out[128]);

/*
 * Who ran: the EC, a guest, or none. Threads of perf's are the numbers of ECs, and these; at most 15 characters.
 */
#define SAMPLES_NONE 0x7ffffffe
#define SAMPLES_GUEST 0x7fffffff
unsigned samples_thread(const struct view *view, const struct trace_record *record, char name[16]);

void samples_count(struct sample_rows *rows, const struct view *view);
void samples_free(struct sample_rows *rows);
