/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lasted how long, and what led to what: made from events that mark the beginnings and ends. */
#pragma once

#include "view.h"

enum slice_kind {
	SLICE_HYPERCALL, /* from HYPERCALL to HYPERCALL_END */
	SLICE_EXIT,      /* from VM_EXIT until the guest goes on, or what its VMM does next */
	SLICE_GUEST,     /* from VM_ENTRY to VM_EXIT */
	SLICE_RUN,       /* an EC is the current one of a CPU */
};

struct slice {
	enum slice_kind kind;
	unsigned cpu;
	uint64_t begin, end; /* TSC */
	const struct trace_record *first;
	const struct trace_record *last; /* HYPERCALL_END, VM_ENTRY...; NULL: the end was not recorded */
	uint64_t ec;                     /* SLICE_RUN: address */
};

/* A place on the track of a CPU, or of an EC. */
struct flow_end {
	bool on_ec;
	uint64_t who; /* CPU, or address of the EC */
	uint64_t tsc;
};

struct flow {
	const char *name;
	struct flow_end from, to;
};

struct slices {
	struct slice *list;
	size_t count;
	struct flow *flows;
	size_t flow_count;
};

void slices_find(struct slices *slices, const struct view *view);
void slices_free(struct slices *slices);
