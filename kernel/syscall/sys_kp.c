/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_KP, KP_CTRL. */
#include "core/kp.h"

#include "core/pd.h"
#include "syscall/syscall.h"

enum status sys_kp_create(struct ec *self, const struct hypercall *c)
{
	u64 sel = hc_sel(c->arg1);

	if (!sys_parent(c->arg2, NULL))
		return BAD_CAP;
	enum status s = space_obj_reserve(self->pd, sel);
	if (s != SUCCESS)
		return s;
	struct kp *kp;
	s = kp_create(&kp);
	if (s != SUCCESS) {
		space_obj_cancel(self->pd, sel);
		return s;
	}
	kobject_publish(&kp->obj);
	space_obj_commit(self->pd, sel, &kp->obj, PERM_KP_ALL);
	return SUCCESS;
}

enum status sys_kp_ctrl(const struct hypercall *c)
{
	unsigned op = hc_op(c->arg1);

	if (op > KP_CTRL_UNMAP)
		return BAD_PAR;
	struct kp *kp = (struct kp *)cap_lookup_object(hc_sel(c->arg1), KOBJ_KP, PERM_KP_CTRL);
	if (!kp)
		return BAD_CAP;
	if (op == KP_CTRL_UNMAP)
		return kp_unmap(kp);
	struct pd *pd = sys_pd(c->arg2);
	return pd ? kp_map(kp, pd, c->arg3) : BAD_CAP;
}
