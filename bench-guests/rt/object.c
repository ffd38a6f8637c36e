/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/object.h"

#include "rt/image.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/sel.h"

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

enum status rt_sm(sel_t *sm, unsigned long count)
{
	*sm = rt_sel();
	return hc_create_sm(*sm, RT_SEL_PD, count);
}

enum status rt_sc(sel_t *sc, sel_t ec, unsigned prio)
{
	if (!*sc)
		*sc = rt_sel();
	return hc_create_sc(*sc, RT_SEL_PD, ec, prio, RT_QUANTUM);
}
