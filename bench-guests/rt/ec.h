/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Execution contexts, made from a description. Programs use thread.h, which also chooses the event portals.
 * Locking: none, only one EC creates.
 */
#pragma once

#include "rt/attr.h"
#include "rt/hypercall.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Fill in what differs from 0, then create. A zero `pd` is the roottask's own, a zero `events` the runtime's fault
 * portals of that CPU (event.h). Stack (also mapped in `pd`) and UTCB come from the runtime unless given; `no_utcb`
 * leaves the UTCB to the kernel. On failure the structure may be used again.
 */
struct rt_ec {
	sel_t pd;
	unsigned cpu;
	sel_t events;
	bool no_utcb;
	sel_t sel; /* 0: a new selector */
	sel_t sc;  /* the same, of the scheduling context rt_thread() makes */
	struct utcb *utcb;
	uint8_t *stack; /* lowest byte */
};

#define RT_STACK_PAGES 4

/* Chooses what is 0, but for `events`. OOM: there is no memory for the stack. */
enum status rt_ec_prepare(struct rt_ec *ec) RT_MUST_CHECK;

/* Create an EC that is prepared, and put on its stack what its entry point (entry.h) looks for there. */
enum status rt_ec_create_local(const struct rt_ec *ec) RT_MUST_CHECK;
enum status rt_ec_create_global(const struct rt_ec *ec, void (*fn)(void *arg), void *arg) RT_MUST_CHECK;
