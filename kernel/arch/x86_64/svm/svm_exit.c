/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way out of the guest: most exits are a message to the VMM, with Intel's number and words, others are for the
 * kernel, which goes back into the guest. Manual: APM vol. 2, 15.8..15.14 (intercepts), 15.25.6 (nested faults),
 * appendix C (codes); SDM vol. 3, 28.2 (what the page has of each).
 */
#include "arch/switch.h"
#include "core/irq.h"
#include "core/vcpu.h"
#include "lib/string.h"
#include "svm/svm.h"
#include "svm/svm_clean.h"
#include "svm/svm_cr.h"
#include "svm/svm_event.h"
#include "svm/svm_fetch.h"
#include "svm/svm_qual.h"
#include "svm/svm_run.h"
#include "svm/svm_state.h"
#include "svm/svm_switch.h"
#include "svm/svm_timer.h"
#include "svm/svm_vcpu.h"

struct ec *svm_exit(struct cpu *cpu, struct vcpu *v);

/* Intel's numbers that vmx_reason.h does not list, as the kernel knows nothing more of them. */
enum { REASON_TRIPLE_FAULT = 2, REASON_INTERRUPT_WINDOW = 7, REASON_NMI_WINDOW = 8 };

/* ---- the run is over ---- */

static noinline struct ec *leave_slow(struct cpu *cpu, struct vcpu *v, u32 reason)
{
	svm_to_host(cpu, v->ec, v);
	v->arch.pending &= ~(u32)PENDING_ENTERED;
	return svm_state_store(v, reason);
}

struct ec *svm_exit_leave(struct cpu *cpu, struct vcpu *v, u32 reason)
{
	return svm_plain_exit(cpu, &v->arch) ? svm_state_store(v, reason) : leave_slow(cpu, v, reason);
}

static struct ec *leave(struct cpu *cpu, struct vcpu *v, u32 reason)
{
	svm_run_to_host(v);
	return svm_exit_leave(cpu, v, reason);
}

/* ---- instructions that exit, and nothing more ---- */

#define PLAIN_LIST(X)                     \
	X(EXIT_RDTSC, REASON_RDTSC)       \
	X(EXIT_RDPMC, REASON_RDPMC)       \
	X(EXIT_CPUID, REASON_CPUID)       \
	X(EXIT_INVD, REASON_INVD)         \
	X(EXIT_PAUSE, REASON_PAUSE)       \
	X(EXIT_VMMCALL, REASON_VMCALL)    \
	X(EXIT_RDTSCP, REASON_RDTSCP)     \
	X(EXIT_MONITOR, REASON_MONITOR)   \
	X(EXIT_MWAIT, REASON_MWAIT)       \
	X(EXIT_MWAIT_ARMED, REASON_MWAIT) \
	X(EXIT_XSETBV, REASON_XSETBV)

/* By the low byte of the code, so that no index is out of range. 0: none of them. */
static const u8 plain_reasons[256] = {
#define X(code, reason) [code] = (reason),
	PLAIN_LIST(X)
#undef X
};

/* The codes with other bytes, of nested faults and such, have low ones of accesses to CRs. */
_Static_assert((u8)EXIT_NESTED_FAULT<EXIT_DR_READ && (u8)EXIT_INVALID> EXIT_XSETBV, "none in the list");

static u32 plain_reason(u32 code)
{
	return plain_reasons[(u8)code];
}

/* The same where the processor tells how long the instruction is. Constant once there are guests. */
static u8 told_reasons[256];

void svm_exit_init(void)
{
	if (svm.next_rip)
		memcpy(told_reasons, plain_reasons, sizeof(told_reasons));
}

/* A guest in real mode may have a RIP that wraps; the length never is more than 15. */
static always_inline u64 length_of(const struct vcpu *v)
{
	const struct vmcb *b = v->arch.svm.vmcb;

	return likely(svm.next_rip) ? (u32)(b->next_rip - b->rip) & 15 : svm_fetch_insn(v).length;
}

static struct ec *leave_instruction(struct cpu *cpu, struct vcpu *v, u32 reason)
{
	v->state->inst_len = length_of(v);
	return leave(cpu, v, reason);
}

/* The instruction is done: by the kernel. A single step of the guest's own ends behind it. */
static struct ec *skip(struct cpu *cpu, struct vcpu *v, unsigned length)
{
	struct vmcb *b = v->arch.svm.vmcb;

	b->rip += length;
	b->interrupt_shadow = 0;
	if (likely(!(b->rflags & RFLAGS_TF)))
		return enter_svm_again(cpu, v);
	b->dr6 |= 1ull << 14;
	return svm_event_raise(cpu, v, VECTOR_DB);
}

