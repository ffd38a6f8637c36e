/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NMIs, which are other CPUs' signals or a passthrough guest's; #DB and #MC, which are the kernel's business first;
 * and exceptions that the VMM has asked for. Manual: APM vol. 2, 15.12 (exceptions), 15.13 (interrupts), 15.20
 * (injection).
 */
#include "svm/svm_event.h"

#include "arch/switch.h"
#include "core/vcpu.h"
#include "entry/nmi.h"
#include "entry/nmi_origin.h"
#include "svm/svm.h"
#include "svm/svm_fetch.h"
#include "svm/svm_nmi.h"
#include "svm/svm_run.h"
#include "svm/svm_state.h"
#include "svm/svm_switch.h"
#include "trace/trace.h"
#include "virt/virt_mca.h"

#define VECTOR_BP 3
#define VECTOR_OF 4
#define VECTOR_PF 14
#define HAS_ERROR_CODE (1u << 8 | 1u << 10 | 1u << 11 | 1u << 12 | 1u << 13 | 1u << 14 | 1u << 17)
#define INTR_TYPE_EXCEPTION 0x300u
#define INTR_TYPE_SOFT_EXCEPTION 0x600u

/* ---- events for the next entry ---- */

static void set_event(struct vcpu *v, u32 info, u32 error)
{
	struct arch_svm *a = &v->arch.svm;

	a->event = info;
	a->event_error = error;
	v->arch.pending |= PENDING_EVENT;
}

/* Software events are repeated by their instruction; those that the kernel has injected are in `event` still. */
void svm_event_redeliver(struct vcpu *v)
{
	struct arch_svm *a = &v->arch.svm;
	struct vmcb *b = a->vmcb;
	u32 info = (u32)b->exit_int_info, error = (u32)(b->exit_int_info >> EVENT_ERROR_SHIFT);
	u32 vector = info & INTR_VECTOR_MASK;
	bool soft_exception = vector == VECTOR_BP || vector == VECTOR_OF;

	if (!svm_cut(b))
		return;
	b->exit_int_info = 0;
	if (a->event_length) {
		v->arch.pending |= PENDING_EVENT;
		return;
	}
	if ((info & INTR_TYPE_MASK) == EVENT_SOFT_INTERRUPT ||
	    ((info & INTR_TYPE_MASK) == EVENT_EXCEPTION && soft_exception))
		return;
	if ((info & INTR_TYPE_MASK) == INTR_TYPE_NMI)
		svm_set_nmi_blocked(v, false);
	set_event(v, info, error);
}

/* ---- single steps of the kernel's own ---- */

void svm_event_step(struct arch_vcpu *a)
{
	struct vmcb *b = a->svm.vmcb;

	a->svm.step_flag = b->rflags & RFLAGS_TF;
	a->svm.step_rip = b->rip;
	b->rflags |= RFLAGS_TF;
	a->pending |= PENDING_STEP;
}

/*
 * If the guest has not come any further it has its flag as before, and the IRET is still to unblock NMIs. Otherwise
 * the flag is what the instruction has left: an IRET has loaded it.
 */
void svm_event_end_step(struct vcpu *v)
{
	struct arch_svm *a = &v->arch.svm;
	struct vmcb *b = a->vmcb;
	bool stayed = b->rip == a->step_rip, of_iret = a->step_rip == a->iret;

	v->arch.pending &= ~(u32)PENDING_STEP;
	if (!a->step_flag && (stayed || !of_iret))
		b->rflags &= ~RFLAGS_TF;
	if (stayed && of_iret)
		svm_set_nmi_blocked(v, true);
}

struct ec *svm_event_iret(struct cpu *cpu, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	svm_set_nmi_blocked(v, false);
	a->svm.iret = a->svm.vmcb->rip;
	if (a->pending & PENDING_NMI_WINDOW)
		svm_event_step(a);
	return enter_svm_again(cpu, v);
}

/* ---- #DB ---- */

#define DR6_CAUSES 0xe00ful /* B0 to B3, BD, BS and BT */

static struct ec *leave_undelivered(struct cpu *cpu, struct vcpu *v, u32 reason)
{
	svm_run_to_host(v);
	svm_to_host(cpu, v->ec, v);
	return svm_run_finish(v, reason);
}

/*
 * A #DB that the VMM did not ask for is delivered by the next entry; DR6 is written already. A guest can make the
 * delivery itself cause the next #DB, before anything else gets a turn. So each time the kernel looks whether the run
 * is to end, and the VMM finds the last #DB as an event whose delivery was interrupted.
 */
