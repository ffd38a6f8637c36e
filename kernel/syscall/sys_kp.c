/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_KP, KP_CTRL. */
#include "core/kp.h"
#include "space/pd.h"
#include "syscall/syscall.h"

enum status sys_kp_create(u64 arg1, u64 parent, struct ec *self)
{
	struct cap_slot *slot;
	struct kp *kp;

	struct pd *pd = sys_parent(parent);
	if (!pd)
		return BAD_CAP;
	enum status s = space_obj_reserve(self->pd, hc_sel(arg1), &slot);
	if (s != SUCCESS)
		return s;
	s = kp_create(pd, &kp);
	if (unlikely(s != SUCCESS))
		return sys_cancel(self->pd, slot, s);
	return sys_install(self->pd, slot, &kp->obj, PERM_KP_ALL);
}

enum status sys_kp_ctrl(u64 arg1, u64 pd_sel, u64 va)
{
	unsigned op = hc_op(arg1);

	if (op > KP_CTRL_UNMAP)
		return BAD_PAR;
	struct kp *kp = (struct kp *)cap_lookup_object(hc_sel(arg1), KOBJ_KP, PERM_KP_CTRL);
	if (!kp)
		return BAD_CAP;
	if (op == KP_CTRL_UNMAP)
		return kp_unmap(kp);
	struct pd *pd = sys_pd(pd_sel);
	return pd ? kp_map(kp, pd, va) : BAD_CAP;
}