static struct ec *exit_halt(struct cpu *cpu, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;
	u64 length = length_of(v);

	if (!a->passthrough || a->primary & PRI_HLT) {
		v->state->inst_len = length;
		return leave(cpu, v, REASON_HLT);
	}
	a->svm.vmcb->rip += length ? length : 1; /* the guest's own tables may not lead to it any more */
	a->svm.vmcb->interrupt_shadow = 0;
	a->svm.activity = ACTIVITY_HLT;
	a->pending |= PENDING_INACTIVE;
	svm_run_to_host(v);
	return svm_run_on(cpu, v);
}

/* ---- exits with a qualification ---- */

#define VECTOR_GP 13

static struct ec *exit_cr(struct cpu *cpu, struct vcpu *v, unsigned number, bool write)
{
	u32 before = v->arch.pending;
	unsigned length;

	switch (svm_cr_access(v, number, write, &length)) {
	case SVM_CR_DONE:
		if (v->arch.pending & PENDING_TLB) {
			v->arch.pending &= ~(u32)PENDING_TLB;
			svm_vcpu_new_asid(cpu, v);
		}
		if (unlikely((before ^ v->arch.pending) & PENDING_XCR0))
			xcr0_write((u32)(v->arch.pending & PENDING_XCR0 ? v->arch.xcr0 : cpu_features.xcr0));
		return skip(cpu, v, length);
	case SVM_CR_FAULT:
		return svm_event_raise(cpu, v, VECTOR_GP);
	default:
		return leave(cpu, v, REASON_CR_ACCESS);
	}
}

static struct ec *exit_dr(struct cpu *cpu, struct vcpu *v, unsigned number, bool write)
{
	svm_cr_debug_access(v, number, write);
	return leave(cpu, v, REASON_DR_ACCESS);
}

static struct ec *exit_io(struct cpu *cpu, struct vcpu *v)
{
	svm_qual_io(v, v->state);
	return leave(cpu, v, REASON_IO);
}

/* The first access: from now on the guest accesses these MSRs itself, and they are read back at each exit. */
static struct ec *let_access(struct cpu *cpu, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	a->pending |= PENDING_MSR_PASSTHROUGH;
	virt_set_spec_ctrl(a, a->spec_ctrl);
	if (a->pending & PENDING_SPEC_CTRL)
		msr_write(MSR_SPEC_CTRL, a->spec_ctrl);
	a->svm.vmcb->msrpm = svm_msr_map(a->passthrough, true);
	return enter_svm_again(cpu, v);
}

static struct ec *exit_msr(struct cpu *cpu, struct vcpu *v)
{
	const struct arch_vcpu *a = &v->arch;
	bool write = a->svm.vmcb->exit_info1 & 1;
	u32 msr = (u32)v->regs.rcx;
	bool ours = msr == MSR_SPEC_CTRL ? svm.spec_ctrl : msr == MSR_TSC_AUX && write && svm.tsc_aux;

	if (ours && !(a->pending & PENDING_MSR_PASSTHROUGH) && a->primary & PRI_MSR_BITMAPS)
		return let_access(cpu, v);
	return leave_instruction(cpu, v, write ? REASON_WRMSR : REASON_RDMSR);
}

static struct ec *exit_task_switch(struct cpu *cpu, struct vcpu *v)
{
	v->state->qual[0] = svm_qual_task_switch(v);
	v->state->inst_len = svm_fetch_insn(v).length;
	return leave(cpu, v, REASON_TASK_SWITCH);
}

static struct ec *exit_invlpg(struct cpu *cpu, struct vcpu *v)
{
	if (svm.decodes) {
		v->state->qual[0] = v->arch.svm.vmcb->exit_info1;
		return leave_instruction(cpu, v, REASON_INVLPG);
	}
	struct svm_insn i = svm_fetch_insn(v);
	v->state->qual[0] = i.memory ? svm_fetch_operand(v, &i) : 0;
	v->state->inst_len = i.length;
	return leave(cpu, v, REASON_INVLPG);
}

static struct ec *exit_nested_fault(struct cpu *cpu, struct vcpu *v)
{
	svm_qual_nested_fault(v);
	return leave(cpu, v, REASON_EPT_VIOLATION);
}

/* Nobody acknowledges it, unless it is the kernel's. That of the timer may have come in vain. */
static struct ec *exit_interrupt(struct cpu *cpu, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	svm_run_to_host(v);
	if (!svm_timer_take() && !irq_take_pending())
		return svm_exit_leave(cpu, v, REASON_INTERRUPT);
	svm_event_redeliver(v);
	if (!(a->pending & PENDING_TIMED) || a->svm.left)
		return svm_run_on(cpu, v);
	svm_to_host(cpu, v->ec, v);
	return svm_run_end_in_time(v);
}

/* ---- by code ---- */