static struct ec *deliver_debug(struct cpu *cpu, struct vcpu *v, u32 pending)
{
	struct arch_vcpu *a = &v->arch;

	a->svm.vmcb->exit_int_info =
		0; /* what it has interrupted is repeated by its instruction, or lost: #DB is benign */
	set_event(v, INTR_VALID | INTR_TYPE_EXCEPTION | VECTOR_DB, 0);
	if (pending & PENDING_IMMEDIATE_EXIT)
		return leave_undelivered(cpu, v, VCPU_EXIT_POKED);
	if (a->pending & PENDING_TIMED && !a->svm.left) {
		svm_run_forget_time(a);
		return leave_undelivered(cpu, v, REASON_TIMER);
	}
	svm_run_to_host(v);
	return svm_run_on(cpu, v);
}

static struct ec *exit_debug(struct cpu *cpu, struct vcpu *v, u32 pending)
{
	struct arch_vcpu *a = &v->arch;
	struct vmcb *b = a->svm.vmcb;

	if (pending & PENDING_STEP && !a->svm.step_flag && !(b->rflags & RFLAGS_TF)) {
		b->dr6 &= ~(1ull << 14); /* BS: the guest did not ask for this step */
		svm_run_to_host(v);
		return svm_run_on(cpu, v);
	}
	if (!(a->exceptions >> VECTOR_DB & 1))
		return deliver_debug(cpu, v, pending);
	a->exception = INTR_VALID | INTR_TYPE_EXCEPTION | VECTOR_DB;
	v->state->qual[0] = b->dr6 & DR6_CAUSES;
	svm_run_to_host(v);
	return svm_exit_leave(cpu, v, REASON_EXCEPTION);
}

/* ---- #MC, and exceptions that the kernel raises ---- */

/*
 * A guest that has used bad memory does not go on by itself: its VMM finds the #MC as if it had asked for that
 * exception.
 */
static struct ec *exit_machine_check(struct cpu *cpu, struct vcpu *v)
{
	svm_run_to_host(v);
	if (virt_mca_ends_run(cpu)) {
		v->arch.exception = INTR_VALID | INTR_TYPE_EXCEPTION | VECTOR_MC;
		return svm_exit_leave(cpu, v, REASON_EXCEPTION);
	}
	svm_event_redeliver(v);
	return svm_run_on(cpu, v);
}

static struct ec *leave(struct cpu *cpu, struct vcpu *v, u32 reason)
{
	svm_run_to_host(v);
	return svm_exit_leave(cpu, v, reason);
}

static u32 exception_info(const struct vmcb *b, unsigned vector)
{
	u32 type = vector == VECTOR_BP || vector == VECTOR_OF ? INTR_TYPE_SOFT_EXCEPTION : INTR_TYPE_EXCEPTION;
	bool error = b->cr0 & CR0_PE && HAS_ERROR_CODE >> vector & 1;

	return INTR_VALID | type | (error ? INTR_ERROR_VALID : 0) | vector;
}

/* No error code that the kernel raises is another than 0. */
struct ec *svm_event_raise(struct cpu *cpu, struct vcpu *v, unsigned vector)
{
	struct vmcb *b = v->arch.svm.vmcb;
	u32 info = exception_info(b, vector);

	if (v->arch.exceptions >> vector & 1) {
		v->arch.exception = info;
		v->arch.svm.fault_error = 0;
		v->state->qual[0] = vector == VECTOR_DB ? b->dr6 & DR6_CAUSES : 0;
		v->state->inst_len = 0;
		return leave(cpu, v, REASON_EXCEPTION);
	}
	set_event(v, info, 0);
	v->arch.svm.event_length = 0;
	b->event_inj = info;
	return enter_svm_again(cpu, v);
}

/* ---- NMIs ---- */

static struct ec *end_with_nmi(struct cpu *cpu, struct vcpu *v)
{
	v->arch.pending |= PENDING_ENTERED;
	svm_to_host(cpu, v->ec, v);
	return svm_run_end_with_nmi(cpu, v);
}

/*
 * The NMI comes when svm_run_to_host() lets it in, and its handler takes it for one that has hit the kernel. One from
 * outside is to be mentioned only if it has; a guest that drives the machine hears of it.
 */
static noinline struct ec *take_in_kernel(struct cpu *cpu, struct vcpu *v)
{
	bool before = cpu->hazard & HAZARD_NMI;

	svm_run_to_host(v);
	if (unlikely(cpu->nmi_foreign) && !before)
		hazard_clear(cpu, HAZARD_NMI);
	if (likely(!cpu->nmi_foreign) || !v->arch.passthrough)
		return svm_run_on(cpu, v);
	return end_with_nmi(cpu, v);
}

