/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks of several port spaces at once, for what spans PDs: a delegation two, a revocation all that have something
 * of it, in whatever order they turn up.
 *
 * Nobody waits for long while others wait for him: whoever holds a lock and cannot get another one in a while gives
 * all back and starts anew as the patient one. There is one of those at a time and only he waits without limit, so
 * all others get out of his way sooner or later.
 *
 *	struct pio_claims c = {0};
 *	while (!attempt(&c, ...)) // pio_claim() for each PD; false as soon as one fails, before anything is changed
 *		pio_claim_restart(&c);
 *	pio_claim_end(&c);
 */
#pragma once

#include "lib/types.h"

struct pd;

struct pio_claims {
	struct pd *first; /* linked through pio.claimed_next */
	bool patient;
};

/* Locks pd's port space, unless it is claimed already. False: start anew. */
bool pio_claim(struct pio_claims *c, struct pd *pd) must_check;

/* Gives all back; from now on patient. */
void pio_claim_restart(struct pio_claims *c);
/* The guests that were stopped (space_pio_stop_guests()) go on. */
void pio_claim_end(struct pio_claims *c);
