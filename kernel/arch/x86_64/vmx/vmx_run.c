/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run: into the guest, and everything that ends one without an exit. The way out is vmx_exit.c, the assembly
 * vmx_run.S. Whenever the CPU does anything else than go straight back into the guest, all of the host's registers
 * are put right first: an EC whose run was interrupted is like any other. Manual: SDM vol. 3, chapter 27.
 */
#include "arch/switch.h"
#include "core/vcpu.h"
#include "entry/nmi.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"
#include "vmx/vmx_reason.h"
#include "vmx/vmx_run.h"
#include "vmx/vmx_state.h"
#include "vmx/vmx_switch.h"
#include "vmx/vmx_vcpu.h"

struct ec *enter_guest(struct vcpu *v); /* does not return: a jump, so that nobody needs a frame */
__attribute__((noreturn)) void vmx_interrupted(struct cpu *cpu, struct vcpu *v);

/*
 * What a VM exit is to load. The CPU's registers are compared with what the VMCS has, because reading them costs less
 * than writing a field.
 */
static always_inline void write_host(struct arch_vcpu *a)
{
	u64 cr3 = cr3_read(), fs = fsbase_read(), gs = gsbase_read();

	if (unlikely(a->host_cr3 != cr3))
		vmwrite(VMCS_HOST_CR3, a->host_cr3 = cr3);
	if (unlikely(a->host_fs_base != fs))
		vmwrite(VMCS_HOST_FS_BASE, a->host_fs_base = fs);
	if (unlikely(a->host_gs_base != gs))
		vmwrite(VMCS_HOST_GS_BASE, a->host_gs_base = gs);
}

/*
 * The mark is cleared before the flush, as in tlb_refresh(); an NMI that comes after the look at it sets a hazard
 * (entry/nmi.c). Whoever stops the guests (pio_lock_stop_guests_locked()) sets `guests_stopped` first and the mark
 * then, so that all entries come by here and wait, for no longer than it takes to write to a bitmap.
 */
static noinline struct ec *enter_refreshed(struct vcpu *v)
{
	const struct {
		u64 eptp, reserved;
	} which = {vmread(VMCS_EPTP), 0};
	while (__atomic_exchange_n(v->arch.stale, 0, __ATOMIC_SEQ_CST)) {
		while (unlikely(__atomic_load_n(&v->pd->pio.guests_stopped, __ATOMIC_ACQUIRE)))
			arch_relax();
		__asm__ volatile("invept %0, %1" : : "m"(which), "r"(1ull) : "cc", "memory");
	}
	return enter_guest(v);
}

static always_inline struct ec *enter(struct vcpu *v)
{
	return unlikely(virt_is_set(v->arch.stale)) ? enter_refreshed(v) : enter_guest(v);
}

void vmx_undo(struct arch_vcpu *a)
{
	if (a->pending & PENDING_IMMEDIATE_EXIT)
		vmwrite(VMCS_TIMER, a->timer);
	if (a->pending & PENDING_MASKED)
		vmwrite(VMCS_GUEST_RFLAGS, vmread(VMCS_GUEST_RFLAGS) | RFLAGS_IF);
	a->pending &= ~(u32)PENDING_UNDO;
}

/*
 * A guest that drives the machine gets no interrupt while it waits for a SIPI: interrupts stay in the APIC. The
 * interrupts that come while another guest runs end its run, whatever RFLAGS.IF is.
 */
static void mask_interrupts(struct arch_vcpu *a)
{
	u64 flags = vmread(VMCS_GUEST_RFLAGS);

	if (!a->passthrough || !(flags & RFLAGS_IF))
		return;
	vmwrite(VMCS_GUEST_RFLAGS, flags & ~(u64)RFLAGS_IF);
	a->pending |= PENDING_MASKED;
}

/*
 * Wait-for-SIPI: a CPU in that state takes no NMI, and the timer stands still. Only a passthrough guest, whom a real
 * SIPI may be meant for, gets it, and only without a timeout; whoever needs the CPU then sends it a SIPI
 * (arch_kick()). All others halt instead: no instruction runs, and everything that ends a run does. False: not now,
 * something is asked of this CPU, whose sender may not have seen that NMIs will not do.
 */
static bool choose_wait(struct cpu *cpu, struct arch_vcpu *a)
{
	bool real = a->passthrough && !a->has_timeout && vmx.wait_sipi;

	vmwrite(VMCS_GUEST_ACTV_STATE, real ? ACTIVITY_WAIT_SIPI : ACTIVITY_HLT);
	if (!real) {
		mask_interrupts(a);
		return true;
	}
	__atomic_store_n(&cpu->waits_sipi, true, __ATOMIC_SEQ_CST);
	if (!nmi_requested(cpu))
		return true;
	hazard_set(cpu, HAZARD_REMOTE | HAZARD_RCU);
	return false;
}

static bool has(const struct arch_vcpu *a, u32 pending)
{
	return (a->pending & pending) == pending;
}

struct ec *vmx_finish(struct vcpu *v, u32 reason)
{
	if (v->arch.pending & PENDING_UNDO)
		vmx_undo(&v->arch);
	v->arch.pending &= ~(u32)PENDING_ENTERED;
	return vmx_state_store_undelivered(v, reason);
}

/* An entry was refused before the CPU saw it. All state in the page counts as loaded. */
static struct ec *refuse(struct vcpu *v, u32 reason)
{
	v->mtd = 0;
	return vmx_finish(v, reason);
}

