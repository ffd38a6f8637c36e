/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way out of the guest: most exits are a message to the VMM, others are for the kernel, which goes back into the
 * guest. All but the simplest are handed on with jumps, so that none pays for registers that another needs.
 * Manual: SDM vol. 3, chapter 28.
 */
#include "apic/lapic.h"
#include "arch_switch.h"
#include "core/vcpu.h"
#include "cpu/mca.h"
#include "entry/nmi.h"
#include "entry/nmi_origin.h"
#include "lib/panic.h"
#include "platform/console.h"
#include "trace/trace.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"
#include "vmx/vmx_debug.h"
#include "vmx/vmx_run.h"
#include "vmx/vmx_state.h"
#include "vmx/vmx_switch.h"

extern const u8 restart_vm_entry[];
struct ec *vmx_exit(struct cpu *cpu, struct vcpu *v);
struct ec *vmx_entry_failed(struct cpu *cpu, struct vcpu *v);

/* ---- the run is over ---- */

static noinline struct ec *leave_slow(struct cpu *cpu, struct vcpu *v, u32 reason)
{
	vmx_to_host(cpu, v->ec, v);
	v->arch.pending &= ~(u32)PENDING_ENTERED;
	return vmx_state_store(v, reason);
}

static struct ec *leave(struct cpu *cpu, struct vcpu *v, u32 reason)
{
	vmx_leave_always(cpu, v);
	return vmx_plain_exit(cpu, &v->arch) ? vmx_state_store(v, reason) : leave_slow(cpu, v, reason);
}

/* Of what is to be delivered, the page tells. */
static noinline struct ec *leave_undelivered(struct cpu *cpu, struct vcpu *v, u32 reason)
{
	vmx_leave_always(cpu, v);
	vmx_to_host(cpu, v->ec, v);
	return vmx_finish(v, reason);
}

/* ---- NMIs ---- */

/* They are blocked until the next IRET (SDM vol. 3, 28.1): to the next instruction, which has a name that
 * entry/nmi_origin.c knows. */
static noinline void unblock_nmis(void)
{
	__asm__ volatile("mov %%rsp, %%rax\n\tpush %0\n\tpush %%rax\n\tpushf\n\tpush %1\n\tlea "
			 "vmx_nmi_unblocked(%%rip), %%rax\n\tpush %%rax\n\t"
			 "iretq\n\t.globl vmx_nmi_unblocked\nvmx_nmi_unblocked:"
			 :
			 : "i"(SEL_KERNEL_DATA), "i"(SEL_KERNEL_CODE)
			 : "rax", "memory");
}

static noinline struct ec *reenter_unblocking(struct cpu *cpu, struct vcpu *v)
{
	unblock_nmis();
	return vmx_reenter(cpu, v);
}

/* The IRET goes to the way into the guest, which notices what an NMI that was held back asks for; `poked` comes with
 * a letter. */
static always_inline struct ec *reenter_after_nmi(struct cpu *cpu, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	if (unlikely(a->pending & PENDING_WAITS_SIPI) || unlikely(vmx_is_set(a->stale)))
		return reenter_unblocking(cpu, v);
	a->pending |= PENDING_ENTERED;
	__asm__ volatile("push %0\n\tpush %1\n\tpushf\n\tpush %2\n\tpush %3\n\tiretq"
			 :
			 : "i"(SEL_KERNEL_DATA), "r"((u64)cpu + CPU_STACK_TOP), "i"(SEL_KERNEL_CODE),
			   "i"(restart_vm_entry), "D"(v)
			 : "memory");
	__builtin_unreachable();
}

static noinline struct ec *exit_nmi_of_guest(struct cpu *cpu, struct vcpu *v)
{
	unblock_nmis();
	v->arch.pending |= PENDING_ENTERED;
	vmx_leave_always(cpu, v);
	vmx_to_host(cpu, v->ec, v);
	return vmx_end_with_nmi(cpu, v);
}

/* Or one that looks like it at first. One from outside is no business of a guest that does not drive the machine. */
static noinline struct ec *exit_kick(struct cpu *cpu, struct vcpu *v)
{
	if (likely(nmi_take(cpu, 0)) || !v->arch.passthrough)
		return reenter_after_nmi(cpu, v);
	return exit_nmi_of_guest(cpu, v);
}

/* It may be a counter's. The way back leads past the point of entries. */
static noinline struct ec *exit_nmi_traced(struct cpu *cpu, struct vcpu *v)
{
	bool ours = nmi_take(cpu, 0);

	nmi_trace(cpu, TRACE_MODE_GUEST, vmread(VMCS_GUEST_RIP));
	return !ours && v->arch.passthrough ? exit_nmi_of_guest(cpu, v) : reenter_unblocking(cpu, v);
}

