/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the runtime's own files share. */
#pragma once

#include "rt.h"

extern uint8_t rt_image_start[], rt_image_end[]; /* rt.ld */

void rt_hip_init(const struct hip *hip, unsigned cpu);
void rt_console_init(void);
void rt_console_drain(void);
void rt_pool_init(void);
void rt_machine_init(void);
void rt_events_init(void);

/* Entry points in start.c. */
void rt_portal_entry(void); /* RDI: struct rt_portal, [RSP]: UTCB */
void rt_thread_entry(void); /* [RSP]: function, argument */

/* The id of a portal made by the runtime points to one of these. */
struct rt_portal {
	rt_handler *handler;
	void *arg;
};

static inline unsigned long rt_min(unsigned long a, unsigned long b)
{
	return a < b ? a : b;
}
static inline unsigned long rt_align(unsigned long x, unsigned long align)
{
	return (x + align - 1) & -align;
}
