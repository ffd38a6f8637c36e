/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One measurement of one case in one boot, or the sum of those of several boots. */
#pragma once

#include "host/error.h"
#include "result/hist.h"

enum { SAMPLE_ORDER_MAX = 64, SAMPLE_PER_MAX = 65536 };

struct sample {
	uint64_t batch;    /* operations that were timed for one value */
	uint64_t per;      /* operations that a value, and all numbers below, are the ticks of; 0: one */
	uint64_t n;        /* values */
	uint64_t overhead; /* ticks of the timer, already taken off each window */
	uint64_t min, p50, p90, p99, p999, max, sum;
	struct hist hist;
	/* Optional */
	bool smi_known;                   /* the machine counts system-management interrupts */
	struct hist smi;                  /* the part of hist during which there was one */
	uint64_t order[SAMPLE_ORDER_MAX]; /* the least values of groups of windows in the order of time; one boot only
					   */
	size_t order_count;
};

/* Checks the invariants of a measurement and finds the histogram's layout; false with the invariant that is broken.
 */
bool sample_check(struct sample *sample, struct error *error) must_check;

/* Ticks of one operation, to a fraction, from a number of the sample. */
static inline double sample_ticks(const struct sample *sample, uint64_t number)
{
	return (double)number / (double)(sample->per ? sample->per : 1);
}

/* The same in whole ticks, rounded: for those who want an integer. */
uint64_t sample_whole_ticks(const struct sample *sample, uint64_t number);

/* Rank of a quantile among the n values, from 1: the value that at least so many thousandths do not exceed. */
uint64_t sample_rank(const struct sample *sample, unsigned permille);

/* The least number of operations that the values of all these samples can be given for, and a sample in it. */
uint64_t sample_common_per(const struct sample *samples, size_t count);
struct sample sample_given_per(const struct sample *sample, uint64_t per);

/* Ticks as text: with as many decimal places as tell something. */
void sample_ticks_text(double ticks, char out[32]);

/* All windows of several boots as one sample. A quantile is the mean of the boots' own, everywhere: the boot is the
 * unit of repetition, and each median that is printed is the one that is judged. */
struct sample sample_merge(const struct sample *samples, size_t count);

struct sample sample_copy(const struct sample *sample);

void sample_free(struct sample *sample);
