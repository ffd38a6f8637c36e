/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the roottask that says whether a machine is fit to measure. */
#pragma once

#include "rt/attr.h"
#include "rt/bench/bench_report.h"

#include <stdbool.h>
#include <stdint.h>

void probe_heading(const char *title);

/* A line below the heading that was printed last. */
void probe_say(const char *fmt, ...) RT_PRINTF(1, 2);

enum probe_weight {
	PROBE_FACT,     /* how it is */
	PROBE_NOTE,     /* good to know */
	PROBE_DOUBT,    /* numbers are less exact than they could be */
	PROBE_OBSTACLE, /* numbers would be wrong */
};

/*
 * Finds something out, for people and programs: what it means is a line below the heading, what is more
 * than a fact is printed again with the verdict, and all of it is reported (docs/bench-protocol.md, `finding`). A
 * state is how the machine is, so that two machines, or two days, can be compared by it; an amount is what was
 * counted, and never twice the same.
 */
void probe_state(enum probe_weight weight, const char *name, const char *state, const char *fmt, ...) RT_PRINTF(4, 5);
void probe_amount(enum probe_weight weight, const char *name, uint64_t amount, const char *fmt, ...) RT_PRINTF(4, 5);
/* The sizes of what was counted for the last amount; the bins have to stay. */
void probe_sizes(const struct bench_bin *bins, unsigned count);

/* The number of SMIs that the calling CPU has seen by now, before and after what is watched. False: it does not tell.
 */
bool probe_smi_begin(unsigned long *count);
bool probe_smi_end(unsigned long *count);

/* On the boot CPU, with workers on all. */
void probe_processor(void);     /* what it is, virtualization, mitigations */
void probe_consoles(void);      /* by which results can leave */
void probe_clock(void);         /* time-stamp counters, alone and compared */
void probe_power(void);         /* turbo, power saving, frequency */
void probe_interruptions(void); /* SMIs and whatever else stops CPUs, for the time that `seconds=` says */
