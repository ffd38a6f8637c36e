/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypercalls: decode, check in the documented order, reserve, commit. Handlers take the arguments that mean
 * something, in their order, and the caller; they return the status. Further results go to self->regs, which the exit
 * reloads (rsi = OUT2, rdx = OUT3, rax = OUT4). A handler that gives up the CPU sets a hazard and returns.
 */
#pragma once

#include "core/ec.h"
#include "core/percpu.h"
#include "core/rcu.h"
#include "core/vcpu.h"
#include "space/space_obj.h"

#include <hedron/abi.h>
#include <hedron/crd.h>

static always_inline u64 hc_sel(u64 arg1)
{
	return arg1 >> 12;
}
/* Of an argument that names a CPU in its low bits and something else above. */
static always_inline unsigned hc_cpu(u64 arg)
{
	return arg & PAGE_MASK;
}
static always_inline unsigned hc_op(u64 arg1)
{
	return arg1 >> 8 & 3;
}

/* All hypercalls but CALL and REPLY. ARG4 is in self->regs.rax. */
enum status syscall_dispatch(u64 arg1, u64 arg2, u64 arg3, struct ec *self, u64 arg5);

enum status sys_pd_create(u64 arg1, u64 parent, crd_t objects, struct ec *self);
enum status sys_pd_ctrl(u64 arg1, u64 arg2, struct ec *self);
enum status sys_pd_delegate(u64 arg1, u64 arg2, u64 crd, struct ec *self, u64 window);
enum status sys_ec_create(u64 arg1, u64 parent, u64 arg3, u64 rsp, u64 event_base, struct ec *self);
enum status sys_ec_ctrl(u64 arg1);
enum status sys_sc_create(u64 arg1, u64 parent, u64 ec, u64 arg4, struct ec *self);
enum status sys_sc_ctrl(u64 arg1, struct ec *self);
enum status sys_pt_create(u64 arg1, u64 parent, u64 ec, u64 mtd, u64 rip, struct ec *self);
enum status sys_pt_ctrl(u64 arg1, u64 id);
enum status sys_sm_create(u64 arg1, u64 parent, u64 count, struct ec *self);
enum status sys_sm_ctrl(u64 arg1, u64 time_high, u64 time_low, struct ec *self);
enum status sys_kp_create(u64 arg1, u64 parent, struct ec *self);
enum status sys_kp_ctrl(u64 arg1, u64 pd, u64 va);
enum status sys_vcpu_create(u64 arg1, u64 arg2, u64 state, u64 vlapic, u64 fpu, struct ec *self);
enum status sys_machine_ctrl(u64 arg1, u64 arg2, struct ec *self);
enum status sys_trace_ctrl(u64 arg1, u64 arg2, u64 arg3, struct ec *self, u64 unused5);
enum status sys_memory_ctrl(u64 arg1, u64 from, u64 bytes, struct ec *self, u64 unused5);
enum status sys_irq_ctrl(u64 arg1, u64 arg2, u64 cpu_id, struct ec *self, u64 unused5);
enum status sys_revoke(u64 arg1, crd_t crd, u64 pd, struct ec *self);

/* Or kobject_nothing, which belongs to no CPU: what is done with a vCPU asks for that first. */
static always_inline struct vcpu *sys_vcpu(u64 sel)
{
	return (struct vcpu *)cap_lookup_or_nothing(sel, KOBJ_VCPU, PERM_VCPU_CTRL);
}

/* In place: cheaper than hc_op(). */
#define SYS_PD_OP (3 << 8)
#define SYS_PD_DELEGATE (PD_CTRL_DELEGATE << 8)

#define SYS_VCPU_POKE (VCPU_CTRL_POKE << 8)
#define SYS_VCPU_UNKNOWN (2 << 8)
#define SYS_VCPU_PARTIAL (VCPU_CTRL_PARTIAL << 8)

static always_inline enum status sys_vcpu_poke(u64 arg1, const struct ec *self)
{
	if (unlikely(arg1 & SYS_VCPU_UNKNOWN))
		return BAD_PAR;
	return vcpu_poke(sys_vcpu(hc_sel(arg1)), self);
}

static always_inline enum status sys_vcpu_ctrl(u64 arg1, u64 mtd, u64 wanted, struct ec *self)
{
	if (arg1 & (SYS_VCPU_POKE | SYS_VCPU_UNKNOWN))
		return sys_vcpu_poke(arg1, self);
	return vcpu_run(sys_vcpu(hc_sel(arg1)), mtd, arg1 & SYS_VCPU_PARTIAL ? wanted : VCPU_WANT_ALL, self);
}

static always_inline struct pd *sys_pd(u64 sel)
{
	return (struct pd *)cap_lookup_object(sel, KOBJ_PD, 0);
}

/* The parent PD that every creation needs; NULL if the capability does not allow it. */
static always_inline struct pd *sys_parent(u64 sel)
{
	return (struct pd *)cap_lookup_object(sel, KOBJ_PD, PERM_PD_CREATE);
}

/* The hypercall has found no memory and changed nothing: it begins anew, as `fn`, when memory has been waited for. */
enum status sys_again(hypercall_fn fn, u64 arg1);

/* A creation has failed: the slot that was reserved is given back. */
static always_inline enum status sys_cancel(struct pd *pd, struct cap_slot *slot, enum status why)
{
	space_obj_cancel(pd, slot);
	return why;
}

/* The end of a creation: a new object's first capability goes to the slot that was reserved. */
static always_inline enum status sys_install(struct pd *pd, struct cap_slot *slot, struct kobject *o, unsigned perm)
{
	kobject_publish(o);
	space_obj_commit(pd, slot, o, perm);
	return SUCCESS;
}
