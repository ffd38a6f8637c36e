/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other threads for suites: a partner on any CPU, and SCs that are ready on the CPU that measures. Cases do not
 * overlap in time, so there is one of each. Functions that make many objects are told where their selectors begin.
 */
#pragma once

#include "rt/hypercall.h"

/* A thread that runs fn. Null, or why there is none. */
const char *partner_start(unsigned cpu, unsigned prio, void (*fn)(void *));
/* To be called when fn has returned or the thread sleeps for good; also if it was never made. */
void partner_end(void);
sel_t partner_sc(void);

/* Spins until the thread with this SC, on another CPU, sleeps: it uses no time any more. */
void partner_until_asleep(sel_t sc);

/*
 * `count` SCs that wait for the CPU, with ECs that have nothing to run: they must be gone before it is their turn.
 * Selectors from `base` on, two for each; to be revoked by the caller.
 */
const char *partner_ready(sel_t base, long count, unsigned prio);

/*
 * The same with ECs that only yield, and so pass the CPU round. The first of them that gets it while partner_ring_ran
 * is zero leaves the time there, as bench_start() has it.
 */
const char *partner_ring(sel_t base, long count, unsigned prio);
extern volatile uint64_t partner_ring_ran;
