/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "syscall/syscall.h"

#include "core/pd.h"
#include "core/rcu.h"
#include "lib/bits.h"
#include "lib/panic.h"

struct pd *sys_parent(u64 sel, unsigned *perm)
{
	cap_t cap = cap_lookup(sel);
	struct kobject *o = cap_object(cap);
	if (!(cap & PERM_PD_CREATE) || o->type != KOBJ_PD)
		return NULL;
	if (perm)
		*perm = cap_perm(cap);
	return (struct pd *)o;
}

static enum status dispatch_once(struct ec *self, const struct hypercall *c)
{
	switch (c->arg1 & 0xff) {
	case HC_CREATE_PD:
		return sys_pd_create(self, c);
	case HC_CREATE_EC:
		return sys_ec_create(self, c);
	case HC_CREATE_SC:
		return sys_sc_create(self, c);
	case HC_CREATE_PT:
		return sys_pt_create(self, c);
	case HC_CREATE_SM:
		return sys_sm_create(self, c);
	case HC_CREATE_KP:
		return sys_kp_create(self, c);
	case HC_KP_CTRL:
		return sys_kp_ctrl(c);
	case HC_CREATE_VCPU:
		return sys_vcpu_create(c);
	case HC_VCPU_CTRL:
		return sys_vcpu_ctrl(c);
	case HC_MACHINE_CTRL:
		return sys_machine_ctrl(self, c);
	case HC_REVOKE:
		return sys_revoke(self, c);
	case HC_EC_CTRL:
		return sys_ec_ctrl(self, c);
	default:
		return BAD_HYP;
	}
}

/*
 * All but the frequent ones. Memory may be short only because what was deleted waits for a grace period: that is waited for once. (It is
 * safe to do so here: no lock is held, and what the hypercall names is looked up again.)
 */
static noinline enum status dispatch_rest(u64 arg1, u64 arg2, u64 arg3, u64 arg4, u64 arg5, struct ec *self)
{
	const struct hypercall c = {arg1, arg2, arg3, arg4, arg5};
	enum status s = dispatch_once(self, &c);
	if (unlikely(s == OOM) && rcu_expedite(cpu_current()))
		s = dispatch_once(self, &c);
	return s;
}

static noinline enum status sys_sm_zero(u64 arg1, u64 arg2, u64 arg3, struct ec *self)
{
	return sys_sm_down(arg1, arg2, arg3, self, true);
}

/*
 * From entry.S, for all hypercalls but CALL and REPLY. The frequent ones come first and get what they need in registers; every branch
 * ends in a jump, so that nothing is pushed.
 */
enum status syscall_dispatch(u64 arg1, u64 arg2, u64 arg3, u64 arg4, u64 arg5, struct ec *self);
enum status syscall_dispatch(u64 arg1, u64 arg2, u64 arg3, u64 arg4, u64 arg5, struct ec *self)
{
	unsigned hc = arg1 & 0xff;
	if (likely(hc == HC_SM_CTRL)) {
		if (!(arg1 >> 8 & SM_CTRL_DOWN))
			return sys_sm_up(arg1, arg2, arg3);
		if (unlikely(arg1 >> 8 & SM_CTRL_ZERO))
			return sys_sm_zero(arg1, arg2, arg3, self);
		return sys_sm_down(arg1, arg2, arg3, self, false);
	}
	if (hc > HC_VCPU_CTRL)
		return BAD_HYP;
	if (hc == HC_PD_CTRL)
		return sys_pd_ctrl(arg1, arg2, arg3, arg4, arg5, self);
	if (hc == HC_PT_CTRL)
		return sys_pt_ctrl(arg1, arg2);
	if (hc == HC_SC_CTRL)
		return sys_sc_ctrl(arg1, self);
	return dispatch_rest(arg1, arg2, arg3, arg4, arg5, self);
}
