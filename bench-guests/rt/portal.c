/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/portal.h"

#include "rt/entry.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/pool.h"
#include "rt/sel.h"

_Static_assert(offsetof(struct rt_portal, handler) == RT_PORTAL_HANDLER &&
		       offsetof(struct rt_portal, arg) == RT_PORTAL_ARG,
	       "entry.S loads them from there");
_Static_assert(RT_ENTRY_REPLY == HC_ARG1(HC_REPLY, 0, 0), "entry.S replies with it");

enum status rt_pt_raw(sel_t *pt, const struct rt_ec *ec, unsigned long mtd, void (*entry)(void))
{
	*pt = rt_sel();
	return hc_create_pt(*pt, RT_SEL_PD, ec->sel, mtd, (uint64_t)entry);
}

static struct rt_portal *portal_alloc(rt_handler *handler, void *arg)
{
	static struct rt_portal *next, *end;

	if (next == end) {
		next = rt_pages_aligned(1, 1);
		end = next ? next + RT_PAGE / sizeof(*next) : NULL;
	}
	if (!next)
		return NULL;
	*next = (struct rt_portal){handler, arg};
	return next++;
}

enum status rt_pt_at(sel_t pt, const struct rt_ec *ec, unsigned long mtd, rt_handler *handler, void *arg)
{
	struct rt_portal *portal = portal_alloc(handler, arg);
	enum status st = portal ? SUCCESS : OOM;

	if (st == SUCCESS && ec->pd != RT_SEL_PD)
		st = rt_mem_delegate(RT_SEL_PD, (uint64_t)portal & -RT_PAGE, ec->pd, (uint64_t)portal & -RT_PAGE, 1,
				     RT_MEM_RW, 0);
	if (st == SUCCESS)
		st = hc_create_pt(pt, RT_SEL_PD, ec->sel, mtd, (uint64_t)rt_portal_entry);
	if (st == SUCCESS)
		st = hc_pt_ctrl(pt, (unsigned long)portal);
	return st;
}

enum status rt_pt(sel_t *pt, const struct rt_ec *ec, unsigned long mtd, rt_handler *handler, void *arg)
{
	*pt = rt_sel();
	return rt_pt_at(*pt, ec, mtd, handler, arg);
}
