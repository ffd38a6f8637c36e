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

/*
 * A long series is looked at in windows, so that the time is linear in its length and what was found once needs not
 * be looked for again.
 */
enum {
	CHANGE_WINDOW = 256,
	CHANGE_NEWS = 64, /* so many values after a change it is settled: more of them do not move it */
};

/*
 * Looks at the first window of a series. The indices of changes go into points (room for CHANGE_WINDOW), their number
 * into *found. *next: where the next window begins, with changes before and at it settled, or 0 when this was the
 * last one and what was found may still move. A series that continues from there gives what all of it would give.
 */
void change_window(const double *values, size_t count, size_t *points, size_t *found, size_t *next);

/* Which values are far from those around them; at the end they may be the first of a change. */
void change_outliers(const double *values, size_t count, bool *outliers);
