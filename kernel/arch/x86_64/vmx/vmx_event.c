/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exits by events: NMIs, which are other CPUs' signals or a passthrough guest's; #DB and #MC, which are the kernel's
 * business first; and exceptions that the VMM has asked for. Manual: SDM vol. 3, 28.1, 28.2.
 */
#include "vmx/vmx_event.h"

#include "arch/switch.h"
#include "core/vcpu.h"
#include "entry/nmi.h"
#include "entry/nmi_origin.h"
#include "trace/trace.h"
#include "virt/virt_mca.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_reason.h"
#include "vmx/vmx_run.h"
#include "vmx/vmx_switch.h"

extern const u8 restart_vm_entry[];

/* ---- NMIs ---- */

/*
 * An exit by NMI leaves NMIs blocked until an IRET (SDM vol. 3, 28.1): execute one that lands on the next
 * instruction. An NMI that was kept back comes right there, so that instruction has a label, which entry/nmi_origin.c
 * compares with.
 */
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

/*
 * The IRET that unblocks NMIs leads straight to the test of the hazards before the guest. So what an NMI asks for
 * that was kept back is noticed there; `poked` needs no look, because it comes with a work item, which is a hazard. A
 * guest that waits for a SIPI, or whose translations are stale, has more to do before it is entered.
 */
