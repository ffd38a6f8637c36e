/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the command line says about tracing. */
#pragma once

#include <hedron/trace.h>
#include <stdbool.h>
#include <stdint.h>

/* What the words ask for, and where it is recorded. */
struct trace_plan {
	uint64_t events, paths, counters, period;
	unsigned long records;   /* of each CPU to send, at most */
	unsigned long sampler;   /* microseconds between two samples; 0: nobody takes them */
	const char *why;         /* it cannot be done; null: it can */
	unsigned long cases;     /* that have begun */
	struct trace_case *list; /* of them */
	const struct trace_head *areas[HEDRON_CPU_MAX];
};

struct trace_case {
	uint64_t begin, end;
	char name[112];
};

#define TRACE_CASES 1024 /* later ones are not noted */

bool trace_asked(void); /* is there any word that asks for a trace? */

/* Reads the words into `plan`, which is zero before; its `why` says what is wrong with them. */
void trace_words(struct trace_plan *plan);