static noinline struct ec *exit_rare(struct cpu *cpu, struct vcpu *v, u32 code)
{
	switch (code) {
	case EXIT_INTR:
		return exit_interrupt(cpu, v);
	case EXIT_VINTR:
		return leave(cpu, v, REASON_INTERRUPT_WINDOW);
	case EXIT_IRET:
		return svm_event_iret(cpu, v);
	case EXIT_TASK_SWITCH:
		return exit_task_switch(cpu, v);
	case EXIT_INVLPG:
		return exit_invlpg(cpu, v);
	case EXIT_SHUTDOWN:
		return leave(cpu, v, REASON_TRIPLE_FAULT);
	case EXIT_RSM:
	case EXIT_INVLPGA:
	case EXIT_VMRUN:
	case EXIT_VMLOAD ... EXIT_SKINIT:
		return svm_event_raise(cpu, v, VECTOR_UD);
	default: /* the kernel has asked for no others */
		return leave(cpu, v, VCPU_EXIT_REFUSED);
	}
}

static struct ec *exit_by_code(struct cpu *cpu, struct vcpu *v, u32 code, u32 pending)
{
	u32 reason = plain_reason(code);

	if (reason)
		return leave_instruction(cpu, v, reason);
	if (code == EXIT_NESTED_FAULT)
		return exit_nested_fault(cpu, v);
	if (code == EXIT_IO)
		return exit_io(cpu, v);
	if (code == EXIT_HLT)
		return exit_halt(cpu, v);
	if (code == EXIT_NMI)
		return svm_event_nmi(cpu, v);
	if (code == EXIT_MSR)
		return exit_msr(cpu, v);
	if (code == EXIT_CR0_SEL_WRITE)
		return exit_cr(cpu, v, 0, true);
	if (code < EXIT_DR_READ)
		return exit_cr(cpu, v, code & 15, code >= EXIT_CR_WRITE);
	if (code < EXIT_EXCEPTION)
		return exit_dr(cpu, v, code & 15, code >= EXIT_DR_WRITE);
	if (code < EXIT_INTR)
		return svm_event_exception(cpu, v, code & 31, pending);
	return exit_rare(cpu, v, code);
}

/*
 * The entry was refused, although the kernel has checked the state. QEMU has written some of the host's registers
 * over the guest's then, which must not become a guest's: the vCPU has no state any more, as in the beginning.
 */
static struct ec *exit_invalid(struct cpu *cpu, struct vcpu *v)
{
	svm_run_to_host(v);
	svm_to_host(cpu, v->ec, v); /* as what is pending says, before that is forgotten */
	svm_vcpu_reset(v);
	return svm_run_finish(v, REASON_BAD_STATE);
}

/* The event of the entry is delivered, or its delivery was cut short. An NMI blocks others in both cases. */
static void take_back_event(struct vcpu *v)
{
	struct arch_svm *a = &v->arch.svm;
	bool cut = svm_cut(a->vmcb);

	v->arch.pending &= ~(u32)PENDING_EVENT;
	a->vmcb->event_inj = 0;
	if (cut)
		a->vmcb->rip -= a->event_length;
	else
		a->event_length = 0;
	if ((a->event & INTR_TYPE_MASK) == INTR_TYPE_NMI)
		svm_set_nmi_blocked(v, true);
	a->event = cut ? a->event : 0;
}

static noinline struct ec *exit_slow(struct cpu *cpu, struct vcpu *v, u32 code)
{
	struct arch_vcpu *a = &v->arch;
	u32 pending = a->pending;

	if (unlikely(code == EXIT_INVALID))
		return exit_invalid(cpu, v);
	if (pending & PENDING_FLUSH) {
		svm_cpu(cpu)->flush = false;
		a->svm.vmcb->tlb_control = TLB_FLUSH_NOTHING;
	}
	a->pending &= ~(u32)(PENDING_FLUSH | PENDING_IMMEDIATE_EXIT);
	v->state->qual[0] = v->state->qual[1] = 0;
	v->state->inst_len = 0;
	if (pending & PENDING_EVENT)
		take_back_event(v);
	if (pending & PENDING_TIMED)
		(void)svm_run_time_over(a);
	if (pending & PENDING_STEP)
		svm_event_end_step(v);
	return exit_by_code(cpu, v, code, pending);
}

static always_inline struct ec *exit_dirty(struct cpu *cpu, struct vcpu *v, struct vmcb *b, u32 code)
{
	b->clean = VMCB_DIRTY;
	return exit_slow(cpu, v, code);
}

/* ---- exits with nothing pending: each is complete by itself, so that none pays for what another needs ---- */

/*
 * They change nothing in the VMCB, so that the next entry may find it clean. Whoever changes it marks it as dirty,
 * and so does every way into the guest and out of it that may: those to load_rest(), go_on_slow() and exit_slow(),
 * svm_vcpu_load() and svm_vcpu_new_asid().
 */
