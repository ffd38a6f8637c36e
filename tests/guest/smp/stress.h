/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Selectors of the objects that all CPUs fight over; the same in all PDs that have them. */
#pragma once

#define STRESS_EACH 8 /* of each kind; a power of two */
#define STRESS_BASE 0x1f0000
#define STRESS_ORDER 6
#define STRESS_PD (STRESS_BASE + 0 * STRESS_EACH)
#define STRESS_EC (STRESS_BASE + 1 * STRESS_EACH)     /* global */
#define STRESS_SERVER (STRESS_BASE + 2 * STRESS_EACH) /* local */
#define STRESS_SC (STRESS_BASE + 3 * STRESS_EACH)
#define STRESS_PT (STRESS_BASE + 4 * STRESS_EACH)      /* the server answers at once */
#define STRESS_PT_WAIT (STRESS_BASE + 5 * STRESS_EACH) /* it waits for a semaphore first */
#define STRESS_SM (STRESS_BASE + 6 * STRESS_EACH)
#define STRESS_KP (STRESS_BASE + 7 * STRESS_EACH)
