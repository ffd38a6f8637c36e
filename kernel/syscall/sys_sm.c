/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_SM, SM_CTRL. */
#include "core/sm.h"
#include "space/pd.h"
#include "syscall/syscall.h"

enum status sys_sm_create(u64 arg1, u64 parent, u64 count, struct ec *self)
{
	struct cap_slot *slot;
	struct sm *sm;

	struct pd *pd = sys_parent(parent);
	if (!pd)
		return BAD_CAP;
	enum status s = space_obj_reserve(self->pd, hc_sel(arg1), &slot);
	if (s != SUCCESS)
		return s;
	s = sm_create(pd, count, &sm);
	if (unlikely(s != SUCCESS))
		return sys_cancel(self->pd, slot, s);
	return sys_install(self->pd, slot, &sm->obj, PERM_SM_ALL);
}

static enum status up(u64 arg1, bool timeout)
{
	struct sm *sm = (struct sm *)cap_lookup_object(hc_sel(arg1), KOBJ_SM, PERM_SM_UP);
	if (!sm)
		return BAD_CAP;
	return timeout ? BAD_PAR : sm_up(sm);
}

static enum status down(u64 arg1, bool timeout, struct ec *self)
{
	struct sm *sm = (struct sm *)cap_lookup_object(hc_sel(arg1), KOBJ_SM, PERM_SM_DOWN);
	if (!sm)
		return BAD_CAP;
	if (timeout)
		return BAD_PAR;
	return arg1 >> 8 & SM_CTRL_ZERO ? sm_down_all(sm, self) : sm_down(sm, self);
}

/* The plain cases never come here: entry/fastcall.S. Timeouts are an extension to come, they must be zero. */
enum status sys_sm_ctrl(u64 arg1, u64 time_high, u64 time_low, struct ec *self)
{
	bool timeout = (u32)time_high | time_low;

	return arg1 >> 8 & SM_CTRL_DOWN ? down(arg1, timeout, self) : up(arg1, timeout);
}