static always_inline struct ec *exit_nmi(struct cpu *cpu, struct vcpu *v)
{
	if (trace_point(TRACE_BIT(NMI) | TRACE_BIT(SAMPLE) | TRACE_BIT(VM_ENTRY), TRACE_PATH_BIT(VM_EXIT)))
		return exit_nmi_traced(cpu, v);
	if (!nmi_origin_is_foreign(cpu))
		return exit_kick(cpu, v);
	cpu->nmi_foreign = true;
	return unlikely(v->arch.passthrough) ? exit_nmi_of_guest(cpu, v) : reenter_after_nmi(cpu, v);
}

/* ---- exceptions ---- */

/* It starts over at its maximum. */
static u32 use_up_timer(struct arch_vcpu *a)
{
	vmwrite(VMCS_TIMER, ~0u);
	a->has_timeout = false;
	return REASON_TIMER;
}

/*
 * A #DB that the VMM did not ask for is delivered by us. A guest can have one come with each delivery, before
 * anything else does: that is the end of a run that was poked, or whose timeout is over, and the VMM finds the last
 * as an event whose delivery was interrupted.
 */
static noinline struct ec *exit_debug(struct cpu *cpu, struct vcpu *v, u32 info, u32 pending)
{
	struct arch_vcpu *a = &v->arch;

	vmx_debug_deliver(v, info);
	if (pending & PENDING_IMMEDIATE_EXIT)
		return leave_undelivered(cpu, v, VCPU_EXIT_POKED);
	if (vmread(VMCS_TIMER))
		return vmx_reenter(cpu, v);
	if (pending & PENDING_DEBUG_LATE)
		return leave_undelivered(cpu, v, use_up_timer(a));
	a->pending |= PENDING_DEBUG_LATE;
	return vmx_reenter(cpu, v);
}

/*
 * The event that was being delivered to the guest when a machine check came between is delivered once more (SDM vol.
 * 3, 28.2.4); an NMI's delivery has not blocked NMIs then. Without one, an IRET comes again that had unblocked them.
 */
static void redeliver(struct arch_vcpu *a, u32 info)
{
	u32 event = (u32)vmread(VMCS_VECTORING_INFO);
	u64 state = vmread(VMCS_GUEST_INTR_STATE);

	if (event & INTR_VALID) {
		vmwrite(VMCS_ENTRY_INTR_INFO, event & ~INTR_NMI_UNBLOCKED);
		vmwrite(VMCS_ENTRY_INTR_ERROR, vmread(VMCS_VECTORING_ERROR));
		vmwrite(VMCS_ENTRY_INST_LEN, vmread(VMCS_EXIT_INST_LEN));
		a->pending |= PENDING_EVENT;
		if ((event & INTR_TYPE_MASK) == INTR_TYPE_NMI)
			vmwrite(VMCS_GUEST_INTR_STATE, state & ~(u64)INTR_STATE_NMI);
	} else if (info & INTR_NMI_UNBLOCKED) {
		vmwrite(VMCS_GUEST_INTR_STATE, state | INTR_STATE_NMI);
	}
}

/* False: the guest goes on, and hazards are seen to before. */
static cold bool machine_check_ends_run(struct cpu *cpu)
{
	enum mca_outcome o = mca_take(cpu, MCA_IN_GUEST);

	if (o == MCA_OUTCOME_PANIC) {
		arch_halt_others();
		console_seize();
		mca_show(cpu);
		panic("machine check in a guest on CPU %u", cpu->id);
	}
	return o == MCA_OUTCOME_END;
}

/* A guest that has used bad memory does not go on by itself: its VMM finds the exception as one that it asked for. */
static noinline struct ec *exit_machine_check(struct cpu *cpu, struct vcpu *v, u32 info)
{
	if (machine_check_ends_run(cpu)) {
		v->arch.exception = info;
		return leave(cpu, v, REASON_EXCEPTION);
	}
	redeliver(&v->arch, info);
	return vmx_reenter(cpu, v);
}

/* The entry that failed for it has changed nothing, so it can be tried again (SDM vol. 3, 27.8). */
static noinline struct ec *entry_met_machine_check(struct cpu *cpu, struct vcpu *v)
{
	return machine_check_ends_run(cpu) ? leave_undelivered(cpu, v, REASON_MACHINE_CHECK) : vmx_reenter(cpu, v);
}

/* An exception or an NMI. */
static noinline struct ec *exit_event(struct cpu *cpu, struct vcpu *v, u32 pending)
{
	u32 info = (u32)vmread(VMCS_EXIT_INTR_INFO);
	u8 vector = info & INTR_VECTOR_MASK;

	if (vector == VECTOR_NMI)
		return exit_nmi(cpu, v);
	if (vector == VECTOR_DB && !(v->arch.exceptions >> VECTOR_DB & 1))
		return exit_debug(cpu, v, info, pending);
	if (vector == VECTOR_MC)
		return exit_machine_check(cpu, v, info);
	v->arch.exception = info;
	return leave(cpu, v, REASON_EXCEPTION);
}

/* ---- what the kernel does about other exits ---- */

