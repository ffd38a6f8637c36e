/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Token bucket: `burst` events at once, then one per `interval` of a clock. The clock may stand still (then the burst
 * is all there is), jump forwards (the bucket gets full at most) or backwards (it goes on from there). Locking: the
 * caller's.
 */
#pragma once

#include "lib/types.h"

struct ratelimit {
	u32 burst;
	u64 interval; /* not 0 */
	u64 last;     /* up to when the clock has been turned into tokens */
	u32 tokens, missed;
};

#define RATELIMIT_INIT(n, every) ((struct ratelimit){.burst = (n), .interval = (every), .tokens = (n)})

static inline void ratelimit_refill(struct ratelimit *l, u64 now)
{
	s64 passed = (s64)(now - l->last);
	u64 fresh = passed < 0 ? 0 : (u64)passed / l->interval;

	if (passed < 0 || fresh >= l->burst - l->tokens) {
		l->last = now; /* a full bucket saves up nothing */
		l->tokens = passed < 0 ? l->tokens : l->burst;
	} else {
		l->last += fresh * l->interval;
		l->tokens += (u32)fresh;
	}
}

/* Whether an event may happen now; *missed is how many could not since the last one that did. */
static inline bool ratelimit_take(struct ratelimit *l, u64 now, u32 *missed)
{
	ratelimit_refill(l, now);
	if (!l->tokens) {
		l->missed += l->missed < UINT32_MAX;
		return false;
	}
	l->tokens--;
	*missed = l->missed;
	l->missed = 0;
	return true;
}
