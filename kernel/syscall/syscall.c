/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "syscall/syscall.h"

#include "arch/cpu.h"
#include "lib/bits.h"
#include "platform/panic.h"
#include "space/pd.h"

#include <hedron/irq.h>
#include <hedron/memory.h>
#include <hedron/trace.h>

/* ARG4 is where the entry stored it. */
static always_inline enum status dispatch_once(u64 arg1, u64 arg2, u64 arg3, struct ec *self, u64 arg5)
{
	switch (arg1 & 0xff) {
	case HC_CREATE_PD:
		return sys_pd_create(arg1, arg2, arg3, self);
	case HC_CREATE_EC:
		return sys_ec_create(arg1, arg2, arg3, self->regs.rax, arg5, self);
	case HC_CREATE_SC:
		return sys_sc_create(arg1, arg2, arg3, self->regs.rax, self);
	case HC_CREATE_PT:
		return sys_pt_create(arg1, arg2, arg3, self->regs.rax, arg5, self);
	case HC_CREATE_SM:
		return sys_sm_create(arg1, arg2, arg3, self);
	case HC_CREATE_KP:
		return sys_kp_create(arg1, arg2, self);
	case HC_KP_CTRL:
		return sys_kp_ctrl(arg1, arg2, arg3);
	case HC_CREATE_VCPU:
		return sys_vcpu_create(arg1, arg2, arg3, self->regs.rax, arg5, self);
	case HC_MACHINE_CTRL:
		return sys_machine_ctrl(arg1, arg2, self);
	case HC_REVOKE:
		return sys_revoke(arg1, arg2, arg3, self);
	case HC_PT_CTRL:
		return sys_pt_ctrl(arg1, arg2);
	case HC_SM_CTRL:
		return sys_sm_ctrl(arg1, arg2, arg3, self);
	default:
		return BAD_HYP;
	}
}

/* Hypercalls that need memory name the PD that pays for it in ARG2, or it is the caller's. */
enum status sys_again(hypercall_fn fn, u64 arg1)
{
	struct ec *self = cpu_current()->ec;
	struct pd *pd = sys_pd(self->regs.rsi);

	return unfinished_again(self, pd ? pd : self->pd, fn, arg1);
}

static cold enum status dispatch_again(u64 arg1)
{
	return sys_again(dispatch_once, arg1);
}

/* All but the frequent ones. */
static noinline enum status dispatch_rest(u64 arg1, u64 arg2, u64 arg3, struct ec *self, u64 arg5)
{
	enum status s = dispatch_once(arg1, arg2, arg3, self, arg5);
	return likely(s != OOM) ? s : dispatch_again(arg1);
}

/* `fn` is a constant. */
static always_inline enum status extension(hypercall_fn fn, u64 arg1, u64 arg2, u64 arg3, struct ec *self)
{
	enum status s = fn(arg1, arg2, arg3, self, 0);
	return s == OOM ? sys_again(fn, arg1) : s;
}

static noinline enum status dispatch_extension(u64 arg1, u64 arg2, u64 arg3, struct ec *self)
{
	switch ((u8)arg1) {
	case HC_TRACE_CTRL:
		return extension(sys_trace_ctrl, arg1, arg2, arg3, self);
	case HC_MEMORY_CTRL:
		return extension(sys_memory_ctrl, arg1, arg2, arg3, self);
	case HC_IRQ_CTRL:
		return extension(sys_irq_ctrl, arg1, arg2, arg3, self);
	default:
		return BAD_HYP;
	}
}

/*
 * From entry.S, for all hypercalls but CALL, REPLY and what fastcall.S does itself. The frequent ones come first and
 * get what they need in registers; every branch ends in a jump, so that nothing is pushed.
 */
enum status syscall_dispatch(u64 arg1, u64 arg2, u64 arg3, struct ec *self, u64 arg5)
{
	u8 hc = (u8)arg1;
	if (hc > HC_VCPU_CTRL)
		return hc >= HC_TRACE_CTRL ? dispatch_extension(arg1, arg2, arg3, self) : BAD_HYP;
	if (hc == HC_VCPU_CTRL)
		return sys_vcpu_ctrl(arg1, arg2, arg3, self);
	if (hc == HC_PD_CTRL)
		return likely((arg1 & SYS_PD_OP) == SYS_PD_DELEGATE) ? sys_pd_delegate(arg1, arg2, arg3, self, arg5)
								     : sys_pd_ctrl(arg1, arg2, self);
	if (hc <= HC_REVOKE)
		return hc == HC_REVOKE ? sys_revoke(arg1, arg2, arg3, self)
				       : dispatch_rest(arg1, arg2, arg3, self, arg5);
	if (hc == HC_EC_CTRL)
		return sys_ec_ctrl(arg1);
	if (hc == HC_SC_CTRL)
		return sys_sc_ctrl(arg1, self);
	return dispatch_rest(arg1, arg2, arg3, self, arg5);
}
