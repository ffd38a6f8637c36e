/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way out of the guest: most exits are a message to the VMM, others are for the kernel, which goes back into the
 * guest. All but the simplest are handed on with jumps, so that none pays for registers that another needs.
 * Manual: SDM vol. 3, chapter 28.
 */
#include "apic/lapic.h"
#include "arch/irq.h"
#include "arch/switch.h"
#include "core/vcpu.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"
#include "vmx/vmx_event.h"
#include "vmx/vmx_reason.h"
#include "vmx/vmx_run.h"
#include "vmx/vmx_state.h"
#include "vmx/vmx_switch.h"

struct ec *vmx_exit(struct cpu *cpu, struct vcpu *v);
struct ec *vmx_entry_failed(struct cpu *cpu, struct vcpu *v);

/* ---- the run is over ---- */

static noinline struct ec *leave_slow(struct cpu *cpu, struct vcpu *v, u32 reason)
{
	vmx_to_host(cpu, v->ec, v);
	v->arch.pending &= ~(u32)PENDING_ENTERED;
	return vmx_state_store(v, reason);
}

struct ec *vmx_leave(struct cpu *cpu, struct vcpu *v, u32 reason)
{
	vmx_leave_always(cpu, v);
	return vmx_plain_exit(cpu, &v->arch) ? vmx_state_store(v, reason) : leave_slow(cpu, v, reason);
}

/* No entry has delivered the event that waits for injection: the page reports it in vect_info. */
noinline struct ec *vmx_leave_undelivered(struct cpu *cpu, struct vcpu *v, u32 reason)
{
	vmx_leave_always(cpu, v);
	vmx_to_host(cpu, v->ec, v);
	return vmx_finish(v, reason);
}

/* ---- what the kernel does about other exits ---- */

/*
 * MOV to CR4 is executed again if the kernel has done its part; it exits once more for a bit that the VMM monitors.
 */
static noinline struct ec *exit_cr4(struct cpu *cpu, struct vcpu *v, unsigned reg)
{
	return vmx_handle_cr4(v, reg) ? vmx_reenter(cpu, v) : vmx_leave(cpu, v, REASON_CR_ACCESS);
}

#define QUAL_MOV_TO_CR4 4 /* 5:0, and the general register in 11:8: SDM vol. 3, table 28-3 */
#define REG_RSP 4         /* not in v->regs */

static always_inline struct ec *exit_cr(struct cpu *cpu, struct vcpu *v)
{
	u64 how = vmread(VMCS_EXIT_QUAL);
	unsigned reg = how >> 8 & 15;
	const struct arch_vcpu *a = &v->arch;

	if ((how & 0x3f) == QUAL_MOV_TO_CR4 &&
	    (a->hides_osxsave || reg == REG_RSP || ((&v->regs.rax)[reg] ^ a->cr4_shadow) & CR4_MCE))
		return exit_cr4(cpu, v, reg);
	return vmx_leave(cpu, v, REASON_CR_ACCESS);
}

/*
 * The first access: from now on the guest accesses these MSRs itself, and they are read back at each exit. Until now
 * SPEC_CTRL may have been the host's, so the guest's value is written before the access is repeated.
 */
static noinline struct ec *let_access(struct cpu *cpu, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	a->pending |= PENDING_MSR_PASSTHROUGH;
	virt_set_spec_ctrl(a, a->spec_ctrl);
	if (a->pending & PENDING_SPEC_CTRL)
		msr_write(MSR_SPEC_CTRL, a->spec_ctrl);
	vmwrite(VMCS_MSR_BITMAP, vmx_msr_bitmap(a->passthrough, true));
	return vmx_reenter(cpu, v);
}

static noinline struct ec *exit_rdmsr(struct cpu *cpu, struct vcpu *v)
{
	const struct arch_vcpu *a = &v->arch;

	if ((u32)v->regs.rcx == MSR_SPEC_CTRL && !(a->pending & PENDING_MSR_PASSTHROUGH) &&
	    a->primary & PRI_MSR_BITMAPS)
		return let_access(cpu, v);
	return vmx_leave(cpu, v, REASON_RDMSR);
}

static always_inline struct ec *exit_wrmsr(struct cpu *cpu, struct vcpu *v)
{
	const struct arch_vcpu *a = &v->arch;
	u32 msr = (u32)v->regs.rcx;
	bool ours = msr == MSR_SPEC_CTRL || msr == MSR_TSC_AUX || msr == MSR_KERNEL_GS_BASE;

	if (ours && !(a->pending & PENDING_MSR_PASSTHROUGH) && a->primary & PRI_MSR_BITMAPS)
		return let_access(cpu, v);
	return vmx_leave(cpu, v, REASON_WRMSR);
}

/* The timer has run down, or it was 0 for the sake of an immediate exit, which is no timeout. */
static always_inline struct ec *exit_timer(struct cpu *cpu, struct vcpu *v, u32 pending)
{
	bool immediate = unlikely(pending & PENDING_IMMEDIATE_EXIT);
	return vmx_leave(cpu, v, immediate ? VCPU_EXIT_POKED : vmx_use_up_timer(&v->arch));
}

/*
 * INIT leaves a CPU in wait-for-SIPI. Some save "blocking by SMI" then, with which nobody outside of SMM may enter
 * (SDM vol. 3, 27.3.1.5).
 */
static always_inline struct ec *exit_init(struct cpu *cpu, struct vcpu *v)
{
	v->arch.pending |= PENDING_WAITS_SIPI;
	vmwrite(VMCS_GUEST_INTR_STATE, vmread(VMCS_GUEST_INTR_STATE) & ~(u64)INTR_STATE_SMI);
	return vmx_reenter(cpu, v);
}

