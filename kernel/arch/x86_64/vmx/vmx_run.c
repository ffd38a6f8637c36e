/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run: into the guest, out of it, and what the kernel does about an exit by itself. The assembly is in vmx_run.S.
 * Whenever the CPU does anything else than go straight back into the guest, all of the host's registers are put
 * right first: an EC whose run was interrupted is like any other.
 * Manual: SDM vol. 3, chapter 27 (entries), 28 (exits).
 */
#include "apic/lapic.h"
#include "arch_switch.h"
#include "core/vcpu.h"
#include "entry/nmi.h"
#include "lib/panic.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"
#include "vmx/vmx_state.h"
#include "vmx/vmx_switch.h"
#include "vmx/vmx_vcpu.h"

__attribute__((noreturn)) void enter_guest(struct vcpu *v);
struct ec *vmx_exit(struct cpu *cpu, struct vcpu *v);
struct ec *vmx_entry_failed(struct cpu *cpu, struct vcpu *v);
__attribute__((noreturn)) void vmx_interrupted(struct cpu *cpu, struct vcpu *v);

/* ---- in ---- */

/* What a VM exit is to load. Where the CPU is, is the truth. */
static always_inline void write_host(const struct cpu *cpu, const struct ec *ec, struct arch_vcpu *a)
{
	u64 cr3 = ec->pd->cr3[cpu->id] & ~CR3_NOFLUSH, fs = fsbase_read(), gs = gsbase_read();

	if (unlikely(a->host_cr3 != cr3))
		vmwrite(VMCS_HOST_CR3, a->host_cr3 = cr3);
	if (unlikely(a->host_fs_base != fs))
		vmwrite(VMCS_HOST_FS_BASE, a->host_fs_base = fs);
	if (unlikely(a->host_gs_base != gs))
		vmwrite(VMCS_HOST_GS_BASE, a->host_gs_base = gs);
}

/* The mark goes first, as in tlb_refresh(): vmx_run.S looks at requests once more. */
static noinline void refresh_nested(struct cpu *cpu, struct pd *pd)
{
	const struct {
		u64 eptp, reserved;
	} which = {vmread(VMCS_EPTP), 0};
	while (__atomic_exchange_n(&pd->guest_stale[cpu->id], 0, __ATOMIC_SEQ_CST))
		__asm__ volatile("invept %0, %1" : : "m"(which), "r"(1ull) : "cc", "memory");
}

static always_inline void check_nested(struct cpu *cpu, const struct vcpu *v)
{
	if (unlikely(READ_ONCE(v->pd->guest_stale[cpu->id])))
		refresh_nested(cpu, v->pd);
}

/*
 * Wait-for-SIPI: a CPU in that state takes no NMI, and the timer stands still. Only a passthrough guest, whom a real
 * SIPI may be meant for, gets it, and only without a timeout; whoever needs the CPU then sends it a SIPI
 * (arch_kick()). All others halt instead: no instruction runs, and everything that ends a run does. False: not now,
 * something is asked of this CPU, whose sender may not have seen that NMIs will not do.
 */
static noinline bool choose_wait(struct cpu *cpu, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;
	bool real = a->passthrough && !a->has_timeout && vmx.wait_sipi;

	vmwrite(VMCS_GUEST_ACTV_STATE, real ? ACTIVITY_WAIT_SIPI : ACTIVITY_HLT);
	if (!real)
		return true;
	__atomic_store_n(&cpu->waits_sipi, true, __ATOMIC_SEQ_CST);
	if (!nmi_requested(cpu))
		return true;
	hazard_set(cpu, HAZARD_REMOTE | HAZARD_RCU);
	return false;
}

/* The event is delivered, and then the timer ends the run before the first instruction. */
static void cut_short(struct arch_vcpu *a)
{
	if (a->cut_short)
		return;
	a->cut_short = true;
	a->timer = (u32)vmread(VMCS_TIMER);
	vmwrite(VMCS_TIMER, 0);
}

