/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_PT, PT_CTRL. */
#include "core/pt.h"
#include "space/pd.h"
#include "syscall/syscall.h"

enum status sys_pt_create(u64 arg1, u64 parent, u64 ec_sel, u64 mtd, u64 rip, struct ec *self)
{
	struct cap_slot *slot;
	struct pt *pt;

	struct pd *pd = sys_parent(parent);
	if (!pd)
		return BAD_CAP;
	struct ec *ec = (struct ec *)cap_lookup_object(ec_sel, KOBJ_EC, PERM_EC_PT);
	if (!ec || ec_is_global(ec))
		return BAD_CAP;
	enum status s = space_obj_reserve(self->pd, hc_sel(arg1), &slot);
	if (s != SUCCESS)
		return s;
	s = pt_create(pd, ec, rip, mtd, &pt);
	if (unlikely(s != SUCCESS))
		return sys_cancel(self->pd, slot, s);
	return sys_install(self->pd, slot, &pt->obj, PERM_PT_ALL);
}

/* The plain case never comes here: entry/fastcall.S. */
enum status sys_pt_ctrl(u64 arg1, u64 id)
{
	struct pt *pt = (struct pt *)cap_lookup_object(hc_sel(arg1), KOBJ_PT, PERM_PT_CTRL);
	if (!pt)
		return BAD_CAP;
	WRITE_ONCE(pt->id, id);
	return SUCCESS;
}
