/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel objects as roottasks use them. Locking: none, only one EC creates. */
#include "internal.h"

enum status rt_revoke(sel_t sel)
{
	return hc_revoke(rt_obj(sel, 0, PERM_ALL), REVOKE_SELF, 0);
}

enum status rt_delegate(sel_t sel, sel_t dst_pd, sel_t dst_sel, unsigned perm)
{
	struct utcb_item got;
	enum status st =
		hc_delegate(RT_SEL_PD, dst_pd, rt_obj(sel, 0, perm), ITEM_DELEGATE, rt_obj(dst_sel, 0, perm), &got);

	if (st == SUCCESS && crd_kind(got.crd) != CRD_OBJ)
		st = BAD_PAR;
	return st;
}

enum status rt_pd(sel_t *pd)
{
	uint64_t image = (uint64_t)rt_image_start;
	sel_t sel = rt_sel();
	enum status st = hc_create_pd(sel, RT_SEL_PD, rt_obj(0, 5, PERM_ALL), 0);

	if (st != SUCCESS)
		return st;
	st = rt_mem_delegate(RT_SEL_PD, image, sel, image, (size_t)(rt_image_end - rt_image_start) / RT_PAGE,
			     RT_MEM_RWX, 0);
	*pd = sel;
	return st;
}

/* What both kinds of EC need. The top of the stack is left to the caller: *top points behind it. */
static enum status ec_prepare(struct rt_ec *ec, uint64_t **top)
{
	size_t size = RT_STACK_PAGES * RT_PAGE;

	if (!ec->pd)
		ec->pd = RT_SEL_PD;
	if (!ec->sel)
		ec->sel = rt_sel();
	if (!ec->utcb && !ec->no_utcb)
		ec->utcb = rt_utcb_page();
	if (!ec->stack)
		ec->stack = rt_pages_aligned(RT_STACK_PAGES, 1);
	if (!ec->stack)
		return OOM;
	if (!ec->events && ec->pd == RT_SEL_PD && rt_cpu_enabled(ec->cpu))
		ec->events = rt_events(ec->cpu);
	*top = (uint64_t *)(ec->stack + size);
	if (ec->pd == RT_SEL_PD)
		return SUCCESS;
	return rt_mem_delegate(RT_SEL_PD, (uint64_t)ec->stack, ec->pd, (uint64_t)ec->stack, RT_STACK_PAGES, RT_MEM_RW,
			       0);
}

enum status rt_ec_local(struct rt_ec *ec)
{
	uint64_t *top;
	enum status st = ec_prepare(ec, &top);

	if (st != SUCCESS)
		return st;
	top -= 2;
	top[0] = (uint64_t)ec->utcb;
	return hc_create_ec(ec->sel, ec->pd, ec->cpu, (uint64_t)ec->utcb, (uint64_t)top, ec->events, 0);
}

enum status rt_ec_global(struct rt_ec *ec, void (*fn)(void *), void *arg)
{
	uint64_t *top;
	enum status st = ec_prepare(ec, &top);

	if (st != SUCCESS)
		return st;
	top -= 4;
	top[0] = (uint64_t)fn;
	top[1] = (uint64_t)arg;
	return hc_create_ec(ec->sel, ec->pd, ec->cpu, (uint64_t)ec->utcb, (uint64_t)top, ec->events,
			    CREATE_EC_GLOBAL);
}

enum status rt_sc(sel_t *sc, sel_t ec, unsigned prio)
{
	if (!*sc)
		*sc = rt_sel();
	return hc_create_sc(*sc, RT_SEL_PD, ec, prio, RT_QUANTUM);
}

enum status rt_thread(struct rt_ec *ec, unsigned prio, void (*fn)(void *), void *arg)
{
	enum status st = rt_ec_global(ec, fn, arg);

	return st == SUCCESS ? rt_sc(&ec->sc, ec->sel, prio) : st;
}

enum status rt_sm(sel_t *sm, unsigned long count)
{
	*sm = rt_sel();
	return hc_create_sm(*sm, RT_SEL_PD, count);
}

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
