/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the measuring loop and the reporter. */
#pragma once

#include "bench.h"
#include "internal.h"

struct bench_calibration {
	uint64_t overhead, overhead_max;
	bool stable;
	unsigned clock;        /* of the core over that of the counter, thousandths; 0: not known */
	const uint64_t *empty; /* what empty measurements took, ascending */
	unsigned empty_count;
};

#define BENCH_ORDER 16 /* groups of windows */
#define BENCH_SMI_MAX 64

struct bench_sample {
	uint64_t overhead;
	unsigned n;
	uint64_t *values;            /* sorted, per operation */
	uint64_t order[BENCH_ORDER]; /* the least of each group, as they were measured */
	bool smi_known;
	unsigned smi_count; /* windows in which the firmware took the CPU; their values, sorted: */
	uint64_t smi[BENCH_SMI_MAX];
};

void bench_report_run(const char *suite, bool traced);
void bench_report_calibration(const struct bench_calibration *cal);
void bench_report_sample(const struct bench_case *c, unsigned index, const struct bench_sample *s);
void bench_report_skip(const struct bench_case *c, unsigned index, const char *why);
void bench_report_fail(const struct bench_case *c, unsigned index, const char *why);
void bench_report_end(void);

/* bench_machine.c. Values that are not known are 0 or "". */
void bench_machine_init(void);
uint32_t bench_machine_microcode(void);
int bench_machine_smt(void); /* 1: on, -1: off */
void bench_machine_features(char text[48]);
uint64_t bench_machine_capabilities(void);
void bench_machine_hypervisor(char name[13]);
uint64_t bench_machine_memory(void); /* MiB */
void bench_machine_firmware(char text[32]);
unsigned bench_machine_clock(void); /* thousandths of the time-stamp counter's */
bool bench_machine_smi_count(
	unsigned long *count); /* of system-management interrupts; false: the CPU does not tell */