static void restore_timer(struct arch_vcpu *a)
{
	a->cut_short = false;
	vmwrite(VMCS_TIMER, a->timer);
}

static noinline struct ec *finish(struct vcpu *v, u32 reason, bool by_hardware)
{
	struct arch_vcpu *a = &v->arch;

	if (unlikely(a->cut_short))
		restore_timer(a);
	vmx_state_store(v, reason, by_hardware);
	return vcpu_end_run(v);
}

/* The guest has not been entered since the last look at the page: only the reason is new, and the page is read again
 * by the next run. */
static struct ec *finish_untouched(struct vcpu *v)
{
	v->state->exit_reason = VCPU_EXIT_POKED;
	return vcpu_end_run(v);
}

/* An entry was refused before the CPU saw it. The page has the bits that count as tried. */
static noinline struct ec *refuse(struct vcpu *v, u32 reason)
{
	v->mtd = 0;
	return finish(v, reason, false);
}

static noinline struct ec *end_poked(struct vcpu *v)
{
	return v->entered ? finish(v, VCPU_EXIT_POKED, false) : finish_untouched(v);
}

/* For a guest that drives the machine, a NMI that nobody here has sent. */
static noinline struct ec *end_with_nmi(struct cpu *cpu, struct vcpu *v)
{
	cpu->nmi_foreign = false;
	v->state->exit_flags |= VCPU_FLAG_NMI;
	return end_poked(v);
}

struct ec *arch_vcpu_run(struct cpu *cpu, struct ec *ec)
{
	struct vcpu *v = ec->vcpu;
	struct arch_vcpu *a = &v->arch;
	u32 refused = 0;

	if (unlikely(cpu->vcpu != v))
		vmx_load_vcpu(cpu, v);
	if (likely(v->mtd))
		refused = vmx_state_load(v);
	if (unlikely(refused))
		return refuse(v, refused);
	if (unlikely(READ_ONCE(v->poked))) {
		if (!a->event)
			return end_poked(v);
		cut_short(a);
	}
	if (unlikely(cpu->nmi_foreign) && a->passthrough)
		return end_with_nmi(cpu, v);
	if (unlikely(!vmx_switch_to_guest(cpu, ec, v)))
		return refuse(v, REASON_BAD_STATE);
	if (unlikely(a->waits_sipi) && !choose_wait(cpu, v))
		vmx_interrupted(cpu, v);
	write_host(cpu, ec, a);
	check_nested(cpu, v);
	enter_guest(v);
}

/* ---- out ---- */

/* On the way in something was found to do, or interrupted: the guest is not running. */
void vmx_interrupted(struct cpu *cpu, struct vcpu *v)
{
	struct ec *ec = cpu->ec;

	cpu->waits_sipi = false;
	vmx_switch_to_host(cpu, ec, v);
	ec->cont = CONT_VCPU;
	arch_dispatch();
}

/* The host's registers are still the guest's, and stay so. */
__attribute__((noreturn)) static void reenter(struct cpu *cpu, struct vcpu *v)
{
	if (cpu->hazard || READ_ONCE(v->poked) || v->arch.waits_sipi)
		vmx_interrupted(cpu, v);
	check_nested(cpu, v);
	enter_guest(v);
}

static always_inline struct ec *leave(struct cpu *cpu, struct vcpu *v, u32 reason, bool by_hardware)
{
	vmx_switch_to_host(cpu, cpu->ec, v);
	return finish(v, reason, by_hardware);
}

/* NMIs are blocked until the next IRET (SDM vol. 3, 28.1): the handler is called as if one came now, and ends with
 * one. */
static noinline struct ec *exit_nmi(struct cpu *cpu, struct vcpu *v)
{
	__asm__ volatile("int $2" : : : "memory");
	if (unlikely(cpu->nmi_foreign) && v->arch.passthrough) {
		vmx_switch_to_host(cpu, cpu->ec, v);
		return end_with_nmi(cpu, v);
	}
	reenter(cpu, v);
}

