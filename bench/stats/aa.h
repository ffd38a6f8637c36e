/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How often the comparison cries wolf: the boots of one result are divided into two halves again and again, and the
 * halves compared. Whatever is found different is a false alarm, since both are of the same kernel on the same
 * machine.
 */
#pragma once

#include "stats/compare.h"

struct aa {
	size_t comparisons; /* verdicts in all */
	size_t alarms;      /* better or WORSE */
	size_t unsure;
};

/* False when there are not enough boots: 6 make two halves that can be judged. */
bool aa_measure(struct aa *aa, const struct result *result, const struct suite *suite) must_check;
