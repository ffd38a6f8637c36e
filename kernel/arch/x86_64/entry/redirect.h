/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For handlers on stacks of their own: returning, by their IRET, to another place than the interrupted one. */
#pragma once

struct trap_frame;

/* Goes on at `rip` in the kernel, on an empty main stack. */
void divert(struct trap_frame *f, const void *rip);

/* User code comes into the kernel as if by a trap; with an event to raise, or to see to hazards before it goes on. */
#define DIVERT_NO_EVENT 0xff
void divert_event(struct trap_frame *f, unsigned event);
