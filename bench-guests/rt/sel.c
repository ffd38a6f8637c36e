/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Locking: none, only one EC allocates. */
#include "rt/sel.h"

#include "rt/panic.h"
#include "rt/size.h"

#define SEL_FIRST 64 /* below are the event portals of the boot CPU and the roottask's own objects */

static sel_t sel_next = SEL_FIRST;

sel_t rt_sels(unsigned order)
{
	sel_t sel = rt_align(sel_next, 1ul << order);

	if (sel + (1ul << order) > RT_SEL_PROGRAM)
		rt_panic("out of selectors");
	sel_next = sel + (1ul << order);
	return sel;
}

sel_t rt_sel(void)
{
	return rt_sels(0);
}
