/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_SM, SM_CTRL. */
#include "core/sm.h"

#include "core/pd.h"
#include "syscall/syscall.h"

enum status sys_sm_create(struct ec *self, const struct hypercall *c)
{
	u64 sel = hc_sel(c->arg1);

	if (!sys_parent(c->arg2, NULL))
		return BAD_CAP;
	enum status s = space_obj_reserve(self->pd, sel);
	if (s != SUCCESS)
		return s;
	struct sm *sm;
	s = sm_create(c->arg3, &sm);
	if (s != SUCCESS) {
		space_obj_cancel(self->pd, sel);
		return s;
	}
	kobject_publish(&sm->obj);
	space_obj_commit(self->pd, sel, &sm->obj, PERM_ALL);
	return SUCCESS;
}

enum status sys_sm_ctrl(struct ec *self, u64 arg1, u64 time_high, u64 time_low)
{
	bool down = arg1 >> 8 & SM_CTRL_DOWN;
	struct sm *sm =
		(struct sm *)cap_lookup_object(hc_sel(arg1), KOBJ_SM, down ? PERM_SM_DOWN : PERM_SM_UP);
	if (unlikely(!sm))
		return BAD_CAP;
	if (unlikely(time_high << 32 | time_low))
		return BAD_PAR;
	if (!down) {
		sm_up(sm);
		return SUCCESS;
	}
	return sm_down(sm, self, arg1 >> 8 & SM_CTRL_ZERO);
}
