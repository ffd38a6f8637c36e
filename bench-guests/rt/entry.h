/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where ECs start (entry.S): threads, and local ECs at portals of the runtime. Also read by the assembler. */
#pragma once

/* Of struct rt_portal, and of the hypercall that replies; portal.c compares them with C. */
#define RT_PORTAL_HANDLER 0
#define RT_PORTAL_ARG 8
#define RT_ENTRY_REPLY 1

#ifndef __ASSEMBLER__
void rt_portal_entry(void); /* RDI: struct rt_portal, [RSP]: UTCB */
void rt_portal_echo(void);  /* a portal's entry that replies with the message as it came; two instructions */
void rt_thread_entry(void); /* [RSP]: function, argument */
#endif