/* From now on the guest writes these MSRs itself, and they are read back at each exit. */
static noinline struct ec *exit_wrmsr(struct cpu *cpu, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;
	u32 msr = (u32)v->regs.rcx;
	bool ours = msr == MSR_SPEC_CTRL || msr == MSR_TSC_AUX || msr == MSR_KERNEL_GS_BASE;

	if (!ours || a->msrs_live || !(a->primary & PRI_MSR_BITMAPS))
		return leave(cpu, v, REASON_WRMSR, true);
	a->msrs_live = true;
	vmwrite(VMCS_MSR_BITMAP, msr_bitmap(a->passthrough, true));
	reenter(cpu, v);
}

/* Used up, it starts over at its maximum. One that was cut short is no timeout. */
static noinline struct ec *exit_timer(struct cpu *cpu, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	if (a->cut_short)
		return leave(cpu, v, VCPU_EXIT_POKED, true);
	vmwrite(VMCS_TIMER, ~0u);
	a->has_timeout = false;
	return leave(cpu, v, REASON_TIMER, true);
}

/* One of our CPUs has sent it because nothing else gets through. */
static bool is_kick(void)
{
	return vmread(VMCS_EXIT_QUAL) == LAPIC_KICK_PAGE;
}

static noinline struct ec *exit_sipi(struct cpu *cpu, struct vcpu *v)
{
	if (is_kick())
		reenter(cpu, v); /* the NMI that came along gets through now */
	v->arch.waits_sipi = false;
	return leave(cpu, v, REASON_SIPI, true);
}

static struct ec *exit_init(struct cpu *cpu, struct vcpu *v)
{
	v->arch.waits_sipi = true;
	reenter(cpu, v);
}

#define HANDLED_HERE                                                                                       \
	(1ull << REASON_EXCEPTION_NMI | 1ull << REASON_INIT | 1ull << REASON_SIPI | 1ull << REASON_WRMSR | \
	 1ull << REASON_TIMER)

static noinline struct ec *exit_special(struct cpu *cpu, struct vcpu *v, u32 reason)
{
	switch (reason) {
	case REASON_EXCEPTION_NMI:
		if ((vmread(VMCS_EXIT_INTR_INFO) & INTR_TYPE_MASK) == INTR_TYPE_NMI)
			return exit_nmi(cpu, v);
		break;
	case REASON_INIT:
		return exit_init(cpu, v);
	case REASON_SIPI:
		return exit_sipi(cpu, v);
	case REASON_WRMSR:
		return exit_wrmsr(cpu, v);
	case REASON_TIMER:
		return exit_timer(cpu, v);
	}
	return leave(cpu, v, reason, true);
}

/* From vmx_run.S: the guest's general registers are in v->regs. */
struct ec *vmx_exit(struct cpu *cpu, struct vcpu *v)
{
	u32 reason = (u32)vmread(VMCS_EXIT_REASON);

	v->mtd = 0;
	v->entered = true;
	if (unlikely(reason & REASON_FAILED)) {
		if (reason == REASON_MACHINE_CHECK)
			panic("machine check during a VM entry on CPU %u", cpu->id);
	} else {
		v->arch.launched = true;
		v->arch.event = false;
	}
	if (unlikely(cpu->waits_sipi))
		cpu->waits_sipi = false;
	if (unlikely(reason < 64 && 1ull << reason & HANDLED_HERE))
		return exit_special(cpu, v, reason);
	return leave(cpu, v, reason, true);
}

/* VMLAUNCH or VMRESUME went on with the next instruction: the controls are not what the CPU can do. */
struct ec *vmx_entry_failed(struct cpu *cpu, struct vcpu *v)
{
	v->mtd = 0;
	v->entered = true;
	cpu->waits_sipi = false;
	return leave(cpu, v, VCPU_EXIT_REFUSED, false);
}
