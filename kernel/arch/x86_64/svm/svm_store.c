/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the VMCB to the state page, in Intel's format. Manual: APM vol. 2, 15.6 (what the exit saves); SDM vol.
 * 3, 25.4 (the page's format), 28.2 (events).
 */
#include "svm/svm_state.h"

#include "arch/switch.h"
#include "core/vcpu.h"
#include "svm/svm.h"

#define RIGHTS_BUSY 2u
#define RIGHTS_DPL_SHIFT 5

static always_inline void store_segment(struct utcb_seg *to, const struct utcb_seg *from)
{
	*(u64 *)to = *(const u64 *)from;
	to->base = from->base;
	if (unlikely(!(from->ar & SEG_PRESENT)))
		to->ar |= SEG_UNUSABLE;
}

#define LOW_RIGHTS(rights) ((u64)(rights) << 16)

/* The privilege level is found in the stack segment on Intel's processors. */
static always_inline void store_stack_segment(struct utcb_seg *to, const struct vmcb *b)
{
	u64 low = *(const u64 *)&b->ss & ~LOW_RIGHTS(3u << RIGHTS_DPL_SHIFT);

	*(u64 *)to = low | LOW_RIGHTS((u32)b->cpl << RIGHTS_DPL_SHIFT);
	to->base = b->ss.base;
	if (unlikely(!(b->ss.ar & SEG_PRESENT)))
		to->ar |= SEG_UNUSABLE;
}

/* The task register always is busy; not all processors save it so. */
static always_inline void store_task(struct utcb_seg *to, const struct utcb_seg *from)
{
	*(u64 *)to = *(const u64 *)from | LOW_RIGHTS(RIGHTS_BUSY);
	to->base = from->base;
	if (unlikely(!(from->ar & SEG_PRESENT)))
		to->ar |= SEG_UNUSABLE;
}

static always_inline void store_table(struct utcb_seg *to, const struct utcb_seg *from)
{
	*(u64 *)to = (u64)from->limit << 32;
	to->base = from->base;
}

static always_inline void store_segments(const struct vmcb *b, u64 mtd, struct utcb_state *s)
{
	if (mtd & MTD_DS_ES) {
		store_segment(&s->es, &b->es);
		store_segment(&s->ds, &b->ds);
	}
	if (mtd & MTD_CS_SS) {
		store_segment(&s->cs, &b->cs);
		store_stack_segment(&s->ss, b);
	}
	if (mtd & MTD_FS_GS) {
		store_segment(&s->fs, &b->fs);
		store_segment(&s->gs, &b->gs);
	}
	if (mtd & MTD_LDTR)
		store_segment(&s->ldtr, &b->ldtr);
	if (mtd & MTD_TR)
		store_task(&s->tr, &b->tr);
	if (mtd & MTD_GDTR)
		store_table(&s->gdtr, &b->gdtr);
	if (mtd & MTD_IDTR)
		store_table(&s->idtr, &b->idtr);
}

static always_inline void store_registers(const struct vcpu *v, const struct vmcb *b, u64 mtd, struct utcb_state *s)
{
	if (mtd & MTD_GPR_ACDB)
		svm_state_store_acdb(v, b, s);
	if (mtd & MTD_GPR_BSD)
		BLOCK_COPY(s, &v->regs, rbp, rdi);
	if (mtd & MTD_GPR_R8_R15)
		BLOCK_COPY(s, &v->regs, r8, r15);
	if (mtd & MTD_RSP)
		s->rsp = b->rsp;
	if (mtd & MTD_RFLAGS)
		s->rflags = b->rflags;
	if (mtd & MTD_DR)
		s->dr7 = b->dr7;
	if (mtd & MTD_SYSENTER) {
		s->sysenter_cs = b->sysenter_cs;
		s->sysenter_rsp = b->sysenter_rsp;
		s->sysenter_rip = b->sysenter_rip;
	}
}

static always_inline void store_msrs(const struct vcpu *v, const struct vmcb *b, u64 mtd, struct utcb_state *s)
{
	if (mtd & MTD_EFER_PAT) {
		s->efer = v->arch.efer;
		s->pat = b->pat;
	}
	if (mtd & MTD_SYSCALL_SWAPGS) {
		s->star = b->star;
		s->lstar = b->lstar;
		s->fmask = b->fmask;
		s->kernel_gs_base = b->kernel_gs_base;
	}
	if (mtd & MTD_TSC) {
		s->tsc_val = arch_tsc();
		s->tsc_off = v->arch.svm.offset;
		s->tsc_aux = v->arch.tsc_aux;
	}
	if (mtd & MTD_TSC_TIMEOUT)
		s->tsc_timeout = v->arch.svm.left;
}

static always_inline void store_cr(const struct vcpu *v, const struct vmcb *b, struct utcb_state *s)
{
	s->cr0 = svm_cr0_seen(v);
	s->cr2 = b->cr2;
	s->cr3 = b->cr3;
	s->cr4 = svm_cr4_seen(v);
	s->xcr0 = v->arch.xcr0;
	s->spec_ctrl = v->arch.spec_ctrl;
}

/* The interrupt shadow is one of STI if interrupts are on, else of MOV SS. */
static always_inline void store_activity(const struct vcpu *v, const struct vmcb *b, struct utcb_state *s)
{
	u32 state = v->arch.svm.nmi_blocked ? INTR_STATE_NMI : 0;

	if (unlikely(b->interrupt_shadow & 1))
		state |= b->rflags & RFLAGS_IF ? INTR_STATE_STI : INTR_STATE_MOV_SS;
	s->intr_state = state;
	s->actv_state = v->arch.svm.activity;
}

#define INTR_TYPE_SOFT_EXCEPTION 0x600u
#define VECTOR_BP 3
#define VECTOR_OF 4

/* An event whose delivery was cut short, with Intel's type of INT3 and INTO. */
static u32 cut_info(const struct vmcb *b)
{
	u32 info = (u32)b->exit_int_info, vector = info & INTR_VECTOR_MASK;

	if ((info & INTR_TYPE_MASK) == EVENT_EXCEPTION && (vector == VECTOR_BP || vector == VECTOR_OF))
		info = (info & ~INTR_TYPE_MASK) | INTR_TYPE_SOFT_EXCEPTION;
	return info;
}

/* Which events there can be to be told of: that of the exit and one that it has cut short, or the next entry's. */
enum events { EVENTS_NONE, EVENTS_OF_EXIT, EVENTS_OF_ENTRY };

static always_inline void store_events(const struct vcpu *v, const struct vmcb *b, u32 reason, enum events events,
				       struct utcb_state *s)
{
	const struct arch_svm *a = &v->arch.svm;

	s->intr_info = s->intr_error = s->vect_info = s->vect_error = 0;
	if (events == EVENTS_NONE)
		return;
	if (unlikely(events == EVENTS_OF_ENTRY)) {
		s->vect_info = v->arch.pending & PENDING_EVENT ? a->event : 0;
		s->vect_error = s->vect_info ? a->event_error : 0;
		return;
	}
	if (unlikely(reason == REASON_EXCEPTION)) {
		s->intr_info = v->arch.exception;
		s->intr_error = v->arch.exception & INTR_ERROR_VALID ? a->fault_error : 0;
	}
	if (unlikely(svm_cut(b))) {
		s->vect_info = cut_info(b);
		s->vect_error = s->vect_info & INTR_ERROR_VALID ? (u32)(b->exit_int_info >> EVENT_ERROR_SHIFT) : 0;
	}
}

/* AMD's own words, in the page behind what Intel's processors have use for. */
static always_inline void store_own(const struct vmcb *b, struct utcb_state *s)
{
	struct utcb_svm *to = utcb_svm(container_of(s, struct utcb, state));

	to->exit_code = b->exit_code;
	to->exit_info1 = b->exit_info1;
	to->exit_info2 = b->exit_info2;
}

static always_inline struct ec *store(struct vcpu *v, u64 mtd, u32 reason, enum events events)
{
	const struct vmcb *b = v->arch.svm.vmcb;
	struct utcb_state *s = v->state;

	store_registers(v, b, mtd, s);
	store_segments(b, mtd, s);
	if (mtd & MTD_CR)
		store_cr(v, b, s);
	if (mtd & MTD_STA)
		store_activity(v, b, s);
	store_msrs(v, b, mtd, s);
	if (mtd & MTD_INJ) {
		store_events(v, b, reason, events, s);
		store_own(b, s);
	}
	return vcpu_end_run(v);
}

static noinline struct ec *store_selected(struct vcpu *v, u32 reason, enum events events)
{
	return store(v, v->wanted, reason, events);
}

static noinline struct ec *store_all(struct vcpu *v, u32 reason)
{
	return store(v, VCPU_WANT_ALL, reason, EVENTS_OF_EXIT);
}

static noinline struct ec *store_all_plain(struct vcpu *v)
{
	return store(v, VCPU_WANT_ALL, 0, EVENTS_NONE);
}

struct ec *svm_state_store_rest(struct vcpu *v, u32 reason)
{
	return likely(v->wanted == VCPU_WANT_ALL) ? store_all(v, reason) : store_selected(v, reason, EVENTS_OF_EXIT);
}

struct ec *svm_state_store_rest_plain(struct vcpu *v)
{
	return likely(v->wanted == VCPU_WANT_ALL) ? store_all_plain(v) : store_selected(v, 0, EVENTS_NONE);
}

struct ec *svm_state_store(struct vcpu *v, u32 reason)
{
	const struct vmcb *b = v->arch.svm.vmcb;
	struct utcb_state *s = v->state;

	s->rip = b->rip;
	return svm_state_store_often(v, b, s, reason, false);
}

struct ec *svm_state_store_undelivered(struct vcpu *v, u32 reason)
{
	v->state->exit_reason = reason;
	v->state->rip = v->arch.svm.vmcb->rip;
	return store_selected(v, reason, EVENTS_OF_ENTRY);
}
