/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the roottask that says whether a machine is fit to measure. */
#pragma once

#include "rt/attr.h"

#include <stdint.h>

/* A line below the heading that was printed last. */
void probe_heading(const char *title);
void probe_say(const char *fmt, ...) RT_PRINTF(1, 2);

/* Something is in the way of measuring: it is printed here, and again at the end with the verdict. */
enum probe_weight {
	PROBE_NOTE,     /* good to know */
	PROBE_DOUBT,    /* numbers are less exact than they could be */
	PROBE_OBSTACLE, /* numbers would be wrong */
};
void probe_remark(enum probe_weight weight, const char *fmt, ...) RT_PRINTF(2, 3);

/* On the boot CPU, with workers on all. */
void probe_processor(void);     /* what it is, virtualization, mitigations */
void probe_consoles(void);      /* by which results can leave */
void probe_clock(void);         /* time-stamp counters, alone and compared */
void probe_power(void);         /* turbo, power saving, frequency */
void probe_interruptions(void); /* SMIs and whatever else stops CPUs, for the time that `seconds=` says */
