/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a series of results changed for good: E-divisive (Matteson and James, 2014), hierarchical, with a permutation
 * test and a fixed seed. It needs no assumption about the distribution, finds several changes, and is not impressed
 * by a single outlier.
 */
#pragma once

#include <stddef.h>

enum { CHANGE_SEGMENT_MIN = 3 };

/* Indices at which a new segment begins, ascending, into points (room for count); their number. */
size_t change_points(const double *values, size_t count, size_t *points);
