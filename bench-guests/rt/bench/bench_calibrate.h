/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What measuring itself costs, and what kind of clock the time-stamp counter is. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct bench_calibration {
	uint64_t overhead, overhead_max; /* the least and the most that an empty window took */
	bool stable;                     /* enough batches agree on the least */
	unsigned clock;                  /* of the core over that of the counter, thousandths; 0: not known */
	const uint64_t *empty;           /* what empty measurements took, ascending */
	unsigned empty_count;
};

/* Measures empty windows. `clock` is left to the caller. */
struct bench_calibration bench_calibrate(void);

/*
 * Is a tick of the time-stamp counter one executed instruction, as in emulators that count? Then a case that measures
 * how long something takes, others being at work meanwhile, has to be skipped.
 */
bool bench_counts_instructions(void);
