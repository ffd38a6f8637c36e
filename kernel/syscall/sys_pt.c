/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_PT, PT_CTRL. */
#include "core/pt.h"

#include "core/pd.h"
#include "syscall/syscall.h"

enum status sys_pt_create(struct ec *self, const struct hypercall *c)
{
	u64 sel = hc_sel(c->arg1);

	if (!sys_parent(c->arg2, NULL))
		return BAD_CAP;
	struct ec *ec = (struct ec *)cap_lookup_object(c->arg3, KOBJ_EC, PERM_EC_PT);
	if (!ec || ec_is_global(ec))
		return BAD_CAP;
	enum status s = space_obj_reserve(self->pd, sel);
	if (s != SUCCESS)
		return s;
	struct pt *pt;
	s = pt_create(ec, c->arg5, c->arg4, &pt);
	if (s != SUCCESS) {
		space_obj_cancel(self->pd, sel);
		return s;
	}
	kobject_publish(&pt->obj);
	space_obj_commit(self->pd, sel, &pt->obj, PERM_PT_ALL);
	return SUCCESS;
}

enum status sys_pt_ctrl(u64 arg1, u64 id)
{
	struct pt *pt = (struct pt *)cap_lookup_object(hc_sel(arg1), KOBJ_PT, PERM_PT_CTRL);
	if (!pt)
		return BAD_CAP;
	WRITE_ONCE(pt->id, id);
	return SUCCESS;
}
