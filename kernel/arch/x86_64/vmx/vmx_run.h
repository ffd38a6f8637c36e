/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the way into the guest (vmx_run.c) and the way out (vmx_exit.c) have of each other. */
#pragma once

#include "arch/switch.h"
#include "core/vcpu.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_reason.h"

/* An exit that only the kernel is interested in: the host's registers are still the guest's, and stay so. */
struct ec *vmx_reenter(struct cpu *cpu, struct vcpu *v);
/* The end of a run that does not end with an exit: the page tells of the event that is still to be injected. */
struct ec *vmx_finish(struct vcpu *v, u32 reason);
/* A guest that drives the machine is to hear of an NMI that none of our CPUs has sent. */
struct ec *vmx_end_with_nmi(struct cpu *cpu, struct vcpu *v);

/* The run is over: the guest's registers are put away and the page tells of the exit. */
struct ec *vmx_leave(struct cpu *cpu, struct vcpu *v, u32 reason);
/* The same, but an event is still to be delivered: the page tells of it. */
struct ec *vmx_leave_undelivered(struct cpu *cpu, struct vcpu *v, u32 reason);

/* RDMSR of SPEC_CTRL may be the kernel's business from now on (vmx_hide_spec_ctrl()). */
void vmx_exit_hide_spec_ctrl(void);
/* So are interrupts: the guest goes on behind them, unless somebody more important was woken. */
void vmx_exit_take_interrupts(void);

/* After each exit that is not followed by another entry. */
static always_inline void vmx_leave_always(struct cpu *cpu, struct vcpu *v)
{
	v->regs.cr2 = cr2_read();
	cpu->tr_short = true;
}

/* What vmx_undo() puts right. */
#define PENDING_UNDO (PENDING_IMMEDIATE_EXIT | PENDING_MASKED)

/* The timer and RFLAGS.IF as the VMM or the guest wants them. */
void vmx_undo(struct arch_vcpu *a);

/* The timer has run down: it starts over at its maximum, and the guest has no timeout any more. */
static inline u32 vmx_use_up_timer(struct arch_vcpu *a)
{
	vmwrite(VMCS_TIMER, ~0u);
	a->has_timeout = false;
	return REASON_TIMER;
}
