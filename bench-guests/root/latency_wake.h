/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The important thread, who wakes it, and what the waiting amounts to. */
#pragma once

#include "latency.h"

enum { LATENCY_WATCHED = 1 }; /* the worker whose CPU it is */

/* Makes the threads. To be called by main() after workers_init(). */
void latency_wake_init(void);
const char *latency_wake_need(void); /* null, or why nothing can be measured here */

/*
 * Lets the case attack once, and wakes the important thread all the while: first `distance` ticks after the attack
 * has begun, and then as long after each time it has gone to sleep again. The longest time that it waited. With
 * "watch_all=TICKS" on the command line it is also woken while the case builds and cleans, so that the times of the
 * kernel's paths on that CPU can be compared with the result.
 */
uint64_t latency_wake_run(const struct latency_case *c, unsigned long size, uint64_t distance);

/* Wakes the important one once, whatever runs on its CPU, and sleeps until it has gone back to sleep. How long it
 * waited. */
uint64_t latency_wake_asleep(void);
