/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_SM. (SM_CTRL is in syscall.h.) */
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
	space_obj_commit(self->pd, sel, &sm->obj, PERM_SM_ALL);
	return SUCCESS;
}
