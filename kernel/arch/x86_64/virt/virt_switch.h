/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers that the processor does not switch between host and guest: what both kinds of virtualization do alike. */
#pragma once

#include "arch/switch.h"
#include "core/vcpu.h"

/* Comparisons with memory operands: of what is volatile, compilers would make a load and a comparison. */
static always_inline bool virt_is_set(const void *byte)
{
	bool set;
	__asm__ volatile("cmpb $0, %1" : "=@ccne"(set) : "m"(*(const u8 *)byte));
	return set;
}

static always_inline bool virt_equals(const void *word, u32 value)
{
	bool equal;
	__asm__ volatile("cmpl %2, %1" : "=@cce"(equal) : "m"(*(const u32 *)word), "i"(value));
	return equal;
}

static always_inline bool virt_any_of_three(const u64 *v)
{
	u64 any = READ_ONCE(v[0]);
	bool is;
	__asm__ volatile("or %2, %0\n\tor %3, %0" : "+r"(any), "=@ccne"(is) : "m"(v[1]), "m"(v[2]));
	return is;
}

/* Whether there is extended state in the CPU, be it a guest's or the VMM's. */
static always_inline bool virt_fpu_busy(struct cpu *cpu)
{
	return fpu_components_in_use() || fpu_mxcsr_changed(cpu);
}

/* An XSAVE image of the initial state: the header's first three words count (SDM vol. 1, 13.8). */
static always_inline bool virt_fpu_image_initial(const u8 *image)
{
	return !virt_any_of_three((const u64 *)(image + XSAVE_HEADER)) &&
	       virt_equals(image + XSAVE_MXCSR, MXCSR_INIT);
}

/* ---- extended state ---- */

/* Whether XSETBV would accept the value, on this CPU. SDM vol. 1, 13.3. */
static inline bool virt_xcr0_is_valid(u64 v)
{
	u64 avx512 = v & XCR0_AVX512;

	if (!(v & 1) || v & ~(u64)cpu_features.xcr0)
		return false;
	if (v & XCR0_AVX && !(v & 2))
		return false;
	return !avx512 || (avx512 == XCR0_AVX512 && v & XCR0_AVX);
}

/* True if the image has no component that XCR0 lacks. x87 and SSE work whether they are in XCR0 or not. */
static inline bool virt_components_allowed(const struct arch_vcpu *a)
{
	const u64 *xstate_bv = (const u64 *)(a->fpu_page + XSAVE_HEADER);
	return !(READ_ONCE(*xstate_bv) & ~(a->xcr0 | XCR0_X87_SSE));
}

static inline bool virt_fpu_to_guest(struct cpu *cpu, struct ec *ec, struct arch_vcpu *a)
{
	if (virt_fpu_busy(cpu)) {
		fpu_save(ec);
		a->pending |= PENDING_HOST_FPU;
	} else if (virt_fpu_image_initial(a->fpu_page)) {
		return true;
	}
	if (virt_components_allowed(a) && fpu_load_image(a->fpu_page)) {
		a->pending |= PENDING_FPU;
		return true;
	}
	if (a->pending & PENDING_HOST_FPU)
		fpu_load(ec);
	a->pending &= ~(u32)PENDING_HOST_FPU;
	return false;
}

static inline void virt_fpu_to_host(struct cpu *cpu, struct ec *ec, struct arch_vcpu *a)
{
	bool busy = virt_fpu_busy(cpu);

	if (busy || a->pending & PENDING_FPU)
		fpu_save_image(a->fpu_page);
	if (busy || a->pending & PENDING_HOST_FPU)
		fpu_load(ec);
	a->pending &= ~(u32)(PENDING_FPU | PENDING_HOST_FPU);
}

/* ---- single registers ---- */

#define VIRT_DR_READ(n, v) __asm__ volatile("mov %%db" #n ", %0" : "=r"(v))
#define VIRT_DR_WRITE(n, v) __asm__ volatile("mov %0, %%db" #n : : "r"(v))

static always_inline void virt_set_pending(struct arch_vcpu *a, u32 bit, bool on)
{
	a->pending = on ? a->pending | bit : a->pending & ~bit;
}
static always_inline void virt_set_tsc_aux(struct arch_vcpu *a, u32 value)
{
	a->tsc_aux = value;
	if (value)
		a->pending |= PENDING_TSC_AUX;
	else
		a->pending &= ~(u32)PENDING_TSC_AUX;
}
static always_inline void virt_set_spec_ctrl(struct arch_vcpu *a, u64 value)
{
	a->spec_ctrl = value;
	/* A guest that has neither accessed SPEC_CTRL nor got a value from its VMM runs with the host's. */
	virt_set_pending(a, PENDING_SPEC_CTRL,
			 value != a->host_spec_ctrl && (value || a->pending & PENDING_MSR_PASSTHROUGH));
}