static always_inline struct ec *reenter_after_nmi(struct cpu *cpu, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	if (unlikely(a->pending & PENDING_WAITS_SIPI) || unlikely(virt_is_set(a->stale)))
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

/*
 * The NMI is another CPU's kick, or looks like one before it is counted. An NMI from outside is no business of a
 * guest that does not drive the machine: it goes on.
 */
static noinline struct ec *exit_kick(struct cpu *cpu, struct vcpu *v)
{
	if (likely(nmi_take(cpu, 0)) || !v->arch.passthrough)
		return reenter_after_nmi(cpu, v);
	return exit_nmi_of_guest(cpu, v);
}

/*
 * Trace points are open: the NMI may be a performance counter's, and the way back is one that passes the point of
 * entries.
 */
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

/*
 * ---- debug exceptions ----
 *
 * #DB of guests. It always exits: with a breakpoint on what its own delivery touches, a processor would deliver one
 * after the other, and neither NMIs nor the timer would get a turn (CVE-2015-8104). What the VMM did not ask for goes
 * to the guest at the next entry. Manual: SDM vol. 3, 18.3 (debug exceptions), 27.6 (event injection), 28.1.
 */

/* DR6, and in the same places the exit qualification. The last two have the opposite sense in DR6. */
#define DR6_BREAKPOINTS 0xful
#define DR6_BUS_LOCK (1ul << 11)
#define DR6_ACCESS (1ul << 13)
#define DR6_STEP (1ul << 14)
#define DR6_TRANSACTION (1ul << 16)

#define DR7_GENERAL_DETECT (1ul << 13)

/* DR6 is still in the CPU. The bits of breakpoints are replaced; the guest clears the others itself. */
static void update_dr6(u64 qualification)
{
	u64 dr6;

	VIRT_DR_READ(6, dr6);
	dr6 = (dr6 & ~DR6_BREAKPOINTS) | DR6_TRANSACTION;
	dr6 |= qualification & (DR6_BREAKPOINTS | DR6_ACCESS | DR6_STEP);
	dr6 &= ~(qualification & (DR6_BUS_LOCK | DR6_TRANSACTION));
	VIRT_DR_WRITE(6, dr6);
}

/*
 * The exit has left DR6 and DR7 as they were, and the injection of a #DB does not change them either. DEBUGCTL.LBR,
 * which a #DB clears, is always 0.
 */
static void update_registers(void)
{
	update_dr6(vmread(VMCS_EXIT_QUAL));
	vmwrite(VMCS_GUEST_DR7, vmread(VMCS_GUEST_DR7) & ~DR7_GENERAL_DETECT);
}

/*
 * The delivery of a #DB ends a halt and the blocking by STI and MOV SS, and no other debug exception stays pending.
 * The exit has saved the state as it was before.
 */
static void update_state(u32 info)
{
	u64 state = vmread(VMCS_GUEST_INTR_STATE) & ~(u64)(INTR_STATE_STI | INTR_STATE_MOV_SS);

	if (info & INTR_NMI_UNBLOCKED && !(vmread(VMCS_VECTORING_INFO) & INTR_VALID))
		state |= INTR_STATE_NMI; /* the IRET comes again */
	vmwrite(VMCS_GUEST_INTR_STATE, state);
	vmwrite(VMCS_GUEST_ACTV_STATE, ACTIVITY_ACTIVE);
	vmwrite(VMCS_GUEST_PENDING_DEBUG, 0);
}

/*
 * The exit has saved RFLAGS.RF as the #DB is to push it. If the delivery of another event was interrupted, that event
 * is repeated by its instruction, or lost, as it would be without a hypervisor: #DB is benign and makes no double
 * fault.
 */
static void debug_deliver(struct vcpu *v, u32 info)
{
	if ((info & INTR_TYPE_MASK) != INTR_TYPE_INT1)
		update_registers();
	update_state(info);
	vmwrite(VMCS_ENTRY_INTR_INFO, info & ~INTR_NMI_UNBLOCKED);
	vmwrite(VMCS_ENTRY_INST_LEN, vmread(VMCS_EXIT_INST_LEN)); /* of INT1 */
	v->arch.pending |= PENDING_EVENT;
}

/*
 * A #DB that the VMM did not ask for is delivered by the next entry. A guest can make the delivery itself cause the
 * next #DB, before anything else gets a turn, the timer included. So a run that was poked, or whose timer is found at
 * 0 twice, ends here, and the VMM finds the last #DB as an event whose delivery was interrupted.
 */
static noinline struct ec *exit_debug(struct cpu *cpu, struct vcpu *v, u32 info, u32 pending)
{
	struct arch_vcpu *a = &v->arch;

	debug_deliver(v, info);
	if (pending & PENDING_IMMEDIATE_EXIT)
		return vmx_leave_undelivered(cpu, v, VCPU_EXIT_POKED);
	if (vmread(VMCS_TIMER))
		return vmx_reenter(cpu, v);
	if (pending & PENDING_DEBUG_LATE)
		return vmx_leave_undelivered(cpu, v, vmx_use_up_timer(a));
	a->pending |= PENDING_DEBUG_LATE;
	return vmx_reenter(cpu, v);
}

/* ---- machine checks ---- */

/*
 * The machine check has interrupted the delivery of an event to the guest, which the next entry repeats (SDM vol. 3,
 * 28.2.4); NMIs are not blocked, if it was an NMI. Or it has interrupted an IRET that had unblocked NMIs and will be
 * executed again, so that they must be blocked.
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

/*
 * A guest that has used bad memory does not go on by itself: its VMM finds the #MC as if it had asked for that
 * exception.
 */
static noinline struct ec *exit_machine_check(struct cpu *cpu, struct vcpu *v, u32 info)
{
	if (virt_mca_ends_run(cpu)) {
		v->arch.exception = info;
		return vmx_leave(cpu, v, REASON_EXCEPTION);
	}
	redeliver(&v->arch, info);
	return vmx_reenter(cpu, v);
}

/* The entry that has failed because of it has changed nothing, so it can be tried again (SDM vol. 3, 27.8). */
struct ec *vmx_event_at_entry(struct cpu *cpu, struct vcpu *v)
{
	return virt_mca_ends_run(cpu) ? vmx_leave_undelivered(cpu, v, REASON_MACHINE_CHECK) : vmx_reenter(cpu, v);
}

/* ---- all of them ---- */

/* An exception or an NMI. */
struct ec *vmx_event_exit(struct cpu *cpu, struct vcpu *v, u32 pending)
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
	return vmx_leave(cpu, v, REASON_EXCEPTION);
}
