/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Included before everything else: CPUs are threads here, more of them than processors, and whose turn it is may not
 * run at the moment. So whoever spins for longer than a lock is held lets others run. */
#pragma once

#define HOST_PAUSES 64 /* a few microseconds */

int sched_yield(void);

static inline void host_pause(void)
{
	static _Thread_local unsigned pauses;

	if (++pauses % HOST_PAUSES)
		__builtin_ia32_pause();
	else
		sched_yield();
}

#define __builtin_ia32_pause() host_pause()