/*
 * One with a vector of the kernel's own is arch_kick()'s, for a CPU that takes no NMIs: the NMI that came along gets
 * through now. Any other is meant for the guest.
 */
static always_inline struct ec *exit_sipi(struct cpu *cpu, struct vcpu *v)
{
	if (vmread(VMCS_EXIT_QUAL) == LAPIC_KICK_PAGE)
		return vmx_reenter(cpu, v);
	v->arch.pending &= ~(u32)PENDING_WAITS_SIPI;
	return vmx_leave(cpu, v, REASON_SIPI);
}

/* It was not acknowledged, so it is still there to be taken, and others with it. */
static noinline struct ec *exit_interrupt(struct cpu *cpu, struct vcpu *v)
{
	arch_irq_window();
	return vmx_reenter(cpu, v);
}

/* ---- by reason ---- */

/*
 * Reasons that the kernel does something about by itself, and those that vmx_exit() hands on because of them or
 * because the page tells more. RDMSR is one of them only where SPEC_CTRL has to be hidden, and interrupts are from
 * the moment on when they are opened; otherwise they are constant once all CPUs are started.
 */
static u64 of_kernel = VMX_REASONS_OF_KERNEL, not_plain = VMX_REASONS_OF_KERNEL | VMX_REASONS_TELLING_MORE;

void vmx_exit_hide_spec_ctrl(void)
{
	of_kernel |= 1ull << REASON_RDMSR;
	not_plain |= 1ull << REASON_RDMSR;
}

void vmx_exit_take_interrupts(void)
{
	of_kernel |= 1ull << REASON_INTERRUPT;
	not_plain |= 1ull << REASON_INTERRUPT;
}

static noinline struct ec *exit_by_reason_slow(struct cpu *cpu, struct vcpu *v, u32 reason, u32 pending)
{
	switch (reason) {
	case REASON_CR_ACCESS:
		return exit_cr(cpu, v);
	case REASON_WRMSR:
		return exit_wrmsr(cpu, v);
	case REASON_TIMER:
		return exit_timer(cpu, v, pending);
	case REASON_INIT:
		return exit_init(cpu, v);
	case REASON_SIPI:
		return exit_sipi(cpu, v);
	case REASON_MACHINE_CHECK:
		return vmx_event_at_entry(cpu, v);
	default: /* no lines of their own, which would cost control registers and WRMSR up to four comparisons more */
		if (unlikely(reason == REASON_RDMSR))
			return exit_rdmsr(cpu, v);
		if (unlikely(reason == REASON_INTERRUPT))
			return exit_interrupt(cpu, v);
		return reason & REASON_FAILED ? vmx_leave_undelivered(cpu, v, reason) : vmx_leave(cpu, v, reason);
	}
}

/*
 * `pending` is what was pending before the entry. Exceptions and NMIs, and exits that are only told to the VMM, have
 * two comparisons instead of the switch: it costs them up to eight instructions, and they have goals (bench/suites).
 */
static always_inline struct ec *exit_by_reason(struct cpu *cpu, struct vcpu *v, u32 reason, u32 pending)
{
	if (reason == REASON_EXCEPTION)
		return vmx_event_exit(cpu, v, pending);
	if (of_kernel >> (reason & 63) & 1)
		return exit_by_reason_slow(cpu, v, reason, pending);
	return vmx_leave(cpu, v, reason);
}

static noinline struct ec *exit_undoing(struct cpu *cpu, struct vcpu *v, u32 reason, u32 pending)
{
	vmx_undo(&v->arch);
	return exit_by_reason(cpu, v, reason, pending);
}

/* The other bits tell of enclaves and bus locks (SDM vol. 3, 25.9.1), which are no business of the VMM's. */
#define REASON_BASIC 0xffffu

static noinline struct ec *exit_slow(struct cpu *cpu, struct vcpu *v, u64 all)
{
	struct arch_vcpu *a = &v->arch;
	u32 pending = a->pending, reason = all & (REASON_FAILED | REASON_BASIC);

	if (pending) {
		cpu->waits_sipi = false;
		if (!(reason & REASON_FAILED)) /* the event is delivered */
			a->pending &= ~(u32)(PENDING_EVENT | PENDING_LAUNCH | PENDING_DEBUG_LATE);
		if (unlikely(pending & PENDING_UNDO))
			return exit_undoing(cpu, v, reason, pending);
	}
	return exit_by_reason(cpu, v, reason, pending);
}

/*
 * From vmx_run.S: the guest's general registers are in v->regs. The exits that cost least come first, and are
 * complete here for a VMM that asks for no more than four general registers.
 */
struct ec *vmx_exit(struct cpu *cpu, struct vcpu *v)
{
	u64 all = vmread(VMCS_EXIT_REASON); /* in one register: no copy of 32 bits */

	v->mtd = 0;
	if (unlikely(not_plain >> (all & 63) & 1) || !vmx_plain_exit(cpu, &v->arch))
		return exit_slow(cpu, v, all);
	u32 reason = all & REASON_BASIC;
	vmx_leave_always(cpu, v);
	if (v->wanted & ~(u64)MTD_GPR_ACDB)
		return vmx_state_store(v, reason);
	vmx_state_store_exit(v->state, reason);
	if (v->wanted)
		BLOCK_COPY(v->state, &v->regs, rax, rbx);
	return vcpu_end_run(v);
}

/* VMLAUNCH or VMRESUME went on with the next instruction: the CPU does not accept the controls. */
struct ec *vmx_entry_failed(struct cpu *cpu, struct vcpu *v)
{
	v->mtd = 0;
	cpu->waits_sipi = false;
	return vmx_leave_undelivered(cpu, v, VCPU_EXIT_REFUSED);
}
