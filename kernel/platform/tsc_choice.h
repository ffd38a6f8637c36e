/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of several opinions on the rate of the TSC is believed. docs/adr/0015-tsc-rate-by-vote.md says why. */
#pragma once

#include "lib/types.h"

struct tsc_opinion {
	const char *name;
	u32 khz;       /* 0: has none */
	u32 ppm;       /* how far it may be off by nature, in millionths */
	bool measured; /* by a clock; what the CPU states is copied from tables, all of which may be wrong together */
};

/*
 * The opinions stand in the order of their reliability. The first one counts that another one confirms, of which at
 * least one is measured; if there is no such pair, the first that there is. Says in the log which, and what confirms
 * it; warns of each opinion that differs, and of those that are nonsense. Returns kHz; 0 if nobody has an opinion.
 */
u32 tsc_choice_make(const struct tsc_opinion o[], unsigned n);
