/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DR0 to DR3 stay in the CPU until another guest needs them; the VMCB has DR6 and DR7. TSC_AUX and SPEC_CTRL are
 * written if they differ from the host's (of TSC_AUX that is 0), and read back once the guest has begun to write
 * them. VMLOAD and VMSAVE see to the MSRs of system calls.
 */
#include "svm/svm_switch.h"

#include "arch/switch.h"
#include "core/vcpu.h"
#include "svm/svm.h"
#include "svm/svm_timer.h"

static void save_guest_regs(struct arch_vcpu *a)
{
	VIRT_DR_READ(0, a->dr[0]);
	VIRT_DR_READ(1, a->dr[1]);
	VIRT_DR_READ(2, a->dr[2]);
	VIRT_DR_READ(3, a->dr[3]);
}

static void load_guest_regs(const struct arch_vcpu *a)
{
	VIRT_DR_WRITE(0, a->dr[0]);
	VIRT_DR_WRITE(1, a->dr[1]);
	VIRT_DR_WRITE(2, a->dr[2]);
	VIRT_DR_WRITE(3, a->dr[3]);
}

void svm_switch_guest_regs(struct cpu *cpu, struct vcpu *v)
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

static void msrs_to_guest(const struct arch_vcpu *a)
{
	if (a->pending & PENDING_TSC_AUX)
		msr_write(MSR_TSC_AUX, a->tsc_aux);
	if (a->pending & PENDING_SPEC_CTRL)
		msr_write(MSR_SPEC_CTRL, a->spec_ctrl);
}

static void read_passthrough_msrs(struct arch_vcpu *a)
{
	if (svm.tsc_aux)
		virt_set_tsc_aux(a, (u32)msr_read(MSR_TSC_AUX));
	if (svm.spec_ctrl)
		virt_set_spec_ctrl(a, msr_read(MSR_SPEC_CTRL));
}

static void msrs_to_host(struct arch_vcpu *a)
{
	if (a->pending & PENDING_MSR_PASSTHROUGH)
		read_passthrough_msrs(a);
	if (a->pending & PENDING_SPEC_CTRL)
		msr_write(MSR_SPEC_CTRL, a->host_spec_ctrl);
	if (a->pending & PENDING_TSC_AUX)
		msr_write(MSR_TSC_AUX, 0);
}

bool svm_to_guest(struct cpu *cpu, struct ec *ec, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	if (a->pending & PENDING_BAD_XCR0 || !virt_fpu_to_guest(cpu, ec, a))
		return false;
	if (a->pending & PENDING_XCR0)
		xcr0_write((u32)a->xcr0);
	msrs_to_guest(a);
	return true;
}

/*
 * Not all processors (and emulators) know what is in its initial configuration, and save it as if it were in use. The
 * guest cannot have used what its XCR0 lacks, and an image that has it would be refused at the next entry.
 */
static void drop_unused_components(struct arch_vcpu *a)
{
	u64 *xstate_bv = (u64 *)(a->fpu_page + XSAVE_HEADER);

	if (unlikely(READ_ONCE(*xstate_bv) & ~(a->xcr0 | XCR0_X87_SSE)))
		WRITE_ONCE(*xstate_bv, *xstate_bv & (a->xcr0 | XCR0_X87_SSE));
}

void svm_to_host(struct cpu *cpu, struct ec *ec, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	if (a->pending & PENDING_TIMED)
		svm_timer_stop();
	msrs_to_host(a);
	if (a->pending & PENDING_XCR0)
		xcr0_write(cpu_features.xcr0);
	virt_fpu_to_host(cpu, ec, a);
	if (a->own_xcr0)
		drop_unused_components(a);
}
