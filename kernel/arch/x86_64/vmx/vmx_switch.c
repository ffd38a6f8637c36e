/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KERNEL_GS_BASE and the debug registers stay in the CPU until another guest needs them: the kernel has no use for
 * them, and user mode cannot reach them. (A user's single step leaves its mark in DR6, see entry/trap.c.) The MSRs of
 * SYSCALL are the guest's only if it has EFER.SCE; otherwise it can neither use nor read them. TSC_AUX and SPEC_CTRL
 * are written if they differ from the host's, and read back once the guest has begun to write them.
 */
#include "vmx/vmx_switch.h"

#include "arch_switch.h"
#include "core/kp.h"
#include "core/vcpu.h"
#include "vmx/vmx.h"

/* ---- what stays ---- */

#define DR_READ(n, v) __asm__ volatile("mov %%db" #n ", %0" : "=r"(v))
#define DR_WRITE(n, v) __asm__ volatile("mov %0, %%db" #n : : "r"(v))

static void save_guest_regs(struct arch_vcpu *a)
{
	DR_READ(0, a->dr[0]);
	DR_READ(1, a->dr[1]);
	DR_READ(2, a->dr[2]);
	DR_READ(3, a->dr[3]);
	DR_READ(6, a->dr6);
	a->kernel_gs_base = msr_read(MSR_KERNEL_GS_BASE);
}

static void load_guest_regs(const struct arch_vcpu *a)
{
	DR_WRITE(0, a->dr[0]);
	DR_WRITE(1, a->dr[1]);
	DR_WRITE(2, a->dr[2]);
	DR_WRITE(3, a->dr[3]);
	DR_WRITE(6, a->dr6);
	msr_write(MSR_KERNEL_GS_BASE, a->kernel_gs_base);
}

void vmx_switch_guest_regs(struct cpu *cpu, struct vcpu *v)
{
	struct vcpu *old = cpu->guest_regs;
	if (old == v)
		return;
	if (old)
		save_guest_regs(&old->arch);
	if (v)
		load_guest_regs(&v->arch);
	cpu->guest_regs = v;
}

/* ---- extended state ---- */

static bool fpu_busy(struct cpu *cpu)
{
	return fpu_components_in_use() || fpu_mxcsr_changed(cpu);
}

static bool is_initial(const void *image)
{
	const u64 *header = (const u64 *)((const u8 *)image + XSAVE_HEADER);
	const u32 *mxcsr = (const u32 *)((const u8 *)image + XSAVE_MXCSR);
	return !(READ_ONCE(header[0]) | READ_ONCE(header[1]) | READ_ONCE(header[2])) &&
	       READ_ONCE(*mxcsr) == MXCSR_INIT;
}

static always_inline bool own_xcr0(const struct arch_vcpu *a)
{
	return a->xcr0 != cpu_features.xcr0;
}

static noinline bool load_guest_fpu(struct ec *ec, const struct vcpu *v)
{
	if (fpu_load_image(v->fpu_kp->page))
		return true;
	if (own_xcr0(&v->arch))
		xcr0_write(cpu_features.xcr0);
	fpu_load(ec);
	return false;
}

static always_inline bool fpu_to_guest(struct cpu *cpu, struct ec *ec, const struct vcpu *v)
{
	bool busy = fpu_busy(cpu);
	if (unlikely(busy))
		fpu_save(ec);
	if (unlikely(own_xcr0(&v->arch)))
		xcr0_write((u32)v->arch.xcr0);
	if (likely(!busy) && likely(is_initial(v->fpu_kp->page)))
		return true;
	return load_guest_fpu(ec, v);
}

static always_inline void fpu_to_host(struct cpu *cpu, struct ec *ec, const struct vcpu *v)
{
	bool busy = fpu_busy(cpu);
	if (unlikely(busy) || unlikely(!is_initial(v->fpu_kp->page)))
		fpu_save_image(v->fpu_kp->page);
	if (unlikely(own_xcr0(&v->arch)))
		xcr0_write(cpu_features.xcr0);
	if (unlikely(busy) || unlikely(ec->fpu_load != fpu_initial))
		fpu_load(ec);
}

/* ---- MSRs ---- */

static void write_syscall_msrs(const struct arch_vcpu *a)
{
	msr_write(MSR_STAR, a->star);
	msr_write(MSR_LSTAR, a->lstar);
	msr_write(MSR_FMASK, a->fmask);
}

static always_inline void msrs_to_guest(const struct arch_vcpu *a)
{
	if (a->uses_syscall)
		write_syscall_msrs(a);
	if (unlikely(a->tsc_aux != a->host_tsc_aux))
		msr_write(MSR_TSC_AUX, a->tsc_aux);
	if (unlikely(a->spec_ctrl))
		msr_write(MSR_SPEC_CTRL, a->spec_ctrl);
}

static noinline void read_live_msrs(struct arch_vcpu *a)
{
	if (vmx.tsc_aux)
		a->tsc_aux = msr_read(MSR_TSC_AUX);
	if (vmx.spec_ctrl)
		a->spec_ctrl = msr_read(MSR_SPEC_CTRL);
}

static always_inline void msrs_to_host(const struct cpu *cpu, struct arch_vcpu *a)
{
	if (unlikely(a->msrs_live))
		read_live_msrs(a);
	if (unlikely(a->spec_ctrl))
		msr_write(MSR_SPEC_CTRL, 0);
	if (unlikely(a->tsc_aux != a->host_tsc_aux))
		msr_write(MSR_TSC_AUX, a->host_tsc_aux);
	if (a->uses_syscall)
		cpu_setup_syscall(cpu->id);
}

/* ---- all of it ---- */

bool vmx_switch_to_guest(struct cpu *cpu, struct ec *ec, struct vcpu *v)
{
	if (unlikely(!v->arch.xcr0_valid) || unlikely(!fpu_to_guest(cpu, ec, v)))
		return false;
	msrs_to_guest(&v->arch);
	if (unlikely(cr2_read() != v->regs.cr2))
		cr2_write(v->regs.cr2);
	return true;
}

void vmx_switch_to_host(struct cpu *cpu, struct ec *ec, struct vcpu *v)
{
	v->regs.cr2 = cr2_read();
	msrs_to_host(cpu, &v->arch);
	fpu_to_host(cpu, ec, v);
	cpu->tr_short = true;
}