static noinline struct ec *leave_guest(struct cpu *cpu, struct vcpu *v)
{
	svm_run_to_host(v);
	return svm_run_on(cpu, v);
}

/*
 * What has come is handled; a second NMI is kept back until the guest would begin, and exits then. `poked` needs no
 * look, because it comes with a work item, which is a hazard.
 */
static always_inline struct ec *enter_after_nmi(struct cpu *cpu, struct vcpu *v)
{
	if (unlikely(cpu->hazard) || unlikely(virt_is_set(v->arch.stale)))
		return leave_guest(cpu, v);
	return enter_svm_again(cpu, v);
}

static noinline struct ec *nmi_of_guest(struct cpu *cpu, struct vcpu *v)
{
	svm_run_to_host(v);
	return end_with_nmi(cpu, v);
}

/* Another CPU's kick, or one that looks so before it is counted. */
static noinline struct ec *take_kick(struct cpu *cpu, struct vcpu *v)
{
	if (likely(nmi_take(cpu, 0)) || !v->arch.passthrough)
		return enter_after_nmi(cpu, v);
	return nmi_of_guest(cpu, v);
}

static noinline struct ec *not_taken(struct cpu *cpu, struct vcpu *v, enum svm_nmi what)
{
	return what == SVM_NMI_MACHINE_CHECK ? exit_machine_check(cpu, v) : take_in_kernel(cpu, v);
}

/* Where trace points are open the way back is one that passes the point of entries. */
struct ec *svm_event_nmi_plain(struct cpu *cpu, struct vcpu *v)
{
	if (trace_point(TRACE_BIT(NMI) | TRACE_BIT(SAMPLE) | TRACE_BIT(VM_ENTRY),
			TRACE_PATH_BIT(VM_EXIT) | TRACE_PATH_BIT(NMI)))
		return take_in_kernel(cpu, v);
	enum svm_nmi what = svm_nmi_let_in();
	if (unlikely(what != SVM_NMI_TAKEN))
		return not_taken(cpu, v, what);
	if (!nmi_origin_is_foreign(cpu))
		return take_kick(cpu, v);
	cpu->nmi_foreign = true;
	return unlikely(v->arch.passthrough) ? nmi_of_guest(cpu, v) : enter_after_nmi(cpu, v);
}

struct ec *svm_event_nmi(struct cpu *cpu, struct vcpu *v)
{
	svm_event_redeliver(v);
	return v->arch.pending & ~(u32)PENDING_IN_GUEST ? take_in_kernel(cpu, v) : svm_event_nmi_plain(cpu, v);
}

/* ---- #UD and the others ---- */

#define OPCODE_GROUP7 0x01
#define MODRM_VMCALL 0xc1

/* VMCALL is Intel's; a guest that has been told of such a processor calls its VMM with it. */
static bool is_vmcall(struct vcpu *v)
{
	struct svm_insn i = svm_fetch_insn(v);

	v->state->inst_len = i.length;
	return i.length && i.two_bytes && i.opcode == OPCODE_GROUP7 && i.modrm == MODRM_VMCALL;
}

static struct ec *exit_undefined(struct cpu *cpu, struct vcpu *v)
{
	if (!svm_cut(v->arch.svm.vmcb) && is_vmcall(v)) {
		v->arch.exception = 0;
		return leave(cpu, v, REASON_VMCALL);
	}
	return svm_event_raise(cpu, v, VECTOR_UD);
}

struct ec *svm_event_exception(struct cpu *cpu, struct vcpu *v, unsigned vector, u32 pending)
{
	const struct vmcb *b = v->arch.svm.vmcb;

	if (vector == VECTOR_DB)
		return exit_debug(cpu, v, pending);
	if (vector == VECTOR_MC)
		return exit_machine_check(cpu, v);
	if (vector == VECTOR_UD && (!(v->arch.exceptions >> VECTOR_UD & 1) || is_vmcall(v)))
		return exit_undefined(cpu, v);
	v->arch.exception = exception_info(b, vector);
	v->arch.svm.fault_error = (u32)b->exit_info1;
	if (vector == VECTOR_PF)
		v->state->qual[0] = b->exit_info2;
	if (vector == VECTOR_BP || vector == VECTOR_OF)
		v->state->inst_len = svm_fetch_insn(v).length;
	return leave(cpu, v, REASON_EXCEPTION);
}
