/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exits of guests, with the time until a guest was entered again on the same CPU: what kernel and VMM took together.
 */
#pragma once

#include "view.h"

struct guest_exit {
	unsigned reason;
	bool entered; /* false: none was before the trace ended */
	uint64_t ticks;
};

struct guest_exits {
	struct guest_exit *list; /* by reason; within one those with a time first, the shortest first */
	size_t count;
};

void guest_exits_find(struct guest_exits *exits, const struct view *view);
void guest_exits_free(struct guest_exits *exits);
