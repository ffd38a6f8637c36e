/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far the TSC of a CPU that starts is from that of the CPU that starts it. The one asks a few times and reads its
 * TSC before and after, the other one reads its own in between: so both an upper and a lower bound are known. Several
 * CPUs may wait for their questions at the same time.
 */
#pragma once

#include "lib/types.h"

/* Before CPU n starts: it is to wait for questions. */
void tsc_skew_invite(unsigned n);
/* On CPU n: answers until all questions are asked; returns at once if it is not invited. */
void tsc_skew_answer(unsigned n);
/*
 * Asks CPU n, which has been invited and is about to answer, and lets it go. Takes a millisecond at most, whatever
 * CPU n does. Warns if the TSCs are certainly more than a microsecond apart.
 */
void tsc_skew_compare(unsigned n);
/* What the TSCs of all CPUs asked so far differ from the asker's at most, in ticks; ~0 if one has not answered. */
u64 tsc_skew_bound(void);
