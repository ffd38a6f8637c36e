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
#include "vmx/vmx_debug.h"
#include "vmx/vmx_state.h"
#include "vmx/vmx_switch.h"
#include "vmx/vmx_vcpu.h"

extern const u8 vmx_run_window[];
struct ec *enter_guest(struct vcpu *v); /* does not return: a jump, so that nobody needs a frame */
struct ec *vmx_exit(struct cpu *cpu, struct vcpu *v);
struct ec *vmx_entry_failed(struct cpu *cpu, struct vcpu *v);
__attribute__((noreturn)) void vmx_interrupted(struct cpu *cpu, struct vcpu *v);

/* ---- in ---- */

/* What a VM exit is to load. What is in the CPU is the truth. */
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

/* The mark goes first, as in tlb_refresh(). An NMI that comes after the look at it sets a hazard (entry/nmi.c). */
static noinline struct ec *enter_refreshed(struct vcpu *v)
{
	const struct {
		u64 eptp, reserved;
	} which = {vmread(VMCS_EPTP), 0};
	while (__atomic_exchange_n(v->arch.stale, 0, __ATOMIC_SEQ_CST))
		__asm__ volatile("invept %0, %1" : : "m"(which), "r"(1ull) : "cc", "memory");
	return enter_guest(v);
}

static always_inline struct ec *enter(struct vcpu *v)
{
	return unlikely(READ_ONCE(*v->arch.stale)) ? enter_refreshed(v) : enter_guest(v);
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
	if (!real)
		return true;
	__atomic_store_n(&cpu->waits_sipi, true, __ATOMIC_SEQ_CST);
	if (!nmi_requested(cpu))
		return true;
	hazard_set(cpu, HAZARD_REMOTE | HAZARD_RCU);
	return false;
}

static bool has(const struct arch_vcpu *a, u32 special)
{
	return (a->special & special) == special;
}

/* It starts over at its maximum. */
static u32 use_up_timer(struct arch_vcpu *a)
{
	vmwrite(VMCS_TIMER, ~0u);
	a->has_timeout = false;
	return REASON_TIMER;
}

static void restore_timer(struct arch_vcpu *a)
{
	a->special &= ~(u32)SPECIAL_CUT_SHORT;
	vmwrite(VMCS_TIMER, a->timer);
}

/* Of a run that does not end with an exit. */
static noinline struct ec *finish(struct vcpu *v, u32 reason)
{
	if (v->arch.special & SPECIAL_CUT_SHORT)
		restore_timer(&v->arch);
	v->arch.special &= ~(u32)SPECIAL_ENTERED;
	return vmx_state_store_pending(v, reason);
}

/* An entry was refused before the CPU saw it. The page has the bits that count as tried. */
static struct ec *refuse(struct vcpu *v, u32 reason)
{
	v->mtd = 0;
	return finish(v, reason);
}

/* If the guest has not been entered since the last look at the page, only the reason is new, and the page is read
 * again by the next run. */
static struct ec *end_poked(struct vcpu *v)
{
	if (v->arch.special & SPECIAL_CUT_SHORT)
		restore_timer(&v->arch);
	if (v->arch.special & SPECIAL_ENTERED)
		return finish(v, VCPU_EXIT_POKED);
	v->state->exit_reason = VCPU_EXIT_POKED;
	return vcpu_end_run(v);
}

/* For a guest that drives the machine, an NMI that nobody here has sent. */
static noinline struct ec *end_with_nmi(struct cpu *cpu, struct vcpu *v)
{
	cpu->nmi_foreign = false;
	v->state->exit_flags |= VCPU_FLAG_NMI;
	return end_poked(v);
}

/* The event is delivered, and then the timer ends the run before the first instruction. False: there is none. */
static bool cut_short(struct arch_vcpu *a)
{
	if (!(a->special & SPECIAL_EVENT))
		return false;
	if (!(a->special & SPECIAL_CUT_SHORT)) {
		a->special |= SPECIAL_CUT_SHORT;
		a->timer = (u32)vmread(VMCS_TIMER);
		vmwrite(VMCS_TIMER, 0);
	}
	return true;
}

static always_inline struct ec *enter_from(struct vcpu *v)
{
	if (unlikely(cr2_read() != v->regs.cr2))
		cr2_write(v->regs.cr2);
	write_host(&v->arch);
	return enter(v);
}

