/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the measuring loop has found out, and the lines that tell it (docs/bench-protocol.md). Times are ticks. */
#pragma once

#include "rt/bench/bench_calibrate.h"
#include "rt/bench/bench_case.h"
#include "rt/bench/bench_skew.h"
#include "rt/bench/bench_subject.h"

#include <stdbool.h>
#include <stdint.h>

#define BENCH_ORDER 16 /* groups of windows */
#define BENCH_SMI_MAX 64

struct bench_sample {
	uint64_t overhead;           /* of an empty window */
	unsigned n;                  /* values */
	unsigned batch;              /* operations that were timed for each of them ... */
	unsigned per;                /* ... and that it is the ticks of: those, or one */
	uint64_t *values;            /* sorted */
	uint64_t order[BENCH_ORDER]; /* the least of each group, as they were measured */
	bool smi_known;
	unsigned smi_count; /* windows in which the firmware took the CPU; their values, sorted: */
	uint64_t smi[BENCH_SMI_MAX];
};

/* So many of something that was counted had a size from `lower` up to, not including, `lower + width`. */
struct bench_bin {
	uint64_t lower, width, count;
};

/* Something about the machine that is worth knowing when its numbers are looked at. */
struct bench_finding {
	const char *name;   /* [a-z0-9_]+ */
	const char *weight; /* "fact", "note", "doubt" or "obstacle" */
	const char *state;  /* how the machine is; null: something was counted, which is never twice the same ... */
	uint64_t amount;    /* ... so often; its sizes, if any, in nanoseconds: */
	const struct bench_bin *bins;
	unsigned bin_count; /* empty ones are left out of the line */
	const char *why;    /* what it means, for people; "": nothing to say */
};

void bench_report_run(const char *suite, bool traced, const char *frequency); /* "": nothing is said of it */
void bench_report_calibration(const struct bench_calibration *cal, const struct bench_skew *skew);
void bench_report_sample(const struct bench_subject *subject, const struct bench_sample *s);
void bench_report_skip(const struct bench_subject *subject, const char *why);
void bench_report_fail(const struct bench_subject *subject, const char *why);
void bench_report_finding(const struct bench_finding *finding);
void bench_report_end(uint64_t drift); /* of the counters of CPUs against each other, 0: none is known of */
