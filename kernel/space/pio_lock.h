/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One lock for the ports of all PDs. All ports come from one range, and what is derived from a range may be anywhere;
 * so what is done to them is done in pieces of some thousand instructions, each under this lock, and nobody has to
 * collect the locks of many PDs first. Only the locks of the allocators come after it.
 */
#pragma once

#include "lib/spinlock.h"

struct pd;

extern struct spinlock pio_lock;

/*
 * Stops the guests of pd before their port bitmap is changed, which must not happen while a guest runs that refers to
 * it (SDM vol. 3, 25.11.4). It also makes a revocation final: no guest goes on with a port that it has lost. The
 * caller holds the lock; when it is released, the guests go on. A second call does nothing.
 */
void pio_lock_stop_guests_locked(struct pd *pd);

void pio_lock_resume_and_unlock(void);

extern struct pd *pio_lock_stopped; /* linked through pio.stopped_next; guarded by the lock */

static always_inline void pio_lock_take(void)
{
	spin_lock(&pio_lock);
}

static always_inline void pio_lock_release(void)
{
	if (unlikely(pio_lock_stopped))
		pio_lock_resume_and_unlock();
	else
		spin_unlock(&pio_lock);
}
