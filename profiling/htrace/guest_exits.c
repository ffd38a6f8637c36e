/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest_exits.h"

#include "host/mem.h"

#include <stdlib.h>

static int by_reason(const void *a, const void *b)
{
	const struct guest_exit *x = a, *y = b;

	if (x->reason != y->reason)
		return x->reason < y->reason ? -1 : 1;
	if (x->entered != y->entered)
		return x->entered ? -1 : 1;
	return x->ticks < y->ticks ? -1 : x->ticks > y->ticks;
}

static void enter(struct guest_exit *exit, uint64_t ticks)
{
	exit->entered = true;
	exit->ticks = ticks;
}

void guest_exits_find(struct guest_exits *exits, const struct view *view)
{
	size_t open[HEDRON_CPU_MAX] = {0}; /* the last exit of a CPU, from 1; 0: the guest runs, or it is not known */
	uint64_t left[HEDRON_CPU_MAX] = {0};

	*exits = (struct guest_exits){.list = xcalloc(view->count, sizeof(*exits->list))};
	for (size_t i = 0; i < view->count; i++) {
		const struct event *e = &view->events[i];

		if (e->gap)
			open[e->cpu] = 0;
		if (e->r->event == TRACE_VM_EXIT) {
			exits->list[exits->count++].reason = e->r->extra;
			open[e->cpu] = exits->count;
			left[e->cpu] = e->r->tsc;
		} else if (e->r->event == TRACE_VM_ENTRY && open[e->cpu]) {
			enter(&exits->list[open[e->cpu] - 1], e->r->tsc - left[e->cpu]);
			open[e->cpu] = 0;
		}
	}
	qsort(exits->list, exits->count, sizeof(*exits->list), by_reason);
}

void guest_exits_free(struct guest_exits *exits)
{
	free(exits->list);
	*exits = (struct guest_exits){0};
}