/*
 * If the guest has not been entered since the page was loaded, nothing but the reason is new in it, and the next run
 * loads it again.
 */
static struct ec *end_poked(struct vcpu *v)
{
	if (v->arch.pending & PENDING_UNDO)
		vmx_undo(&v->arch);
	if (v->arch.pending & PENDING_ENTERED)
		return vmx_finish(v, VCPU_EXIT_POKED);
	v->state->exit_reason = VCPU_EXIT_POKED;
	return vcpu_end_run(v);
}

struct ec *vmx_end_with_nmi(struct cpu *cpu, struct vcpu *v)
{
	cpu->nmi_foreign = false;
	v->state->exit_flags |= VCPU_FLAG_NMI;
	return end_poked(v);
}

/*
 * A poke must not lose the event that the entry is to deliver: with a timer of 0 the event is delivered, and then the
 * run ends before the first instruction. False: there is no event, so there need be no entry.
 */
static bool request_immediate_exit(struct arch_vcpu *a)
{
	if (!(a->pending & PENDING_EVENT))
		return false;
	if (!(a->pending & PENDING_IMMEDIATE_EXIT)) {
		a->pending |= PENDING_IMMEDIATE_EXIT;
		a->timer = (u32)vmread(VMCS_TIMER);
		vmwrite(VMCS_TIMER, 0);
	}
	return true;
}

static always_inline struct ec *enter_from(struct vcpu *v)
{
	if (unlikely(cr2_read() != v->regs.cr2))
		cr2_write(READ_ONCE(v->regs.cr2)); /* not in a register before */
	write_host(&v->arch);
	return enter(v);
}

/* The state is loaded; something is pending, or the run is to end. */
static noinline struct ec *go_on_slow(struct cpu *cpu, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;
	bool poked = READ_ONCE(v->poked);

	if (!poked && a->pending & PENDING_IMMEDIATE_EXIT)
		vmx_undo(a); /* of a run that was never entered */
	if (poked && !request_immediate_exit(a))
		return end_poked(v);
	if (unlikely(cpu->nmi_foreign)) {
		if (a->passthrough)
			return vmx_end_with_nmi(cpu, v);
		if (!__atomic_load_n(&cpu->passthrough, __ATOMIC_RELAXED))
			cpu->nmi_foreign = false; /* for nobody */
	}
	if (has(a, PENDING_WAITS_SIPI | PENDING_EVENT) || !vmx_to_guest(cpu, v->ec, v))
		return refuse(v, REASON_BAD_STATE);
	if (a->pending & PENDING_WAITS_SIPI && !choose_wait(cpu, a)) {
		cr2_write(v->regs.cr2); /* as if it had been entered */
		vmx_interrupted(cpu, v);
	}
	return enter_from(v);
}

static always_inline struct ec *go_on(struct cpu *cpu, struct vcpu *v)
{
	if (unlikely(virt_is_set(&v->poked)) || unlikely(cpu->nmi_foreign) || !vmx_plain_entry(cpu, &v->arch))
		return go_on_slow(cpu, v);
	return enter_from(v);
}

static noinline struct ec *load_rest(struct cpu *cpu, struct vcpu *v)
{
	u32 refused = vmx_state_load_rest(v);
	return refused ? refuse(v, refused) : go_on(cpu, v);
}

static noinline struct ec *load_vcpu(struct cpu *cpu, struct vcpu *v)
{
	if (!vmx.usable) { /* firmware did not give it back after sleep */
		v->state->exit_reason = VCPU_EXIT_REFUSED;
		return vcpu_end_run(v);
	}
	vmx_load_vcpu(cpu, v);
	return arch_vcpu_run(cpu, v->ec);
}

/*
 * All paths from here end in a jump into the guest, which empties the stack, or return the EC that goes on because
 * the run is over. So none of them may keep anything on the stack that is needed after the guest.
 */
struct ec *arch_vcpu_run(struct cpu *cpu, struct ec *ec)
{
	struct vcpu *v = ec->vcpu;

	if (unlikely(cpu->vcpu != v))
		return load_vcpu(cpu, v);
	vmx_state_load_often(v, v->mtd);
	if (unlikely(v->mtd & ~VMX_MTD_OFTEN))
		return load_rest(cpu, v);
	return go_on(cpu, v);
}

/*
 * From vmx_run.S and vmx_reenter(): on the way into the guest a hazard was found, or an NMI came. The guest is not
 * running; the EC goes on with its run when the dispatcher has seen to the hazards.
 */
void vmx_interrupted(struct cpu *cpu, struct vcpu *v)
{
	struct ec *ec = cpu->ec;

	cpu->waits_sipi = false;
	if (unlikely(v->arch.pending & PENDING_UNDO))
		vmx_undo(&v->arch); /* the run may end without another look at the VMCS: its EC may be killed */
	vmx_leave_always(cpu, v);
	vmx_to_host(cpu, ec, v);
	ec->cont = CONT_VCPU;
	arch_dispatch();
}

struct ec *vmx_reenter(struct cpu *cpu, struct vcpu *v)
{
	v->arch.pending |= PENDING_ENTERED;
	if (cpu->hazard || READ_ONCE(v->poked) || v->arch.pending & PENDING_WAITS_SIPI)
		vmx_interrupted(cpu, v);
	return enter(v);
}
