/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KERNEL_GS_BASE and the debug registers stay in the CPU until another guest needs them: the kernel has no use for
 * them, and user mode cannot reach them. (A user's single step leaves its mark in DR6, see entry/trap.c.) The MSRs of
 * SYSCALL are the guest's only if it has EFER.SCE; otherwise it can neither use nor read them. TSC_AUX and SPEC_CTRL
 * are written if they differ from the host's (of TSC_AUX that is 0), and read back once the guest has begun to write
 * them.
 *
 * Extended state is saved and loaded with the host's XCR0, which covers all of it, whatever the guest's is: SSE works
 * in a guest that has only x87 in XCR0, too. The guest's is in force while the guest can tell.
 */
#include "vmx/vmx_switch.h"

#include "arch/switch.h"
#include "core/kp.h"
#include "core/vcpu.h"
#include "vmx/vmx.h"

/* ---- what stays ---- */

static void save_guest_regs(struct arch_vcpu *a)
{
	VIRT_DR_READ(0, a->dr[0]);
	VIRT_DR_READ(1, a->dr[1]);
	VIRT_DR_READ(2, a->dr[2]);
	VIRT_DR_READ(3, a->dr[3]);
	VIRT_DR_READ(6, a->dr6);
	a->kernel_gs_base = msr_read(MSR_KERNEL_GS_BASE);
}

static void load_guest_regs(const struct arch_vcpu *a)
{
	VIRT_DR_WRITE(0, a->dr[0]);
	VIRT_DR_WRITE(1, a->dr[1]);
	VIRT_DR_WRITE(2, a->dr[2]);
	VIRT_DR_WRITE(3, a->dr[3]);
	VIRT_DR_WRITE(6, a->dr6);
	(void)!msr_write_safe(MSR_KERNEL_GS_BASE, a->kernel_gs_base); /* the guest may have had 57-bit addresses */
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

/* ---- MSRs ---- */

#define PENDING_RARE (PENDING_TSC_AUX | PENDING_SPEC_CTRL | PENDING_L1_FLUSH)

#define FLUSH_L1D 1 /* MSR_FLUSH_CMD */

static noinline void rare_to_guest(const struct arch_vcpu *a)
{
	if (a->pending & PENDING_L1_FLUSH)
		msr_write(MSR_FLUSH_CMD, FLUSH_L1D);
	if (a->pending & PENDING_TSC_AUX)
		msr_write(MSR_TSC_AUX, a->tsc_aux);
	if (a->pending & PENDING_SPEC_CTRL)
		msr_write(MSR_SPEC_CTRL, a->spec_ctrl);
}

/* These come last before the guest. */
static void msrs_to_guest(const struct arch_vcpu *a)
{
	if (a->pending & PENDING_SYSCALL) {
		msr_write(MSR_STAR, a->star);
		msr_write(MSR_LSTAR, a->lstar);
		msr_write(MSR_FMASK, a->fmask);
	}
	if (unlikely(a->pending & PENDING_RARE))
		rare_to_guest(a);
}

static void read_passthrough_msrs(struct arch_vcpu *a)
{
	if (vmx.tsc_aux)
		virt_set_tsc_aux(a, (u32)msr_read(MSR_TSC_AUX));
	if (vmx.spec_ctrl)
		virt_set_spec_ctrl(a, msr_read(MSR_SPEC_CTRL));
}

static void msrs_to_host(const struct cpu *cpu, struct arch_vcpu *a)
{
	if (a->pending & PENDING_MSR_PASSTHROUGH)
		read_passthrough_msrs(a);
	if (a->pending & PENDING_SPEC_CTRL)
		msr_write(MSR_SPEC_CTRL, a->host_spec_ctrl);
	if (a->pending & PENDING_TSC_AUX)
		msr_write(MSR_TSC_AUX, 0);
	if (a->pending & PENDING_SYSCALL)
		cpu_setup_syscall(cpu->id);
}

/* ---- all of it ---- */

bool vmx_to_guest(struct cpu *cpu, struct ec *ec, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	if (a->pending & PENDING_BAD_XCR0 || !virt_fpu_to_guest(cpu, ec, a))
		return false;
	if (a->pending & PENDING_XCR0)
		xcr0_write((u32)a->xcr0);
	msrs_to_guest(a);
	return true;
}

void vmx_to_host(struct cpu *cpu, struct ec *ec, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	msrs_to_host(cpu, a);
	if (a->pending & PENDING_XCR0)
		xcr0_write(cpu_features.xcr0);
	virt_fpu_to_host(cpu, ec, a);
}
