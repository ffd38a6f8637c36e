/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks of several port spaces at once, for operations that span PDs: a delegation needs two, a revocation needs
 * those of all PDs that have some of the ports, in whatever order they turn up.
 *
 * Without an order of locks a deadlock is avoided by giving up: a set that holds a lock and cannot get another one in
 * a while gives all back and starts anew in exclusive mode. One set at a time is in that mode, and it alone waits
 * without limit while it holds locks, so all others get out of its way sooner or later (docs/design/locking.md).
 *
 *	struct pio_lock_set set = {0};
 *	while (!attempt(&set, ...)) // pio_lock_set_add() for each PD; false if one fails, before any change
 *		pio_lock_set_restart(&set);
 *	pio_lock_set_release(&set);
 */
#pragma once

#include "lib/types.h"

struct pd;

struct pio_lock_set {
	struct pd *first; /* linked through pio.locked_next */
	bool exclusive;
};

/* Locks pd's port space, unless the set has it already. False: start anew. */
bool pio_lock_set_add(struct pio_lock_set *set, struct pd *pd) must_check;

/* Gives all locks back. From now on the set is in exclusive mode, for which this waits. */
void pio_lock_set_restart(struct pio_lock_set *set);
/* Gives all locks back, and the exclusive mode. Guests that were stopped (space_pio_stop_guests()) go on. */
void pio_lock_set_release(struct pio_lock_set *set);
