/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_VCPU. VCPU_CTRL is in syscall.h. */
#include "core/kp.h"
#include "core/vcpu.h"
#include "space/pd.h"
#include "syscall/syscall.h"

static struct kp *kernel_page(u64 sel)
{
	return (struct kp *)cap_lookup_object(sel, KOBJ_KP, 0);
}

enum status sys_vcpu_create(u64 arg1, u64 arg2, u64 state, u64 vlapic, u64 fpu, struct ec *self)
{
	struct vcpu_config cfg = {.cpu_id = hc_cpu(arg2)};
	struct cap_slot *slot;
	struct vcpu *v;

	if (!cpu_online(cfg.cpu_id))
		return BAD_CPU;
	cfg.cpu_id = cpu_index(cfg.cpu_id);
	cfg.pd = sys_parent(arg2 >> 12);
	if (!cfg.pd)
		return BAD_CAP;
	cfg.state = kernel_page(state);
	cfg.vlapic = kernel_page(vlapic);
	cfg.fpu = kernel_page(fpu);
	if (!cfg.state || !cfg.vlapic || !cfg.fpu)
		return BAD_CAP;
	if (!arch_vcpu_supported())
		return BAD_FTR;
	enum status s = space_obj_reserve(self->pd, hc_sel(arg1), &slot);
	if (s != SUCCESS)
		return s;
	s = vcpu_create(&cfg, &v);
	if (unlikely(s != SUCCESS))
		return sys_cancel(self->pd, slot, s);
	return sys_install(self->pd, slot, &v->obj, PERM_VCPU_ALL);
}
