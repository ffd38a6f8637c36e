/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/ec.h"

#include "rt/map.h"
#include "rt/message.h"
#include "rt/pool.h"
#include "rt/sel.h"

/* Behind the last word: what entry points look for is put below. */
static uint64_t *stack_top(const struct rt_ec *ec)
{
	return (uint64_t *)(ec->stack + RT_STACK_PAGES * RT_PAGE);
}

enum status rt_ec_prepare(struct rt_ec *ec)
{
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
	if (ec->pd == RT_SEL_PD)
		return SUCCESS;
	return rt_mem_delegate(RT_SEL_PD, (uint64_t)ec->stack, ec->pd, (uint64_t)ec->stack, RT_STACK_PAGES, RT_MEM_RW,
			       0);
}

enum status rt_ec_create_local(const struct rt_ec *ec)
{
	uint64_t *top = stack_top(ec) - 2;

	top[0] = (uint64_t)ec->utcb;
	return hc_create_ec(ec->sel, ec->pd, ec->cpu, (uint64_t)ec->utcb, (uint64_t)top, ec->events, 0);
}

enum status rt_ec_create_global(const struct rt_ec *ec, void (*fn)(void *), void *arg)
{
	uint64_t *top = stack_top(ec) - 4;

	top[0] = (uint64_t)fn;
	top[1] = (uint64_t)arg;
	return hc_create_ec(ec->sel, ec->pd, ec->cpu, (uint64_t)ec->utcb, (uint64_t)top, ec->events,
			    CREATE_EC_GLOBAL);
}
