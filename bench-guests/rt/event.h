/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event portals of a CPU: 32 selectors. Vector 30 starts global ECs, every other prints the fault and panics. The
 * boot CPU's are at 0. To handle a vector yourself make a set of your own with rt_events_new() and put your portal
 * there with rt_event(); it replaces the one in place.
 * Locking: none, only one EC creates.
 */
#pragma once

#include "rt/attr.h"
#include "rt/portal.h"

sel_t rt_events(unsigned cpu); /* the runtime's; made when they are first asked for */
enum status rt_events_new(unsigned cpu, sel_t *events) RT_MUST_CHECK;
enum status rt_event(sel_t events, unsigned vector, const struct rt_ec *ec, unsigned long mtd, rt_handler *handler,
		     void *arg) RT_MUST_CHECK;
enum status rt_event_raw(sel_t events, unsigned vector, const struct rt_ec *ec, unsigned long mtd,
			 void (*entry)(void)) RT_MUST_CHECK;
enum status rt_event_default(unsigned cpu, unsigned vector) RT_MUST_CHECK; /* puts the runtime's portal back */

/* For the start of the program: the boot CPU's, at which the roottask's own event base points. */
void rt_events_init(void);
