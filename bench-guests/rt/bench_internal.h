/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the measuring loop and the reporter. */
#pragma once

#include "bench.h"
#include "internal.h"

struct bench_calibration {
	uint64_t overhead, overhead_max;
	bool stable;
};

struct bench_sample {
	uint64_t overhead;
	unsigned n;
	uint64_t *values; /* sorted, per operation */
};

void bench_report_run(const char *suite);
void bench_report_calibration(const struct bench_calibration *cal);
void bench_report_sample(const struct bench_case *c, unsigned index, const struct bench_sample *s);
void bench_report_skip(const struct bench_case *c, unsigned index, const char *why);
void bench_report_fail(const struct bench_case *c, unsigned index, const char *why);
void bench_report_end(void);
