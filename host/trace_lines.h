/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trace as it comes over the console: docs/bench-protocol.md, "Traces". Nothing about the lines is trusted. No I/O
 * here: the fuzzer calls this directly.
 */
#pragma once

#include "host/error.h"

#include <stddef.h>
#include <stdint.h>

#define TRACE_PREFIX "HTRACE "

struct trace_lines {
	struct trace *trace; /* NULL before the first line */
	uint64_t lines;
	bool ended;
	char why[121]; /* why the kernel recorded no trace; "": it did */
	size_t announced[128],
		gathered[128]; /* records of each CPU: as its `cpu` line says, and room made for them */
};

/*
 * One line without its LF. True when it is a good line of a trace, or none at all (then *mine is false); false with
 * the reason when it is damaged or out of order.
 */
bool trace_lines_take(struct trace_lines *lines, const char *line, size_t len, bool *mine,
		      struct error *error) must_check;

/* The whole trace is there; what was taken belongs to the caller then. NULL with the reason if it is not. */
struct trace *trace_lines_finish(struct trace_lines *lines, struct error *error) must_check;

void trace_lines_free(struct trace_lines *lines);
