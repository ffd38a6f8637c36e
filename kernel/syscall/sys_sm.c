/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_SM. (SM_CTRL is in syscall.h.) */
#include "core/sm.h"

#include "core/pd.h"
#include "syscall/syscall.h"

enum status sys_sm_create(u64 arg1, u64 parent, u64 count, struct ec *self)
{
	struct cap_slot *slot;
	struct sm *sm;

	if (!sys_parent(parent))
		return BAD_CAP;
	enum status s = space_obj_reserve(self->pd, hc_sel(arg1), &slot);
	if (s != SUCCESS)
		return s;
	s = sm_create(count, &sm);
	return sys_install(self->pd, slot, s, &sm->obj, PERM_SM_ALL);
}