/* The state is loaded. */
static noinline struct ec *go_on_specially(struct cpu *cpu, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;
	bool poked = READ_ONCE(v->poked);

	if (!poked && a->special & SPECIAL_CUT_SHORT)
		restore_timer(a); /* of a run that was never entered */
	if (poked && !cut_short(a))
		return end_poked(v);
	if (cpu->nmi_foreign && a->passthrough)
		return end_with_nmi(cpu, v);
	if (has(a, SPECIAL_WAITS_SIPI | SPECIAL_EVENT) || !vmx_to_guest(cpu, v->ec, v))
		return refuse(v, REASON_BAD_STATE);
	if (a->special & SPECIAL_WAITS_SIPI && !choose_wait(cpu, a)) {
		cr2_write(v->regs.cr2); /* as if it had been entered */
		vmx_interrupted(cpu, v);
	}
	return enter_from(v);
}

static always_inline struct ec *go_on(struct cpu *cpu, struct vcpu *v)
{
	if (unlikely(READ_ONCE(v->poked)) || unlikely(cpu->nmi_foreign) || !vmx_usual_entry(cpu, &v->arch))
		return go_on_specially(cpu, v);
	return enter_from(v);
}

static noinline struct ec *load_rest(struct cpu *cpu, struct vcpu *v)
{
	u32 refused = vmx_state_load_rest(v);
	return refused ? refuse(v, refused) : go_on(cpu, v);
}

static noinline struct ec *load_vcpu(struct cpu *cpu, struct ec *ec)
{
	if (!vmx.usable) { /* firmware did not give it back after sleep */
		ec->vcpu->state->exit_reason = VCPU_EXIT_REFUSED;
		return vcpu_end_run(ec->vcpu);
	}
	vmx_load_vcpu(cpu, ec->vcpu);
	return arch_vcpu_run(cpu, ec);
}

/* The usual path ends in a jump into the guest, and so do all others: nothing is kept on the stack. */
struct ec *arch_vcpu_run(struct cpu *cpu, struct ec *ec)
{
	struct vcpu *v = ec->vcpu;

	if (unlikely(cpu->vcpu != v))
		return load_vcpu(cpu, ec);
	vmx_state_load_often(v, v->mtd);
	if (unlikely(v->mtd & ~VMX_MTD_OFTEN))
		return load_rest(cpu, v);
	return go_on(cpu, v);
}

/* ---- out ---- */

static always_inline void leave_always(struct cpu *cpu, struct vcpu *v)
{
	v->regs.cr2 = cr2_read();
	cpu->tr_short = true;
}

/* On the way in something was found to do, or interrupted: the guest is not running. */
void vmx_interrupted(struct cpu *cpu, struct vcpu *v)
{
	struct ec *ec = cpu->ec;

	cpu->waits_sipi = false;
	leave_always(cpu, v);
	vmx_to_host(cpu, ec, v);
	ec->cont = CONT_VCPU;
	arch_dispatch();
}

/* The host's registers are still the guest's, and stay so. */
static noinline struct ec *reenter(struct cpu *cpu, struct vcpu *v)
{
	v->arch.special |= SPECIAL_ENTERED;
	if (cpu->hazard || READ_ONCE(v->poked) || v->arch.special & SPECIAL_WAITS_SIPI)
		vmx_interrupted(cpu, v);
	return enter(v);
}

static noinline struct ec *leave_specially(struct cpu *cpu, struct vcpu *v, u32 reason)
{
	vmx_to_host(cpu, v->ec, v);
	v->arch.special &= ~(u32)SPECIAL_ENTERED;
	return vmx_state_store(v, reason);
}

static struct ec *leave(struct cpu *cpu, struct vcpu *v, u32 reason)
{
	leave_always(cpu, v);
	return vmx_usual_exit(cpu, &v->arch) ? vmx_state_store(v, reason) : leave_specially(cpu, v, reason);
}

/* Of what is to be delivered, the page tells. */
static noinline struct ec *leave_pending(struct cpu *cpu, struct vcpu *v, u32 reason)
{
	leave_always(cpu, v);
	vmx_to_host(cpu, v->ec, v);
	return finish(v, reason);
}

/* NMIs are blocked until the next IRET (SDM vol. 3, 28.1): to the next instruction. */
static always_inline void unblock_nmis(void)
{
	__asm__ volatile("mov %%rsp, %%rax\n\tpush %0\n\tpush %%rax\n\tpushf\n\tpush %1\n\tlea 1f(%%rip), "
			 "%%rax\n\tpush %%rax\n\t"
			 "iretq\n1:"
			 :
			 : "i"(SEL_KERNEL_DATA), "i"(SEL_KERNEL_CODE)
			 : "rax", "memory");
}

