/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CREATE_VCPU, VCPU_CTRL: there is no virtualization yet, which the HIP says; arguments are checked all the same. */
#include "core/kp.h"
#include "syscall/syscall.h"

#define CPU_FIELD_MASK 0xfff

static bool is_kp(u64 sel)
{
	return cap_lookup_object(sel, KOBJ_KP, 0);
}

enum status sys_vcpu_create(u64 arg2, u64 arg3, u64 arg4, u64 arg5)
{
	if (!cpu_online(arg2 & CPU_FIELD_MASK))
		return BAD_CPU;
	if (!sys_parent(arg2 >> 12))
		return BAD_CAP;
	if (!is_kp(arg3) || !is_kp(arg4) || !is_kp(arg5))
		return BAD_CAP;
	return BAD_FTR;
}

/* Nobody can have a vCPU's capability. */
enum status sys_vcpu_ctrl(u64 arg1)
{
	return hc_op(arg1) > VCPU_CTRL_POKE ? BAD_PAR : BAD_CAP;
}
