/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statistics for metrics with noise. The boot is the unit of repetition: values of one boot are not independent. */
#pragma once

#include "sample.h"

struct interval {
	double low, high;
};

/* Two-sided p value of the Mann-Whitney U test: chance of such a difference when there is none. Ties are corrected.
 */
double stats_mann_whitney(const struct hist *a, const struct hist *b);

/*
 * 95% interval of the change of the boots' mean median from a to b, in percent of a: bootstrap over boots with a
 * fixed seed, so that the same files always give the same answer.
 */
struct interval stats_change(const struct sample *a, size_t a_count, const struct sample *b, size_t b_count);

/* Mean of the boots' medians. Those are exact, while a median of the merged histogram is as coarse as its bins. */
double stats_mean_median(const struct sample *boots, size_t count);
