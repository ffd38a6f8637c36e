/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a series of results changed for good: E-divisive (Matteson and James, 2014), hierarchical, with a permutation
 * test and a fixed seed, which needs no assumption about the distribution and finds several changes. Fewer than ten
 * values have too few permutations: there a t test decides. One or two results that differ from those before and
 * after (a disturbed machine, a regression that was reverted) are taken out first, or they would hide a change that
 * lasts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { CHANGE_SEGMENT_MIN = 3, CHANGE_POINTS_NEEDED = 2 * CHANGE_SEGMENT_MIN };

/* Indices at which a new segment begins, ascending, into points (room for count); their number. */
size_t change_points(const double *values, size_t count, size_t *points);

/* Which values are far from those around them; at the end they may be the first of a change. */
void change_outliers(const double *values, size_t count, bool *outliers);
