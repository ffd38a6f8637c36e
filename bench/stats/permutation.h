/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The test of a whole suite at once, by permutation: had the two sides been the same thing, each boot could as well
 * have been of the other side. It asks in how many of all ways to divide the boots the difference is as large as the
 * one that was found, and needs no distribution: boots may have several states, long tails or coarse values.
 */
#pragma once

#include <stddef.h>

/* What is tested for one benchmark, and the answer. */
struct permuted {
	const double *values; /* of the boots, A's first */
	size_t a_count, b_count;
	double p; /* corrected for the number of rows; 1 when a side has less than two values */
};

/*
 * The p values of all rows: Welch's t over the boots, and of all rows the largest (Westfall and Young, step-down), so
 * that the chance of one false alarm or more among them is that of the p value. The n-th boot of one row is the n-th
 * of all: benchmarks of one boot are divided together. Has a fixed seed: the same values always give the same answer.
 */
void permutation_test(struct permuted *rows, size_t count);

/* The smallest p value that this many boots can give, whatever they say. */
double permutation_smallest_p(size_t a_count, size_t b_count);