static always_inline struct ec *plain_leave(struct vcpu *v, struct vmcb *b, struct utcb_state *s, u64 rip, u32 reason)
{
	s->rip = rip;
	b->clean = VMCB_CLEAN;
	svm_run_to_host(v);
	return svm_state_store_often(v, b, s, reason, true);
}

static always_inline struct ec *plain_told(struct vcpu *v, struct vmcb *b, u32 reason)
{
	struct utcb_state *s = v->state;
	u64 rip = b->rip;

	s->qual[0] = s->qual[1] = 0;
	s->inst_len = (u32)(b->next_rip - rip) & 15;
	return plain_leave(v, b, s, rip, reason);
}

static noinline struct ec *plain_decoded(struct vcpu *v, u32 reason)
{
	struct utcb_state *s = v->state;
	struct vmcb *b = v->arch.svm.vmcb;

	s->qual[0] = s->qual[1] = 0;
	s->inst_len = svm_fetch_insn(v).length;
	return plain_leave(v, b, s, b->rip, reason);
}

static noinline struct ec *plain_instruction(struct vcpu *v, u32 reason)
{
	return likely(svm.next_rip) ? plain_told(v, v->arch.svm.vmcb, reason) : plain_decoded(v, reason);
}

static noinline struct ec *plain_io(struct vcpu *v)
{
	struct utcb_state *s = v->state;
	struct vmcb *b = v->arch.svm.vmcb;
	u64 rip = b->rip;

	svm_qual_io(v, s);
	s->qual[1] = 0;
	return plain_leave(v, b, s, rip, REASON_IO);
}

static noinline struct ec *plain_rare_fault(struct vcpu *v)
{
	struct vmcb *b = v->arch.svm.vmcb;

	svm_qual_nested_fault(v);
	return plain_leave(v, b, v->state, b->rip, REASON_EPT_VIOLATION);
}

static noinline struct ec *plain_nested_fault(struct vcpu *v)
{
	struct vmcb *b = v->arch.svm.vmcb;
	struct utcb_state *s = v->state;
	u64 rip = b->rip;

	if (unlikely(!svm_qual_is_absent_data(v, b)))
		return plain_rare_fault(v);
	svm_qual_absent_data(b, s);
	return plain_leave(v, b, s, rip, REASON_EPT_VIOLATION);
}

static bool is_plain_msr(const struct vcpu *v)
{
	u32 msr = (u32)v->regs.rcx;

	return msr != MSR_SPEC_CTRL && msr != MSR_TSC_AUX;
}

static always_inline bool halt_is_told(const struct arch_vcpu *a)
{
	return !a->passthrough || a->primary & PRI_HLT;
}

/* Those that the processor does not tell all about, or that the kernel may have to do something about. */
static noinline struct ec *plain_unlisted(struct cpu *cpu, struct vcpu *v, u32 code)
{
	if (unlikely(virt_fpu_busy(cpu)))
		return exit_dirty(cpu, v, v->arch.svm.vmcb, code);
	if (code == EXIT_NESTED_FAULT)
		return plain_nested_fault(v);
	if (code == EXIT_IO)
		return plain_io(v);
	if (code == EXIT_HLT && halt_is_told(&v->arch))
		return plain_instruction(v, REASON_HLT);
	if (code == EXIT_MSR && is_plain_msr(v))
		return plain_instruction(v, v->arch.svm.vmcb->exit_info1 & 1 ? REASON_WRMSR : REASON_RDMSR);
	if (plain_reason(code))
		return plain_instruction(v, plain_reason(code));
	return exit_dirty(cpu, v, v->arch.svm.vmcb, code);
}

/* The exit switches the guest's breakpoints off; not all emulators do (APM vol. 2, 15.6). */
#define DR7_ENABLED 0xffu
#define DR7_NONE 0x400ul

/*
 * From svm_run.S: the guest's general registers are in v->regs, but for RAX. The exits that cost least come first.
 */
struct ec *svm_exit(struct cpu *cpu, struct vcpu *v)
{
	struct vmcb *b = v->arch.svm.vmcb;
	u32 code = READ_ONCE(*(const u32 *)&b->exit_code), reason = told_reasons[(u8)code];

	svm_clean_keep(cpu, b);
	v->mtd = 0;
	if (unlikely(b->dr7 & DR7_ENABLED))
		VIRT_DR_WRITE(7, DR7_NONE);
	if (unlikely(svm_cut(b)) || unlikely(!virt_equals(&v->arch.pending, 0)))
		return exit_dirty(cpu, v, b, code);
	if (!reason)
		return code == EXIT_NMI ? svm_event_nmi_plain(cpu, v) : plain_unlisted(cpu, v, code);
	return likely(!virt_fpu_busy(cpu)) ? plain_told(v, b, reason) : exit_dirty(cpu, v, b, code);
}
