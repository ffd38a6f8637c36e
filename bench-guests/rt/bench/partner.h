/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other threads for suites: a partner on any CPU, and on the CPU that measures SCs that are ready. Cases do not
 * overlap in time, so there is one of each. All take selectors of the caller where there are many.
 */
#pragma once

#include "rt/hypercall.h"

/* A thread that runs fn. To be called when it has returned or sleeps for good; also if it was never made. */
const char *company_partner(unsigned cpu, unsigned prio, void (*fn)(void *));
void company_partner_gone(void);
sel_t company_partner_sc(void);

/* Spins until the thread with this SC, on another CPU, sleeps: it uses no time any more. */
void company_until_asleep(sel_t sc);

/* `count` SCs that wait for the CPU, with ECs that have nothing to run: they must be gone before it is their turn.
 * Selectors from `base` on, two for each; to be revoked by the caller. */
const char *company_ready(sel_t base, long count, unsigned prio);

/* The same with ECs that only yield. The first of them that gets the CPU while company_ring_ran is zero leaves the
 * time there, as bench_start() has it. */
const char *company_ring(sel_t base, long count, unsigned prio);
extern volatile uint64_t company_ring_ran;
