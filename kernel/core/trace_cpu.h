/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of struct cpu that belongs to tracing (trace/trace.h). */
#pragma once

#include "lib/types.h"

#include <hedron/trace.h>

/* A measurement of time that was begun, unless `tsc` is 0. */
struct trace_span {
	u64 tsc;
	u32 changes; /* trace_state's, at the beginning */
	u64 counters[TRACE_COUNTERS_MAX];
};

struct trace_cpu {
	struct trace_head *head; /* NULL until set up; so are the next two */
	struct trace_record *ring;
	struct trace_path *paths;
	struct trace_span dispatch, vm_exit;
	bool sample_asked; /* by other CPUs, or by a counter that has run over */
};
