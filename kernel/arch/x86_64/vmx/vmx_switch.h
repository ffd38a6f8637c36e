/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers that neither VM entry nor VM exit switches, each only where that makes a difference. */
#pragma once

#include "arch/switch.h"
#include "core/vcpu.h"

/* Comparisons with memory operands: of what is volatile, compilers would make a load and a comparison. */
static always_inline bool vmx_is_set(const void *byte)
{
	bool set;
	__asm__ volatile("cmpb $0, %1" : "=@ccne"(set) : "m"(*(const u8 *)byte));
	return set;
}

static always_inline bool vmx_equals(const void *word, u32 value)
{
	bool equal;
	__asm__ volatile("cmpl %2, %1" : "=@cce"(equal) : "m"(*(const u32 *)word), "i"(value));
	return equal;
}

static always_inline bool vmx_any_of_three(const u64 *v)
{
	u64 any = READ_ONCE(v[0]);
	bool is;
	__asm__ volatile("or %2, %0\n\tor %3, %0" : "+r"(any), "=@ccne"(is) : "m"(v[1]), "m"(v[2]));
	return is;
}

/* Whether there is extended state in the CPU, be it a guest's or the VMM's. */
static always_inline bool vmx_fpu_busy(struct cpu *cpu)
{
	return fpu_components_in_use() || fpu_mxcsr_changed(cpu);
}

/* An XSAVE image of the initial state: the header's first three words count (SDM vol. 1, 13.8). */
static always_inline bool vmx_fpu_image_initial(const u8 *image)
{
	return !vmx_any_of_three((const u64 *)(image + XSAVE_HEADER)) && vmx_equals(image + XSAVE_MXCSR, MXCSR_INIT);
}

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
	return likely(vmx_equals(&a->pending, 0)) && likely(!vmx_fpu_busy(cpu)) &&
	       likely(vmx_fpu_image_initial(a->fpu_page));
}

/*
 * The same for an exit: the image in the FPU page needs no writing if it was the initial one at the entry, and the
 * guest's state still is.
 */
static always_inline bool vmx_plain_exit(struct cpu *cpu, const struct arch_vcpu *a)
{
	return likely(vmx_equals(&a->pending, 0)) && likely(!vmx_fpu_busy(cpu));
}

#define DR_READ(n, v) __asm__ volatile("mov %%db" #n ", %0" : "=r"(v))
#define DR_WRITE(n, v) __asm__ volatile("mov %0, %%db" #n : : "r"(v))

/*
 * Debug registers and KERNEL_GS_BASE become v's. No user of the host can see them, so they stay in the CPU until
 * another guest runs there. v may be NULL: they are saved, and nobody's.
 */
void vmx_switch_guest_regs(struct cpu *cpu, struct vcpu *v);

static always_inline void vmx_set_pending(struct arch_vcpu *a, u32 bit, bool on)
{
	a->pending = on ? a->pending | bit : a->pending & ~bit;
}
static always_inline void vmx_set_tsc_aux(struct arch_vcpu *a, u32 value)
{
	a->tsc_aux = value;
	if (value)
		a->pending |= PENDING_TSC_AUX;
	else
		a->pending &= ~(u32)PENDING_TSC_AUX;
}
static always_inline void vmx_set_spec_ctrl(struct arch_vcpu *a, u64 value)
{
	a->spec_ctrl = value;
	/* A guest that has neither accessed SPEC_CTRL nor got a value from its VMM runs with the host's. */
	vmx_set_pending(a, PENDING_SPEC_CTRL,
			value != a->host_spec_ctrl && (value || a->pending & PENDING_MSR_PASSTHROUGH));
}