/* It is tried again, and may still exit for another bit's sake. */
static noinline struct ec *exit_cr4(struct cpu *cpu, struct vcpu *v, unsigned reg)
{
	return vmx_handle_cr4(v, reg) ? vmx_reenter(cpu, v) : leave(cpu, v, REASON_CR_ACCESS);
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
	return leave(cpu, v, REASON_CR_ACCESS);
}

/*
 * From now on the guest accesses these MSRs itself, and they are read back at each exit. Until now SPEC_CTRL may have
 * been the host's.
 */
static noinline struct ec *let_access(struct cpu *cpu, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	a->pending |= PENDING_MSR_PASSTHROUGH;
	vmx_set_spec_ctrl(a, a->spec_ctrl);
	if (a->pending & PENDING_SPEC_CTRL)
		msr_write(MSR_SPEC_CTRL, a->spec_ctrl);
	vmwrite(VMCS_MSR_BITMAP, msr_bitmap(a->passthrough, true));
	return vmx_reenter(cpu, v);
}

static noinline struct ec *exit_rdmsr(struct cpu *cpu, struct vcpu *v)
{
	const struct arch_vcpu *a = &v->arch;

	if ((u32)v->regs.rcx == MSR_SPEC_CTRL && !(a->pending & PENDING_MSR_PASSTHROUGH) &&
	    a->primary & PRI_MSR_BITMAPS)
		return let_access(cpu, v);
	return leave(cpu, v, REASON_RDMSR);
}

static always_inline struct ec *exit_wrmsr(struct cpu *cpu, struct vcpu *v)
{
	const struct arch_vcpu *a = &v->arch;
	u32 msr = (u32)v->regs.rcx;
	bool ours = msr == MSR_SPEC_CTRL || msr == MSR_TSC_AUX || msr == MSR_KERNEL_GS_BASE;

	if (ours && !(a->pending & PENDING_MSR_PASSTHROUGH) && a->primary & PRI_MSR_BITMAPS)
		return let_access(cpu, v);
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

#define NOT_PLAIN (OURS | 1ull << REASON_EXCEPTION | 1ull << REASON_EPT_VIOLATION | 1ull << REASON_EPT_MISCONFIG)

/* Constant once all CPUs are started: RDMSR is one of them only where SPEC_CTRL has to be hidden. */
static u64 ours = OURS, not_plain = NOT_PLAIN;

void vmx_exit_hide_spec_ctrl(void)
{
	ours |= 1ull << REASON_RDMSR;
	not_plain |= 1ull << REASON_RDMSR;
}

static noinline struct ec *handle(struct cpu *cpu, struct vcpu *v, u32 reason, u32 pending)
{
	struct arch_vcpu *a = &v->arch;

	switch (reason) {
	case REASON_CR_ACCESS:
		return exit_cr(cpu, v);
	case REASON_WRMSR:
		return exit_wrmsr(cpu, v);
	case REASON_TIMER: /* one that was set for an immediate exit is no timeout */
		return leave(cpu, v, pending & PENDING_IMMEDIATE_EXIT ? VCPU_EXIT_POKED : use_up_timer(a));
	case REASON_INIT:
		a->pending |= PENDING_WAITS_SIPI;
		/* Some save "SMIs are blocked", with which nobody outside of SMM may enter (SDM vol. 3, 27.3.1.5). */
		vmwrite(VMCS_GUEST_INTR_STATE, vmread(VMCS_GUEST_INTR_STATE) & ~(u64)INTR_STATE_SMI);
		return vmx_reenter(cpu, v);
	case REASON_SIPI:
		if (is_kick())
			return vmx_reenter(cpu, v); /* the NMI that came along gets through now */
		a->pending &= ~(u32)PENDING_WAITS_SIPI;
		return leave(cpu, v, REASON_SIPI);
	case REASON_MACHINE_CHECK:
		return entry_met_machine_check(cpu, v);
	default: /* a failed entry, RDMSR, or a reason beyond 63 */
		if (unlikely(reason == REASON_RDMSR))
			return exit_rdmsr(cpu, v);
		return reason & REASON_FAILED ? leave_undelivered(cpu, v, reason) : leave(cpu, v, reason);
	}
}

/* `pending` is what it was before the entry. */
static always_inline struct ec *exit_by_reason(struct cpu *cpu, struct vcpu *v, u32 reason, u32 pending)
{
	if (reason == REASON_EXCEPTION)
		return exit_event(cpu, v, pending);
	if (ours >> (reason & 63) & 1)
		return handle(cpu, v, reason, pending);
	return leave(cpu, v, reason);
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

/* From vmx_run.S: the guest's general registers are in v->regs. A VMM that asks for no more than a few of them gets
 * them here. */
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

/* VMLAUNCH or VMRESUME went on with the next instruction: the controls are not what the CPU can do. */
struct ec *vmx_entry_failed(struct cpu *cpu, struct vcpu *v)
{
	v->mtd = 0;
	cpu->waits_sipi = false;
	return leave_undelivered(cpu, v, VCPU_EXIT_REFUSED);
}