static noinline struct ec *reenter_unblocking(struct cpu *cpu, struct vcpu *v)
{
	unblock_nmis();
	return reenter(cpu, v);
}

/* The IRET goes to the way into the guest, which notices what an NMI that was held back asks for; `poked` comes with
 * a letter. */
static always_inline struct ec *reenter_after_nmi(struct cpu *cpu, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	if (unlikely(a->special & SPECIAL_WAITS_SIPI) || unlikely(READ_ONCE(*a->stale)))
		return reenter_unblocking(cpu, v);
	a->special |= SPECIAL_ENTERED;
	__asm__ volatile("push %0\n\tpush %1\n\tpushf\n\tpush %2\n\tpush %3\n\tiretq"
			 :
			 : "i"(SEL_KERNEL_DATA), "r"((u64)cpu + CPU_STACK_TOP), "i"(SEL_KERNEL_CODE),
			   "i"(vmx_run_window), "D"(v)
			 : "memory");
	__builtin_unreachable();
}

static noinline struct ec *exit_kick(struct cpu *cpu, struct vcpu *v)
{
	nmi_take(cpu);
	return reenter_after_nmi(cpu, v);
}

static noinline struct ec *exit_nmi_of_guest(struct cpu *cpu, struct vcpu *v)
{
	unblock_nmis();
	v->arch.special |= SPECIAL_ENTERED;
	leave_always(cpu, v);
	vmx_to_host(cpu, v->ec, v);
	return end_with_nmi(cpu, v);
}

static always_inline struct ec *exit_nmi(struct cpu *cpu, struct vcpu *v)
{
	if (nmi_is_ours(cpu))
		return exit_kick(cpu, v);
	cpu->nmi_foreign = true;
	return unlikely(v->arch.passthrough) ? exit_nmi_of_guest(cpu, v) : reenter_after_nmi(cpu, v);
}

/*
 * A #DB that the VMM did not ask for is delivered by us. A guest can have one come with each delivery, before
 * anything else does: that is the end of a run that was poked, or whose timeout is over, and the VMM finds the last
 * as an event whose delivery was interrupted.
 */
static noinline struct ec *exit_debug(struct cpu *cpu, struct vcpu *v, u32 info, u32 special)
{
	struct arch_vcpu *a = &v->arch;

	vmx_debug_deliver(v, info);
	if (special & SPECIAL_CUT_SHORT)
		return leave_pending(cpu, v, VCPU_EXIT_POKED);
	if (vmread(VMCS_TIMER))
		return reenter(cpu, v);
	if (special & SPECIAL_DEBUG_LATE)
		return leave_pending(cpu, v, use_up_timer(a));
	a->special |= SPECIAL_DEBUG_LATE;
	return reenter(cpu, v);
}

/* `special` as it was. */
static noinline struct ec *exit_event(struct cpu *cpu, struct vcpu *v, u32 special)
{
	u32 info = (u32)vmread(VMCS_EXIT_INTR_INFO);

	u8 vector = info & INTR_VECTOR_MASK;

	if (vector == VECTOR_NMI)
		return exit_nmi(cpu, v);
	if (vector == VECTOR_DB && !(v->arch.exceptions >> VECTOR_DB & 1))
		return exit_debug(cpu, v, info, special);
	if (vector == VECTOR_MC)
		panic("machine check in a guest on CPU %u", cpu->id);
	v->arch.exception = info;
	return leave(cpu, v, REASON_EXCEPTION);
}

static noinline struct ec *exit_cr(struct cpu *cpu, struct vcpu *v)
{
	if (vmx_show_osxsave(v))
		return reenter(cpu, v); /* it is tried again, and may still exit for another bit's sake */
	return leave(cpu, v, REASON_CR_ACCESS);
}

/* From now on the guest writes these MSRs itself, and they are read back at each exit. */
static noinline struct ec *let_write(struct cpu *cpu, struct vcpu *v)
{
	v->arch.special |= SPECIAL_LIVE;
	vmwrite(VMCS_MSR_BITMAP, msr_bitmap(v->arch.passthrough, true));
	return reenter(cpu, v);
}

static always_inline struct ec *exit_wrmsr(struct cpu *cpu, struct vcpu *v)
{
	const struct arch_vcpu *a = &v->arch;
	u32 msr = (u32)v->regs.rcx;
	bool ours = msr == MSR_SPEC_CTRL || msr == MSR_TSC_AUX || msr == MSR_KERNEL_GS_BASE;

	if (ours && !(a->special & SPECIAL_LIVE) && a->primary & PRI_MSR_BITMAPS)
		return let_write(cpu, v);
	return leave(cpu, v, REASON_WRMSR);
}

