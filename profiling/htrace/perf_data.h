/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes files as perf records them: samples, and where code was mapped. */
#pragma once

#include "host/error.h"
#include "symbols.h"

#include <stdint.h>
#include <stdio.h>

struct perf_sample {
	unsigned mode; /* enum trace_mode */
	unsigned cpu, thread;
	uint64_t ip, ns;
};

struct perf_data;

/* `period`: ticks of the event between two samples; 1 when it is not known. */
struct perf_data *perf_data_create(uint64_t period);

/* The thread's name; guests have threads of their own. */
void perf_data_thread(struct perf_data *data, unsigned thread, const char *name);

/* Code that is mapped for the kernel, or for all threads that were named before. */
void perf_data_code(struct perf_data *data, bool kernel, const struct symbols *symbols);

void perf_data_sample(struct perf_data *data, const struct perf_sample *sample);

/* Writes the file and frees the structure. */
bool perf_data_finish(struct perf_data *data, const char *path, struct error *error) must_check;
