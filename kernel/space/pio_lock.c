/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/pio_lock.h"

#include "arch/space.h"
#include "space/pd.h"

struct spinlock pio_lock;
struct pd *pio_lock_stopped;

void pio_lock_stop_guests_locked(struct pd *pd)
{
	if (pd->pio.guests_stopped)
		return;
	__atomic_store_n(&pd->pio.guests_stopped, true, __ATOMIC_RELAXED);
	pd->pio.stopped_next = pio_lock_stopped;
	pio_lock_stopped = pd;
	arch_guests_stop(pd);
}

void pio_lock_resume_and_unlock(void)
{
	while (pio_lock_stopped) {
		struct space_pio *sp = &pio_lock_stopped->pio;
		pio_lock_stopped = sp->stopped_next;
		__atomic_store_n(&sp->guests_stopped, false, __ATOMIC_RELEASE);
	}
	spin_unlock(&pio_lock);
}
