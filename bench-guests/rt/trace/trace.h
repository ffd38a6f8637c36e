/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tracing the kernel (docs/tracing.md) while a suite runs. Words on the command line switch it on: trace=EVENTS,
 * trace_paths=PATHS, trace_counters=COUNTERS (names with commas between them, or "all"), trace_records=N,
 * trace_period=CYCLES, trace_sampler=MICROSECONDS. The measuring loop calls the functions below, so it works in every
 * suite.
 */
#pragma once

#include <stdbool.h>

/* Reads the words, and sets up rings and memory. True if there will be a trace. */
bool trace_prepare(void);

void trace_on(void);
void trace_case_begin(const char *name);
void trace_case_end(void);
void trace_off(void);

/* Sends what was recorded, or why there is nothing; nothing if nobody asked. Tracing must be off. */
void trace_send(void);
