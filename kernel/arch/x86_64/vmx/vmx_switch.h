/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers that neither VM entry nor VM exit switches, each only where that makes a difference. */
#pragma once

#include "arch/switch.h"
#include "core/vcpu.h"
#include "virt/virt_switch.h"

/*
 * Switches the registers from the VMM's to the guest's, whatever is pending. False: extended state or XCR0 of the
 * guest are malformed, and nothing has changed.
 */
bool vmx_to_guest(struct cpu *cpu, struct ec *ec, struct vcpu *v) must_check;
/* And back. */
void vmx_to_host(struct cpu *cpu, struct ec *ec, struct vcpu *v);

/* True if neither flags nor extended state need switching: the entry is VMRESUME and nothing else. */
static always_inline bool vmx_plain_entry(struct cpu *cpu, const struct arch_vcpu *a)
{
	return likely(virt_equals(&a->pending, 0)) && likely(!virt_fpu_busy(cpu)) &&
	       likely(virt_fpu_image_initial(a->fpu_page));
}

/*
 * The same for an exit: the image in the FPU page needs no writing if it was the initial one at the entry, and the
 * guest's state still is.
 */
static always_inline bool vmx_plain_exit(struct cpu *cpu, const struct arch_vcpu *a)
{
	return likely(virt_equals(&a->pending, 0)) && likely(!virt_fpu_busy(cpu));
}

/*
 * Debug registers and KERNEL_GS_BASE become v's. No user of the host can see them, so they stay in the CPU until
 * another guest runs there. v may be NULL: they are saved, and nobody's.
 */
void vmx_switch_guest_regs(struct cpu *cpu, struct vcpu *v);
