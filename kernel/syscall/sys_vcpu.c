/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_VCPU, VCPU_CTRL: there is no virtualization yet, which the HIP says; arguments are checked all the same. */
#include "core/kp.h"
#include "syscall/syscall.h"

#define CPU_FIELD_MASK 0xfff

static bool is_kp(u64 sel) { return cap_lookup_object(sel, KOBJ_KP, 0); }

enum status sys_vcpu_create(const struct hypercall *c)
{
	if (!cpu_online(c->arg2 & CPU_FIELD_MASK))
		return BAD_CPU;
	if (!sys_parent(c->arg2 >> 12, NULL))
		return BAD_CAP;
	if (!is_kp(c->arg3) || !is_kp(c->arg4) || !is_kp(c->arg5))
		return BAD_CAP;
	return BAD_FTR;
}

/* Nobody can have a vCPU's capability. */
enum status sys_vcpu_ctrl(const struct hypercall *c)
{
	return hc_op(c->arg1) > VCPU_CTRL_POKE ? BAD_PAR : BAD_CAP;
}