static bool is_kick(void)
{
	return vmread(VMCS_EXIT_QUAL) == LAPIC_KICK_PAGE;
}

/* Exits that are more than a message to the VMM: the kernel does something about them by itself. */
#define OURS                                                                                           \
	(1ull << REASON_INIT | 1ull << REASON_SIPI | 1ull << REASON_CR_ACCESS | 1ull << REASON_WRMSR | \
	 1ull << REASON_TIMER | 1ull << (REASON_BAD_STATE & 63) | 1ull << (REASON_BAD_MSR & 63) |      \
	 1ull << (REASON_MACHINE_CHECK & 63))

static noinline struct ec *handle(struct cpu *cpu, struct vcpu *v, u32 reason, u32 special)
{
	struct arch_vcpu *a = &v->arch;

	switch (reason) {
	case REASON_CR_ACCESS:
		return exit_cr(cpu, v);
	case REASON_WRMSR:
		return exit_wrmsr(cpu, v);
	case REASON_TIMER: /* one that was cut short is no timeout */
		return leave(cpu, v, special & SPECIAL_CUT_SHORT ? VCPU_EXIT_POKED : use_up_timer(a));
	case REASON_INIT:
		a->special |= SPECIAL_WAITS_SIPI;
		/* Some save "SMIs are blocked", with which nobody outside of SMM may enter (SDM vol. 3, 27.3.1.5). */
		vmwrite(VMCS_GUEST_INTR_STATE, vmread(VMCS_GUEST_INTR_STATE) & ~(u64)INTR_STATE_SMI);
		return reenter(cpu, v);
	case REASON_SIPI:
		if (is_kick())
			return reenter(cpu, v); /* the NMI that came along gets through now */
		a->special &= ~(u32)SPECIAL_WAITS_SIPI;
		return leave(cpu, v, REASON_SIPI);
	case REASON_MACHINE_CHECK:
		panic("machine check during a VM entry on CPU %u", cpu->id);
	default:
		return leave_pending(cpu, v, reason);
	}
}

/* The entry was more than the usual. */
static always_inline void note_entry(struct cpu *cpu, struct arch_vcpu *a, u32 reason)
{
	cpu->waits_sipi = false;
	if (!(reason & REASON_FAILED)) /* the event is delivered */
		a->special &= ~(u32)(SPECIAL_EVENT | SPECIAL_FIRST | SPECIAL_DEBUG_LATE);
	if (unlikely(a->special & SPECIAL_CUT_SHORT))
		restore_timer(a);
}

static noinline struct ec *exit_specially(struct cpu *cpu, struct vcpu *v, u32 reason)
{
	u32 special = v->arch.special;

	reason &= REASON_FAILED | 0xffff; /* an enclave may have been left, too (SDM vol. 3, 25.9.1) */
	if (special)
		note_entry(cpu, &v->arch, reason);
	if (reason == REASON_EXCEPTION)
		return exit_event(cpu, v, special);
	if (OURS >> (reason & 63) & 1)
		return handle(cpu, v, reason, special);
	return leave(cpu, v, reason);
}

#define NOT_USUAL (OURS | 1ull << REASON_EXCEPTION | 1ull << REASON_EPT_VIOLATION | 1ull << REASON_EPT_MISCONFIG)

/* From vmx_run.S: the guest's general registers are in v->regs. A VMM that asks for no more than a few of them gets
 * them here. */
struct ec *vmx_exit(struct cpu *cpu, struct vcpu *v)
{
	u32 reason = (u32)vmread(VMCS_EXIT_REASON);

	v->mtd = 0;
	if (unlikely(NOT_USUAL >> (reason & 63) & 1) || !vmx_usual_exit(cpu, &v->arch))
		return exit_specially(cpu, v, reason);
	leave_always(cpu, v);
	if (v->wanted & ~(u64)MTD_GPR_ACDB)
		return vmx_state_store(v, reason);
	vmx_state_store_exit(v->state, reason);
	if (v->wanted)
		BLOCK_COPY(v->state, &v->regs, rax, rbx);
	return vcpu_end_run(v);
}

/* VMLAUNCH or VMRESUME went on with the next instruction: the controls are not what the CPU can do. */
struct ec *vmx_entry_failed(struct cpu *cpu, struct vcpu *v)
{
	v->mtd = 0;
	cpu->waits_sipi = false;
	return leave_pending(cpu, v, VCPU_EXIT_REFUSED);
}
