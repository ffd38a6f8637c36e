/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rate of false alarms, by an A/A test: the boots of one result are divided at random into two halves, several
 * times, and the halves compared. Every difference that is found is a false alarm, since both are of the same kernel
 * on the same machine.
 */
#pragma once

#include "stats/compare.h"

struct aa {
	size_t comparisons; /* verdicts in all */
	size_t alarms;      /* of these, better or worse */
	size_t unsure;      /* of these, not enough data */
};

/* False for exact metrics, and with less than 10 boots: a half of them could not be judged. */
bool aa_measure(struct aa *aa, const struct result *result, const struct suite *suite) must_check;
